import type { KeyMetadata } from '../aws/answers.ts';
import { UserError } from '../errors.ts';
import { keyHolderOf, keyPlaceOf } from '../profiles/profile.ts';
import type { AccessKey } from '../profiles/profile.ts';
import { shellWord } from '../text.ts';
import { describeHolders, formatAge, shortId } from './description.ts';
import type { Journal } from './journal.ts';
import { deleteOther } from './other-key.ts';
import { confirm, say } from './rotation.ts';
import type { RotateOptions, Rotation } from './rotation.ts';
import { firstPause, longestPause, settleLimit } from './signer.ts';
import { keyOf } from './subject.ts';
import type { Subject } from './subject.ts';

/** Looks at the user's keys. Returns the journal of a new one, not yet written. Raises UserError where there are two. */
export const begin = async (
  rotation: Rotation,
  subject: Subject,
  arn: string,
  options: RotateOptions,
): Promise<Journal> => {
  const { context, signer, store, userName, deleted } = rotation;
  const { profile, shared } = subject;
  const key = keyOf(subject);
  const keys = await listKeys(rotation, key);
  const others = keys.filter(
    ({ accessKeyId }) => accessKeyId !== key.accessKeyId && !deleted.has(accessKeyId),
  );
  for (const other of others) await deleteOther(rotation, other, keys, options);
  const own = keys.find(({ accessKeyId }) => accessKeyId === key.accessKeyId);
  const age =
    own?.createDate === undefined ? '' : `, made ${formatAge(signer.awsNow() - own.createDate.getTime())}`;
  const where = describeHolders(store.find(key));
  say(
    rotation,
    `1/6 list: user ${userName} has one access key, ${shortId(key.accessKeyId)}${age}, in ${where}`,
  );
  return {
    phase: 'creating',
    aborting: false,
    arn,
    profileName: keyHolderOf(profile),
    credentials: shared.files.credentials,
    config: shared.files.config,
    startedAt: context.now(),
    sentAt: context.now(),
    window: undefined,
    keepOld: options.keepOld,
    keyStore: keyPlaceOf(profile)?.store,
    existing: keys.map(({ accessKeyId }) => accessKeyId),
    old: key,
    newId: undefined,
    newSecret: undefined,
    written: [],
  };
};

/** Asks whether the key may be replaced, unless its profile was named, and not a role of it. Raises UserError for a no. */
export const askToBegin = async (
  rotation: Rotation,
  subject: Subject,
  options: RotateOptions,
): Promise<void> => {
  if (options.isNamed && !subject.isOfRole) return;
  const key = keyOf(subject);
  const where = describeHolders(rotation.store.find(key));
  const question = `Replace the access key ${shortId(key.accessKeyId)} of user ${rotation.userName} in ${where}?`;
  const name = shellWord(subject.profile.name);
  if (!subject.isOfRole) await confirm(rotation, question, 'rotate a key without naming the profile');
  else
    await confirm(
      rotation,
      question,
      `rotate the key of profile ${name}, whose role was named,`,
      `name the profile itself: aws-iam-login rotate ${name}`,
    );
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
