import type { KeyMetadata } from '../aws/client.ts';
import { readSharedFiles } from '../profiles/profile.ts';
import { formatAge, shortId } from './description.ts';
import type { Journal } from './journal.ts';
import { findKeyHolders } from './key-holders.ts';
import { confirm, deleteKey, say } from './rotation.ts';
import type { Rotation } from './rotation.ts';
import { settleLimit } from './signer.ts';

/**
 * Deletes, after a question, a key that an interrupted rotation made without learning its secret: one that the user
 * has and did not have before. Waits for it until a minute after it was asked for. Raises UserError where it may not.
 */
export const deleteLostKeys = async (rotation: Rotation, journal: Journal): Promise<void> => {
  const { userName, context } = rotation;
  const shared = readSharedFiles(context.env);
  for (const key of await findLostKeys(rotation, journal)) {
    // somebody has its secret: it is a second key like any other
    if (findKeyHolders({ accessKeyId: key.accessKeyId }, shared).length > 0) continue;
    const id = shortId(key.accessKeyId);
    say(
      rotation,
      `user ${userName} has an access key ${id} since ${formatAge(context.now() - (key.createDate?.getTime() ?? journal.sentAt))}: the interrupted rotation made it, and its secret is lost`,
    );
    await confirm(rotation, `Delete the access key ${id}, whose secret nobody has?`, `delete ${id}`);
    await deleteKey(rotation, key.accessKeyId);
    say(rotation, `deleted: ${id}`);
  }
};

const findLostKeys = async (rotation: Rotation, journal: Journal): Promise<KeyMetadata[]> => {
  const { signer, userName, context, options } = rotation;
  const limit = Math.min(journal.sentAt, context.now()) + settleLimit;
  const known = new Set(journal.existing);
  try {
    for (let pause = 500; ; pause = Math.min(pause * 1.5, 3000)) {
      const keys = await signer.call((aws) => aws.listAccessKeys(userName));
      const lost = keys.filter(({ accessKeyId }) => !known.has(accessKeyId));
      const left = limit - context.now();
      if (lost.length > 0 || left <= 0) return lost;
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
