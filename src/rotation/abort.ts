import { UserError } from '../errors.ts';
import { describeHolders, keeperOf, resumeCommand, shortId } from './description.ts';
import type { Journal } from './journal.ts';
import { deleteLostKeys } from './lost-key.ts';
import { deleteNewKey } from './new-key.ts';
import { checkOldKeyPlaced, giveToProfile, writeNewKeyAgain } from './placement.ts';
import { changeOldKey, finish, save, say } from './rotation.ts';
import type { Rotation } from './rotation.ts';
import { knowsKey, settle } from './settling.ts';
import { firstPause, longestPause, settleLimit } from './signer.ts';

/**
 * Goes back: the old key active and in the files, the new one deleted, no journal. Where the old key is deleted
 * already it returns the journal to go on with instead. Raises UserError and leaves the journal where that fails.
 */
export const abort = async (rotation: Rotation, journal: Journal): Promise<Journal | undefined> => {
  const { signer, store, userName } = rotation;
  if (journal.phase === 'creating') {
    await deleteLostKeys(rotation, journal);
    await giveToProfile(rotation, journal, journal.old);
    finish(rotation, journal);
    return undefined;
  }
  const oldId = journal.old.accessKeyId;
  if (journal.old.secretAccessKey === '') {
    // the store forgets the old key after AWS has deleted it
    await findSigner(rotation, journal);
    const keys = await signer.call((aws) => aws.listAccessKeys(userName));
    if (keys.some(({ accessKeyId }) => accessKeyId === oldId)) throw noWayBack(journal);
    return save(rotation, { ...journal, aborting: false });
  }
  const aborting = save(rotation, { ...journal, aborting: true });
  await findSigner(rotation, aborting);
  const isThere = await changeOldKey(rotation, 'active', (aws) =>
    aws.updateAccessKey(userName, oldId, 'Active'),
  );
  if (!isThere) return save(rotation, { ...aborting, aborting: false });
  await settle(rotation, journal.old);
  say(rotation, `activated: the old key ${shortId(oldId)}`);
  signer.useKey(journal.old);
  const newId = journal.newId ?? '';
  const holders = await store.replace({ accessKeyId: newId }, journal.old, rotation);
  if (holders.length > 0) say(rotation, `written: ${shortId(oldId)} into ${describeHolders(holders)}`);
  await giveToProfile(rotation, aborting, journal.old);
  await checkOldKeyPlaced(rotation, aborting, 'active');
  await deleteNewKey(rotation, aborting);
  await store.forget(newId, aborting.keyStore);
  await checkOldKeyPlaced(rotation, aborting, 'deleted');
  say(rotation, `deleted: the new key ${shortId(newId)}`);
  finish(rotation, journal);
  await checkOldKeyPlaced(rotation, aborting, 'deleted');
  return undefined;
};

const noWayBack = (journal: Journal): UserError =>
  new UserError(
    `there is no way back: ${keeperOf(journal)} has the old key ${shortId(journal.old.accessKeyId)} no more`,
    { hint: `${resumeCommand(journal.profileName)} --resume goes on` },
  );

/** Lets an abort be signed by whichever key works: the profile's own, one of the journal's, else a live session. */
const findSigner = async (rotation: Rotation, journal: Journal): Promise<void> => {
  const { signer, store, context } = rotation;
  const stored = await store.findPair(journal.newId ?? '', journal.keyStore);
  const kept =
    journal.newId !== undefined && journal.newSecret !== undefined
      ? { accessKeyId: journal.newId, secretAccessKey: journal.newSecret }
      : undefined;
  const keys = [stored, kept, journal.old]
    .filter((key) => key !== undefined)
    .filter(({ secretAccessKey }) => secretAccessKey !== '');
  const limit = context.now() + settleLimit;
  for (let pause = firstPause; context.now() < limit; pause = Math.min(pause * 1.5, longestPause)) {
    for (const key of keys) {
      if (!(await knowsKey(() => signer.as(key).getCallerIdentity()))) continue;
      signer.useKey(key);
      if (key !== journal.old) await makeLoginPossible(rotation, journal);
      return;
    }
    if (signer.useLiveSession()) return;
    await context.sleep(pause);
  }
};

// An MFA session is asked for with the key in the files: after an accident that may be an old one that works no more.
const makeLoginPossible = async (rotation: Rotation, journal: Journal): Promise<void> => {
  const { signer, store } = rotation;
  const newId = journal.newId ?? '';
  const isPlaced = store.find(journal.old).length === 0 && store.find({ accessKeyId: newId }).length > 0;
  if (isPlaced || journal.phase === 'created') return;
  if (await knowsKey(() => signer.as(journal.old).getCallerIdentity())) return;
  await writeNewKeyAgain(rotation, journal);
};
