import type { KeyMetadata } from '../aws/client.ts';
import { UserError } from '../errors.ts';
import type { AccessKey } from '../profiles/profile.ts';
import { describeHolders, formatAge, shortId } from './description.ts';
import type { Journal } from './journal.ts';
import { findKeyHolders } from './key-holders.ts';
import { deleteOther } from './other-key.ts';
import type { RotateOptions } from './rotation.ts';
import { confirm, save, say } from './rotation.ts';
import type { Rotation } from './rotation.ts';
import { firstPause, longestPause, settleLimit } from './signer.ts';
import type { Subject } from './subject.ts';

/** Looks at the user's keys, and notes what a new one needs. Raises UserError where there are two. */
export const begin = async (
  rotation: Rotation,
  { profile, key, shared }: Subject,
  arn: string,
  options: RotateOptions,
): Promise<Journal> => {
  const { context, userName, deleted } = rotation;
  const keys = await listKeys(rotation, key);
  const others = keys.filter(
    ({ accessKeyId }) => accessKeyId !== key.accessKeyId && !deleted.has(accessKeyId),
  );
  for (const other of others) await deleteOther(rotation, other, keys, options);
  const own = keys.find(({ accessKeyId }) => accessKeyId === key.accessKeyId);
  const age =
    own?.createDate === undefined ? '' : `, made ${formatAge(context.now() - own.createDate.getTime())}`;
  const where = describeHolders(findKeyHolders(key, shared));
  say(
    rotation,
    `1/6 list: user ${userName} has one access key, ${shortId(key.accessKeyId)}${age}, in ${where}`,
  );
  return save(rotation, {
    phase: 'creating',
    aborting: false,
    arn,
    profileName: profile.name,
    credentials: shared.files.credentials,
    config: shared.files.config,
    startedAt: context.now(),
    sentAt: context.now(),
    keepOld: options.keepOld,
    existing: keys.map(({ accessKeyId }) => accessKeyId),
    old: key,
    newId: undefined,
    newSecret: undefined,
    written: [],
  });
};

export const askToBegin = async (
  rotation: Rotation,
  { key, shared }: Subject,
  options: RotateOptions,
): Promise<void> => {
  if (options.isNamed) return;
  const where = describeHolders(findKeyHolders(key, shared));
  const question = `Replace the access key ${shortId(key.accessKeyId)} of user ${rotation.userName} in ${where}?`;
  await confirm(rotation, question, 'rotate a key without naming the profile');
};

// A list may be some seconds behind the key that has just signed.
const listKeys = async (rotation: Rotation, own: AccessKey): Promise<KeyMetadata[]> => {
  const { signer, userName, context } = rotation;
  const limit = context.now() + settleLimit;
  for (let pause = firstPause; ; pause = Math.min(pause * 1.5, longestPause)) {
    const keys = await signer.call((aws) => aws.listAccessKeys(userName));
    if (keys.some(({ accessKeyId }) => accessKeyId === own.accessKeyId)) return keys;
    if (context.now() >= limit) {
      throw new UserError(
        `AWS does not list ${shortId(own.accessKeyId)} among the access keys of user ${userName}`,
        {
          hint: 'look at the keys of the user in the IAM console',
        },
      );
    }
    await context.sleep(pause);
  }
};
