import type { Context } from '../context.ts';
import { lockPathFor } from '../files/state-files.ts';
import { readLock } from '../files/lock.ts';
import type { Journal } from './journal.ts';
import { findJournal, readSubject, rotationOf } from './subject.ts';

/** A rotation that waits to be finished, or `none`. */
export type RotationStatus =
  | { readonly state: 'none'; readonly profileName: string }
  | {
      readonly state: 'unfinished';
      readonly profileName: string;
      readonly journal: Journal;
      /** The process that works on it now. */
      readonly pid: number | undefined;
    };

/** What is known here about an unfinished rotation of a profile's key, without a look at AWS. Raises UserError. */
export const readRotationStatus = (
  options: { readonly profile?: string | undefined },
  context: Context,
): RotationStatus => {
  const subject = readSubject(options, context);
  const profileName = subject.profile.name;
  const journal = findJournal(subject);
  if (journal === undefined) return { state: 'none', profileName };
  const holder = readLock(lockPathFor(subject.shared.files.state, rotationOf(journal.arn)));
  return {
    state: 'unfinished',
    profileName,
    journal,
    pid: holder?.state === 'held' ? holder.pid : undefined,
  };
};
