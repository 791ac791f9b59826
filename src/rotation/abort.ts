import { readSharedFiles } from '../profiles/profile.ts';
import { describeHolders, shortId } from './description.ts';
import type { Journal } from './journal.ts';
import { replaceInFiles } from './key-files.ts';
import { findKeyPair } from './key-holders.ts';
import { deleteLostKeys } from './lost-key.ts';
import { deleteNewKey } from './new-key.ts';
import { finish, isDone, save, say } from './rotation.ts';
import type { Rotation } from './rotation.ts';
import { knowsKey, settle } from './settling.ts';
import { firstPause, longestPause, settleLimit } from './signer.ts';

/**
 * Goes back: the old key active and in the files, the new one deleted, no journal. Where the old key is deleted
 * already it returns the journal to go on with instead. Raises UserError and leaves the journal where that fails.
 */
export const abort = async (rotation: Rotation, journal: Journal): Promise<Journal | undefined> => {
  const { signer, userName } = rotation;
  if (journal.phase === 'creating') {
    await deleteLostKeys(rotation, journal);
    finish(rotation, journal);
    return undefined;
  }
  const aborting = save(rotation, { ...journal, aborting: true });
  await findSigner(rotation, journal);
  if (
    !(await isDone(signer.call((aws) => aws.updateAccessKey(userName, journal.old.accessKeyId, 'Active'))))
  ) {
    return save(rotation, { ...aborting, aborting: false });
  }
  await settle(rotation, journal.old);
  say(rotation, `activated: the old key ${shortId(journal.old.accessKeyId)}`);
  signer.useKey(journal.old);
  const newId = journal.newId ?? '';
  const holders = await replaceInFiles(rotation, { accessKeyId: newId }, journal.old);
  if (holders.length > 0)
    say(rotation, `written: ${shortId(journal.old.accessKeyId)} into ${describeHolders(holders)}`);
  await deleteNewKey(rotation, aborting);
  say(rotation, `deleted: the new key ${shortId(newId)}`);
  finish(rotation, journal);
  return undefined;
};

/** Lets an abort be signed by whichever key works: the profile's own, one of the journal's, else a live session. */
const findSigner = async (rotation: Rotation, journal: Journal): Promise<void> => {
  const { signer, context } = rotation;
  const shared = readSharedFiles(context.env);
  const stored = findKeyPair(journal.newId ?? '', shared);
  const kept =
    journal.newId !== undefined && journal.newSecret !== undefined
      ? { accessKeyId: journal.newId, secretAccessKey: journal.newSecret }
      : undefined;
  const keys = [stored, kept, journal.old].filter((key) => key !== undefined);
  const limit = context.now() + settleLimit;
  for (let pause = firstPause; context.now() < limit; pause = Math.min(pause * 1.5, longestPause)) {
    for (const key of keys) {
      if (!(await knowsKey(() => signer.as(key).getCallerIdentity()))) continue;
      signer.useKey(key);
      return;
    }
    if (signer.useLiveSession()) return;
    await context.sleep(pause);
  }
};
