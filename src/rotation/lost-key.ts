import type { KeyMetadata } from '../aws/answers.ts';
import { isUserError } from '../errors.ts';
import { formatAge, shortId } from './description.ts';
import type { Journal, TimeWindow } from './journal.ts';
import { clockSlack, sendingLimit } from './new-key.ts';
import { confirm, deleteKey, say } from './rotation.ts';
import type { Rotation } from './rotation.ts';
import { settleLimit } from './signer.ts';

/**
 * Deletes, after a question, a key that an interrupted rotation made without learning its secret: see `isLost`. Waits
 * for it until a minute after it was asked for. Any other key is named and left. Raises UserError where it may not.
 */
export const deleteLostKeys = async (rotation: Rotation, journal: Journal): Promise<void> => {
  const { userName, store, signer } = rotation;
  for (const key of await findNewKeys(rotation, journal)) {
    // somebody has its secret: it is a second key like any other
    if (store.find({ accessKeyId: key.accessKeyId }).length > 0) continue;
    const id = shortId(key.accessKeyId);
    const since =
      key.createDate === undefined ? '' : ` since ${formatAge(signer.awsNow() - key.createDate.getTime())}`;
    if (!(await isLost(rotation, journal, key))) {
      say(
        rotation,
        `user ${userName} has another access key, ${id}${since}: somebody else may use it, so it is left alone`,
      );
      continue;
    }
    say(
      rotation,
      `user ${userName} has an access key ${id}${since}: the interrupted rotation made it, and its secret is lost`,
    );
    await confirm(rotation, `Delete the access key ${id}, whose secret nobody has?`, `delete ${id}`);
    await deleteKey(rotation, key.accessKeyId);
    await store.forget(key.accessKeyId, journal.keyStore);
    say(rotation, `deleted: ${id}`);
  }
};

// Made while CreateAccessKey was on its way, and never used, since nobody has its secret.
const isLost = async (rotation: Rotation, journal: Journal, key: KeyMetadata): Promise<boolean> => {
  const made = key.createDate?.getTime();
  if (made === undefined) return false;
  const { from, until } = journal.window ?? windowOfOldJournal(rotation, journal);
  return from <= made && made <= until && (await isUnused(rotation, key.accessKeyId));
};

// Version 1.0.0 noted only our own time: if our clock has not been set since, it is as far from AWS's as it is now.
const windowOfOldJournal = ({ signer, context }: Rotation, { sentAt }: Journal): TimeWindow => {
  const sent = sentAt + signer.awsNow() - context.now();
  return { from: sent - clockSlack, until: sent + sendingLimit + clockSlack };
};

const isUnused = async ({ signer }: Rotation, accessKeyId: string): Promise<boolean> => {
  try {
    return (await signer.present().getAccessKeyLastUsed(accessKeyId)).date === undefined;
  } catch (error) {
    // what is not told is not known; every other failure leaves the journal for another try
    if (isUserError(error) && ['AccessDenied', 'NoSuchEntity'].includes(error.failureCode ?? ''))
      return false;
    throw error;
  }
};

const findNewKeys = async (rotation: Rotation, journal: Journal): Promise<KeyMetadata[]> => {
  const { signer, userName, context, options } = rotation;
  const limit = Math.min(journal.sentAt, context.now()) + settleLimit;
  const known = new Set(journal.existing);
  try {
    for (let pause = 500; ; pause = Math.min(pause * 1.5, 3000)) {
      const keys = await signer.call((aws) => aws.listAccessKeys(userName));
      const added = keys.filter(({ accessKeyId }) => !known.has(accessKeyId));
      const left = limit - context.now();
      if (added.length > 0 || left <= 0) return added;
      if (pause === 500) {
        say(rotation, 'CreateAccessKey may have been sent: looking for a minute whether it made a key');
      }
      options.progress(`looking for a lost key: ${Math.ceil(left / 1000)} s left`);
      await context.sleep(Math.min(pause, left));
    }
  } finally {
    options.progress('');
  }
};
