import { UserError } from '../errors.ts';
import { keyIdOf } from '../profiles/profile.ts';
import type { AccessKey } from '../profiles/profile.ts';
import { shellWord } from '../text.ts';
import { describeHolders, keeperOf, resumeCommand, shortId } from './description.ts';
import type { Journal } from './journal.ts';
import type { WantedKey } from './key-holders.ts';
import { newKeyOf } from './new-key.ts';
import { changeOldKey, save, say } from './rotation.ts';
import type { Rotation } from './rotation.ts';
import { knowsKey } from './settling.ts';

// Editors and sync tools know nothing of a rotation: what it has written can be gone a moment later. So it looks
// again before each act that such a file would not survive, and after it, while the journal can still bring the key back.

/**
 * Raises UserError, with the journal kept, where a profile holds the old key or none holds the new one. An old key
 * that the files hold is activated again where that is still possible.
 */
export const checkNewKeyPlaced = async (rotation: Rotation, journal: Journal): Promise<void> => {
  const key = await newKeyOf(rotation, journal);
  const problem = misplacement(rotation, { name: 'new', key }, { name: 'old', key: journal.old });
  if (problem === undefined) return keepNewKey(rotation, journal, key);
  save(rotation, journal);
  const [oldId, newId] = [shortId(journal.old.accessKeyId), shortId(key.accessKeyId)];
  const before = rotation.standing.oldKey;
  if (rotation.store.find(journal.old).length > 0) await bringOldKeyBack(rotation, journal);
  const now = rotation.standing.oldKey;
  const command = resumeCommand(rotation.profile.name);
  const outcome = {
    active: `nothing was deleted, ${oldId} is ${before === 'active' ? 'active' : 'active again'}`,
    inactive: `nothing was deleted, ${oldId} is inactive`,
    unknown: `whether ${oldId} is deleted is not known`,
    deleted: `${oldId} is deleted`,
  }[now];
  throw new UserError(`${problem}: ${outcome}, and ${keeperOf(journal)} keeps the new key ${newId}`, {
    hint: `${command} --resume writes ${newId} again and goes on${now === 'deleted' ? '' : `, ${command} --abort goes back`}`,
  });
};

/** Raises UserError, with the journal kept, where a profile holds the new key or none holds the old one. */
export const checkOldKeyPlaced = async (
  rotation: Rotation,
  journal: Journal,
  newKey: 'active' | 'deleted',
): Promise<void> => {
  const newId = journal.newId ?? '';
  const problem = misplacement(
    rotation,
    { name: 'old', key: journal.old },
    { name: 'new', key: { accessKeyId: newId } },
  );
  if (problem === undefined) return rotation.store.keep(journal.old, journal.keyStore);
  if (await hasOtherKey(rotation, journal)) return;
  save(rotation, journal);
  const outcome = newKey === 'deleted' ? `${shortId(newId)} is deleted` : 'nothing was deleted';
  const oldId = shortId(journal.old.accessKeyId);
  throw new UserError(`${problem}: ${outcome}, and ${keeperOf(journal)} keeps the old key ${oldId}`, {
    hint: `${resumeCommand(rotation.profile.name)} --resume writes ${oldId} again and goes on`,
  });
};

/** Writes the new key where an accident has put the old one back, or where it has left none. Raises UserError. */
export const writeNewKeyAgain = async (rotation: Rotation, journal: Journal): Promise<Journal> => {
  const key = await newKeyOf(rotation, journal);
  // journals of version 1.0.0 do not keep the secret
  const kept = save(rotation, { ...journal, newSecret: key.secretAccessKey });
  rotation.signer.useKey(key);
  const holders = await rotation.store.replace(journal.old, key, rotation);
  if (holders.length > 0) {
    say(rotation, `written again: ${shortId(key.accessKeyId)} into ${describeHolders(holders)}`);
  }
  await giveToProfile(rotation, journal, key);
  return kept;
};

/** Writes a key into the rotation's own profile where neither that nor another one holds any. Raises UserError. */
export const giveToProfile = async (rotation: Rotation, journal: Journal, key: AccessKey): Promise<void> => {
  if (rotation.store.find(key).length > 0) return;
  const name = shellWord(journal.profileName);
  const id = shortId(key.accessKeyId);
  if (await rotation.store.add(journal.profileName, key, journal.keyStore, rotation)) {
    say(rotation, `written: ${id} into [${name}], which had no key any more`);
    return;
  }
  if (key.accessKeyId === journal.old.accessKeyId && (await hasOtherKey(rotation, journal))) return;
  const command = resumeCommand(rotation.profile.name);
  throw new UserError(
    `no profile holds the access key ${id} any more, and [${name}] holds another one: nothing was deleted, and ${keeperOf(journal)} keeps ${id}`,
    {
      hint: `remove that key's settings (aws_access_key_id, aws_secret_access_key) from [${name}], then ${command} --resume writes ${id} there, or ${command} --abort goes back`,
    },
  );
};

// A store that has lost the key gets it again; where that fails the old key is needed, while there is one.
const keepNewKey = async (rotation: Rotation, journal: Journal, key: AccessKey): Promise<void> => {
  try {
    await rotation.store.keep(key, journal.keyStore);
  } catch (error) {
    await bringOldKeyBack(rotation, journal);
    throw error;
  }
};

type Named = { readonly name: 'new' | 'old'; readonly key: WantedKey };

const misplacement = ({ store }: Rotation, wanted: Named, unwanted: Named): string | undefined => {
  const holders = store.find(unwanted.key);
  if (holders.length > 0) {
    return `${describeHolders(holders)} ${holders.length === 1 ? 'holds' : 'hold'} the ${unwanted.name} access key ${shortId(unwanted.key.accessKeyId)} again, as if another program had written the file back`;
  }
  return store.find(wanted.key).length > 0
    ? undefined
    : `no profile holds the ${wanted.name} access key ${shortId(wanted.key.accessKeyId)} any more`;
};

// The journal says "stored" before AWS is told, so that the next run deactivates the key again.
const bringOldKeyBack = async (rotation: Rotation, journal: Journal): Promise<void> => {
  const { standing, userName } = rotation;
  if (standing.oldKey === 'active' || standing.oldKey === 'deleted') return;
  const { accessKeyId } = journal.old;
  save(rotation, { ...journal, phase: 'stored' });
  try {
    const isThere = await changeOldKey(rotation, 'active', (aws) =>
      aws.updateAccessKey(userName, accessKeyId, 'Active'),
    );
    if (!isThere) save(rotation, { ...journal, phase: 'deleting' });
  } catch {
    // the sentence says what is known
  }
};

// Somebody may have given the profile a key that has nothing to do with this rotation.
const hasOtherKey = async ({ signer, store, profile }: Rotation, journal: Journal): Promise<boolean> => {
  const id = keyIdOf(profile) ?? '';
  const pair = await store.findPair(id);
  if (pair === undefined || [journal.old.accessKeyId, journal.newId].includes(id)) return false;
  return knowsKey(() => signer.as(pair).getCallerIdentity());
};
