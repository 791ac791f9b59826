import type { Context } from '../context.ts';
import { lockPathFor } from '../files/state-files.ts';
import { readLock } from '../files/lock.ts';
import type { RotationStatus } from './outcome.ts';
import { findJournal, findSubject, rotationOf } from './subject.ts';

/** What is known here about an unfinished rotation of a profile's key, without a look at AWS. Raises UserError. */
export const readRotationStatus = (
  options: { readonly profile?: string | undefined },
  context: Context,
): RotationStatus => {
  const subject = findSubject(options, context);
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
