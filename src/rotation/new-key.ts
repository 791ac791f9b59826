import { mayHaveActed } from '../aws/client.ts';
import type { Aws } from '../aws/client.ts';
import { UserError, isUserError } from '../errors.ts';
import { readSharedFiles } from '../profiles/profile.ts';
import type { AccessKey } from '../profiles/profile.ts';
import { shellWord } from '../text.ts';
import { shortId } from './description.ts';
import type { Journal } from './journal.ts';
import { findKeyPair } from './key-holders.ts';
import { deleteKey, finish, save, say } from './rotation.ts';
import type { Rotation } from './rotation.ts';
import { firstPause, settleLimit } from './signer.ts';

export async function create(rotation: Rotation, journal: Journal): Promise<Journal> {
  const { signer, userName } = rotation;
  let mayExist = false;
  const send = async (aws: Aws): Promise<AccessKey> => {
    mayExist = true;
    try {
      return await aws.createAccessKey(userName);
    } catch (error) {
      mayExist = !isUserError(error) || mayHaveActed(error);
      throw error;
    }
  };
  let key: AccessKey;
  try {
    key = await patiently(rotation, () => signer.call(send));
  } catch (error) {
    if (!mayExist) finish(rotation, journal);
    throw mayExist && isUserError(error) ? lostAnswer(rotation, error) : error;
  }
  const created = {
    ...journal,
    phase: 'created',
    newId: key.accessKeyId,
    newSecret: key.secretAccessKey,
  } as const;
  try {
    save(rotation, created);
  } catch (error) {
    await takeBack(rotation, created);
    throw error;
  }
  say(rotation, `2/6 create: ${shortId(key.accessKeyId)}`);
  return created;
}

// The journal's own pair, or the one in the files once it is only there.
export const newKeyOf = (rotation: Rotation, journal: Journal): AccessKey => {
  const { newId = '', newSecret } = journal;
  if (newSecret !== undefined) return { accessKeyId: newId, secretAccessKey: newSecret };
  const pair = findKeyPair(newId, readSharedFiles(rotation.context.env));
  if (pair !== undefined) return pair;
  throw new UserError(`the new access key ${shortId(newId)} is in no profile any more`, {
    hint: `to go back to the old key: aws-iam-login rotate ${shellWord(rotation.profile.name)} --abort`,
  });
};

/** Refusals that pass by themselves; what AWS refused, it has not done. */
const patiently = async <Result>(rotation: Rotation, work: () => Promise<Result>): Promise<Result> => {
  const passing = new Set(['Throttling', 'ThrottlingException', 'RequestLimitExceeded']);
  // the quota counts a key that was just deleted for some seconds more
  if (rotation.deleted.size > 0) passing.add('LimitExceeded');
  for (let pause = 500; ; pause *= 2) {
    try {
      return await work();
    } catch (error) {
      if (!isUserError(error) || !passing.has(error.failureCode ?? '') || pause > 8000) throw error;
      await rotation.context.sleep(pause);
    }
  }
};

const lostAnswer = ({ profile }: Rotation, error: UserError): UserError =>
  new UserError(
    `${error.message}; whether a new access key was made is not known, the old one works as before`,
    {
      hint: `to find out and go on: aws-iam-login rotate ${shellWord(profile.name)}`,
      failureCode: error.failureCode,
      cause: error,
    },
  );

/** Deletes a new key whose secret could not be stored. What fails here is left to the next run. */
const takeBack = async (rotation: Rotation, journal: Journal): Promise<void> => {
  const id = shortId(journal.newId ?? '');
  try {
    await deleteNewKey(rotation, journal);
  } catch {
    say(rotation, `the new access key ${id} could be neither stored nor deleted: the next rotate deletes it`);
    return;
  }
  say(rotation, `the new access key ${id} could not be stored and is deleted again`);
  try {
    finish(rotation, journal);
  } catch {
    // the next run finds no lost key
  }
};

// For some seconds IAM may not find what it has just made: "no such key" counts only after a minute.
export const deleteNewKey = async (rotation: Rotation, journal: Journal): Promise<void> => {
  const { context } = rotation;
  const limit = Math.min(journal.sentAt, context.now()) + settleLimit;
  for (let pause = firstPause; !(await deleteKey(rotation, journal.newId ?? '')); pause *= 1.5) {
    const left = limit - context.now();
    if (left <= 0) return;
    await context.sleep(Math.min(pause, 3000, left));
  }
};
