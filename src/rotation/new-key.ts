import { mayHaveActed } from '../aws/errors.ts';
import type { Aws } from '../aws/client.ts';
import { UserError, isUserError } from '../errors.ts';
import type { AccessKey } from '../profiles/profile.ts';
import { shellWord } from '../text.ts';
import { shortId } from './description.ts';
import type { Journal } from './journal.ts';
import { deleteKey, finish, save, say } from './rotation.ts';
import type { Rotation } from './rotation.ts';
import { firstPause, settleLimit } from './signer.ts';

/** The step that asks for a new key, once, and notes it. Raises UserError. */
export async function create(rotation: Rotation, begun: Journal): Promise<Journal> {
  const { signer, userName, context } = rotation;
  let journal = begun;
  let mayExist = false;
  const send = async (aws: Aws): Promise<AccessKey> => {
    const window = { from: signer.awsNow() - clockSlack, until: signer.awsNow() + sendingLimit + clockSlack };
    journal = save(rotation, { ...begun, sentAt: context.now(), window });
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
    if (mayExist) closeWindow(rotation, journal);
    else finish(rotation, journal);
    throw mayExist && isUserError(error) ? lostAnswer(rotation, error) : error;
  }
  const created = {
    ...journal,
    phase: 'created',
    newId: key.accessKeyId,
    newSecret: key.secretAccessKey,
  } as const;
  try {
    if (created.keyStore !== undefined) await rotation.store.keep(key, created.keyStore);
    save(rotation, created);
  } catch (error) {
    await takeBack(rotation, created);
    throw error;
  }
  say(rotation, `2/6 create: ${shortId(key.accessKeyId)}`);
  return created;
}

/** How long a request may be on its way, and how far the clocks of two of AWS's servers may differ, in milliseconds. */
export const sendingLimit = 30_000;
export const clockSlack = 5000;

// Nothing that was sent comes to AWS after its connection has ended. A window that stays wider does no harm.
const closeWindow = (rotation: Rotation, { window, ...journal }: Journal): void => {
  if (window === undefined) return;
  const until = Math.min(window.until, rotation.signer.awsNow() + clockSlack);
  try {
    save(rotation, { ...journal, window: { ...window, until } });
  } catch {
    // the error that ends the rotation is told already
  }
};

/** The new pair: the journal's, or the one in the files for a journal of version 1.0.0. Raises UserError. */
export const newKeyOf = async (rotation: Rotation, journal: Journal): Promise<AccessKey> => {
  const { newId = '', newSecret } = journal;
  if (newSecret !== undefined) return { accessKeyId: newId, secretAccessKey: newSecret };
  const pair = await rotation.store.findPair(newId, journal.keyStore);
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
    await rotation.store.forget(journal.newId ?? '', journal.keyStore);
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
