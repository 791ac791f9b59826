import fs from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import ini from 'ini';
import { removeStrays } from '../files/replace.ts';
import { accountOfArn, partitionOf, userNameOfArn } from '../aws/arns.ts';
import { UserError, systemCode } from '../errors.ts';
import { fileError } from '../files/errors.ts';
import { readStateFile, removeStateFile, writeStateFile } from '../files/state-files.ts';
import type { AccessKey } from '../profiles/profile.ts';

/** How far a rotation has come; what each one means stands with the steps in steps.ts. */
const phases = ['creating', 'created', 'stored', 'deactivated', 'deleting'] as const;
export type Phase = (typeof phases)[number];

export type TimeWindow = { readonly from: number; readonly until: number };

/** What a rotation needs to be finished or undone by another process. One per user, in the state folder. */
export type Journal = {
  readonly phase: Phase;
  /** Whether the rotation is being undone. */
  readonly aborting: boolean;
  /** The user's ARN, as AWS told it. */
  readonly arn: string;
  readonly profileName: string;
  /** The two files that were in use. */
  readonly credentials: string;
  readonly config: string;
  /** Milliseconds since the epoch: when the rotation began, and when CreateAccessKey was about to be sent. */
  readonly startedAt: number;
  readonly sentAt: number;
  /**
   * Between which times by AWS's clock CreateAccessKey can have made a key, in milliseconds since the epoch. Undefined
   * before it is sent, and in journals of version 1.0.0.
   */
  readonly window: TimeWindow | undefined;
  readonly keepOld: boolean;
  /** The key store that keeps both keys: the journal then holds no secret. */
  readonly keyStore: string | undefined;
  /** The ids of the keys that the user had before CreateAccessKey. */
  readonly existing: readonly string[];
  /** Its secret is empty where the key store keeps it and it was not read from there. */
  readonly old: AccessKey;
  /** The id of the new key, from `created` on. */
  readonly newId: string | undefined;
  /** Its secret, from `created` to the end: what the files hold can be lost. Version 1.0.0 kept it until it was in the files. */
  readonly newSecret: string | undefined;
  /** The files that hold the new key already. */
  readonly written: readonly string[];
};

/** The journal of a user's unfinished rotation, if there is one. Raises UserError when it cannot be understood. */
export const readJournal = (state: string, arn: string): Journal | undefined =>
  readJournalFile(journalPath(state, arn));

/** All unfinished rotations, of whichever user. Raises UserError when one cannot be understood. */
export const readJournals = (state: string): Journal[] =>
  journalNames(state).flatMap((name) => readJournalFile(join(journalFolder(state), name)) ?? []);

/** Writes the journal, 0600, whole and on the disk before this returns. Raises UserError. */
export const writeJournal = (state: string, journal: Journal): void => {
  const text = formatJournal(journal);
  if (!isDeepStrictEqual(parseJournal(text), withoutKept(journal))) {
    throw new UserError('could not write the rotation journal: it would not read back as it is', {
      hint: 'rename the profile or the files: characters such as \\ and ; in a name do not go together here',
    });
  }
  writeStateFile(journalPath(state, journal.arn), text);
};

/** Ends a rotation: removes its journal, and with it the secrets. Raises UserError. */
export const removeJournal = (state: string, arn: string): void => {
  removeStateFile(journalPath(state, arn));
  removeJournalStrays(state, arn);
};

/** Removes what killed writers have left beside the journal: it may hold a secret. */
export const removeJournalStrays = (state: string, arn: string): void =>
  removeStrays(journalPath(state, arn), 'any');

const journalFolder = (state: string): string => join(state, 'rotations');

// Partition, account and name of a user are unique together, and all their characters suit a file name.
const journalPath = (state: string, arn: string): string =>
  join(journalFolder(state), `${partitionOf(arn)}.${accountOfArn(arn)}.${userNameOfArn(arn)}.ini`);

const journalNames = (state: string): string[] => {
  const folder = journalFolder(state);
  try {
    return fs.readdirSync(folder).filter((name) => !name.startsWith('.') && name.endsWith('.ini'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw fileError(error, 'read', folder);
  }
};

const readJournalFile = (path: string): Journal | undefined => {
  const text = readStateFile(path);
  if (text === undefined) return undefined;
  const journal = parseJournal(text);
  if (journal !== undefined) return journal;
  throw new UserError(`could not understand the rotation journal ${path}`, {
    hint: 'it may hold the only copy of a new secret access key: compare it with the credentials file and the IAM console, then remove it',
  });
};

const withoutKept = (journal: Journal): Journal =>
  journal.keyStore === undefined
    ? journal
    : { ...journal, old: { ...journal.old, secretAccessKey: '' }, newSecret: undefined };

const formatJournal = (journal: Journal): string =>
  ini.stringify({
    phase: journal.phase,
    aborting: String(journal.aborting),
    arn: journal.arn,
    profile: journal.profileName,
    credentials_file: journal.credentials,
    config_file: journal.config,
    started_at: String(journal.startedAt),
    sent_at: String(journal.sentAt),
    ...(journal.window === undefined
      ? {}
      : { created_from: String(journal.window.from), created_until: String(journal.window.until) }),
    keep_old: String(journal.keepOld),
    existing: journal.existing,
    old_access_key_id: journal.old.accessKeyId,
    ...(journal.newId === undefined ? {} : { new_access_key_id: journal.newId }),
    ...(journal.keyStore === undefined
      ? {
          old_secret_access_key: journal.old.secretAccessKey,
          ...(journal.newSecret === undefined ? {} : { new_secret_access_key: journal.newSecret }),
        }
      : { key_store: journal.keyStore }),
    written: journal.written,
  });

const parseJournal = (text: string): Journal | undefined => {
  const values: Record<string, unknown> = ini.parse(text);
  // ini makes true, false and null of these words, also where they are names
  const word = (name: string): string | undefined => {
    const value = values[name];
    if (typeof value === 'string') return value;
    return typeof value === 'boolean' || value === null ? String(value) : undefined;
  };
  const list = (name: string): string[] => {
    const value = values[name];
    return Array.isArray(value) ? value.map(String) : [];
  };
  const phase = phases.find((each) => each === word('phase'));
  const arn = word('arn') ?? '';
  const profileName = word('profile');
  const accessKeyId = word('old_access_key_id');
  const keyStore = word('key_store');
  const secretAccessKey = keyStore === undefined ? word('old_secret_access_key') : '';
  const startedAt = Number(word('started_at'));
  const sentAt = Number(word('sent_at'));
  const from = Number(word('created_from'));
  const until = Number(word('created_until'));
  if (phase === undefined || userNameOfArn(arn) === undefined || profileName === undefined) return undefined;
  if (!accessKeyId || (!secretAccessKey && !keyStore)) return undefined;
  if (Number.isNaN(startedAt) || Number.isNaN(sentAt)) return undefined;
  return {
    phase,
    aborting: word('aborting') === 'true',
    arn,
    profileName,
    credentials: word('credentials_file') ?? '',
    config: word('config_file') ?? '',
    startedAt,
    sentAt,
    window: Number.isNaN(from) || Number.isNaN(until) ? undefined : { from, until },
    keepOld: word('keep_old') === 'true',
    keyStore,
    existing: list('existing'),
    old: { accessKeyId, secretAccessKey: secretAccessKey ?? '' },
    newId: word('new_access_key_id'),
    newSecret: keyStore === undefined ? word('new_secret_access_key') : undefined,
    written: list('written'),
  };
};
