import { isDeepStrictEqual } from 'node:util';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { editFile, removeLeftovers } from '../files/edit.ts';
import { acquireLock } from '../files/lock.ts';
import { ensureStateFolder, lockPathFor } from '../files/state-files.ts';
import { checkKeySource, ownKeyOf } from '../profiles/access-key.ts';
import { refuseForeign } from '../profiles/foreign.ts';
import { keyHolderOf, readSharedFiles } from '../profiles/profile.ts';
import type { AccessKey, Profile, SharedFiles } from '../profiles/profile.ts';
import { accessOf, forgetKey, keepKey, storeNamed } from '../stores/keys.ts';
import { notedStores } from '../stores/notes.ts';
import { shellWord } from '../text.ts';
import { describeHolders, resumeCommand, shortId } from './description.ts';
import { readJournals } from './journal.ts';
import { checkKeyFile, fileKinds, findHolders, moveKey, storesOf } from './key-files.ts';
import type { KeyHolder } from './key-holders.ts';

/** A key on its way to a key store, or with `undefined` into the files, and who does not have it there yet. */
export type KeyMove = {
  readonly key: AccessKey;
  readonly to: string | undefined;
  /** Every profile that has it, and those of them that are to have it somewhere else. */
  readonly all: readonly KeyHolder[];
  readonly holders: readonly KeyHolder[];
  /** The stores that keep it, or may have been left with it, and are to do so no longer. */
  readonly left: readonly string[];
  readonly shared: SharedFiles;
};

type Asking = { readonly input: boolean };

/**
 * Finds out what has to be moved, in every profile that shares the key, and tries all that could fail. Raises UserError.
 */
export const planMove = async (
  profile: Profile,
  to: string | undefined,
  asking: Asking,
  context: Context,
): Promise<KeyMove> => {
  const shared = readSharedFiles(context.env);
  refuseMove(profile, to);
  for (const kind of fileKinds) removeLeftovers(shared.files[kind]);
  const key = await ownKeyOf(profile, asking, context);
  if (key === undefined) throw noOwnKey(profile);
  refuseRotation(profile, key, shared);
  const all = findHolders(shared, key);
  if (!all.some(({ profileName }) => profileName === profile.name)) throw halves(profile);
  const holders = all.filter(({ store }) => store !== to);
  for (const kind of fileKinds) {
    if (holders.some(({ place }) => place === shared.files[kind]))
      checkKeyFile(shared, kind, (bytes) => moveKey(bytes, kind, key, to));
  }
  if (to !== undefined) await storeNamed(to).check(accessOf(to, asking, context));
  const noted = notedStores(shared.files.state, key.accessKeyId);
  const left = [...new Set([...storesOf(holders), ...noted])].filter((name) => name !== to);
  return { key, to, all, holders, left, shared };
};

/**
 * Moves a key: into the store and read back, then out of the files; or into the files and read again, then out of the
 * store. A kill at any point leaves it in one of the two, where its profiles say that it is, and the same command again
 * finishes the move. Returns who has it now. Raises UserError.
 */
export const move = async (
  plan: KeyMove,
  asking: Asking,
  context: Context,
): Promise<readonly KeyHolder[]> => {
  const { key, to, holders, left, shared } = plan;
  const { files } = shared;
  const { state } = files;
  ensureStateFolder(state);
  const lock = await acquireLock(lockPathFor(state, 'key stores'), { timeoutMs: 60_000 });
  const accessTo = (name: string) => accessOf(name, asking, context);
  const checkOwn = (): void => {
    if (!lock.stillOwn()) throw new UserError('this process was stopped for too long: nothing was changed');
  };
  try {
    refuseOtherState(plan, context);
    if (to !== undefined) await keepKey(to, key, state, accessTo(to));
    for (const kind of fileKinds) {
      if (!holders.some(({ place }) => place === files[kind])) continue;
      const edit = (bytes: Buffer): Buffer => {
        checkOwn();
        return moveKey(bytes, kind, key, to);
      };
      await editFile(files[kind], edit, { state });
    }
    const now = findHolders(readSharedFiles(context.env), key);
    const elsewhere = now.filter(({ store }) => store !== to);
    if (now.length === 0 || elsewhere.length > 0) throw writtenBack(key, elsewhere);
    await forgetKey(key.accessKeyId, left, state, accessTo);
    return now;
  } finally {
    lock.release();
  }
};

const refuseMove = (profile: Profile, to: string | undefined): void => {
  const name = shellWord(profile.name);
  refuseForeign(profile);
  if (keyHolderOf(profile) !== profile.name) {
    throw new UserError(
      `the key of profile ${name} is in [${shellWord(keyHolderOf(profile))}], where aws-mfa looks for it`,
      { hint: `write it into [${name}] first, and remove the other section` },
    );
  }
  if (to !== undefined && profile.name.endsWith('-sts')) {
    throw new UserError(`profile ${name} is named like a session, and cannot have its key in a key store`, {
      hint: 'rename the profile',
    });
  }
};

const noOwnKey = (profile: Profile): UserError => {
  checkKeySource(profile);
  return new UserError(
    `the access key of profile ${shellWord(profile.name)} comes from its credential_process: it is in no file`,
    { hint: 'that program keeps it' },
  );
};

const halves = (profile: Profile): UserError =>
  new UserError(
    `the two halves of the access key of profile ${shellWord(profile.name)} are not in the same file`,
    { hint: `write both into ${profile.files.credentials}` },
  );

/** Raises UserError where a rotation of the key is unfinished: it knows where the key was. */
const refuseRotation = (profile: Profile, { accessKeyId }: AccessKey, { files }: SharedFiles): void => {
  const journal = readJournals(files.state).find(
    ({ old, newId, profileName, credentials }) =>
      [old.accessKeyId, newId].includes(accessKeyId) ||
      (profileName === profile.name && credentials === files.credentials),
  );
  if (journal === undefined) return;
  throw new UserError(`a rotation of the access key of profile ${shellWord(profile.name)} is unfinished`, {
    hint: `finish it first: ${resumeCommand(journal.profileName)}`,
  });
};

/** Raises UserError for a plan that was made on other files or stores. */
const refuseOtherState = ({ key, all, shared }: KeyMove, context: Context): void => {
  if (isDeepStrictEqual(findHolders(readSharedFiles(context.env), key), all)) return;
  throw new UserError(
    `could not move the access key ${shortId(key.accessKeyId)}: ${shared.files.credentials} has changed since it was shown`,
    { hint: 'run the command again' },
  );
};

const writtenBack = ({ accessKeyId }: AccessKey, holders: readonly KeyHolder[]): UserError =>
  new UserError(
    holders.length === 0
      ? `no profile holds the access key ${shortId(accessKeyId)} any more, as if another program had changed the file: it stays in every key store`
      : `${describeHolders(holders)} ${holders.length === 1 ? 'holds' : 'hold'} the access key ${shortId(accessKeyId)} again, as if another program had written the file back: it stays in every key store`,
    { hint: 'run the command again' },
  );
