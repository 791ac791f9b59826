import type { KeyMetadata, LastUsed } from '../aws/answers.ts';
import type { Aws } from '../aws/client.ts';
import { mayHaveActed } from '../aws/errors.ts';
import type { Context } from '../context.ts';
import { UserError, isUserError } from '../errors.ts';
import { editFile } from '../files/edit.ts';
import { removeJournal, writeJournal } from './journal.ts';
import type { Journal, Phase } from './journal.ts';
import { findKeyHolders, findKeyPair, replaceKey } from './key-holders.ts';
import type { KeyHolder, WantedKey } from './key-holders.ts';
import { readSharedFiles } from '../profiles/profile.ts';
import type { AccessKey, Profile } from '../profiles/profile.ts';
import { askYesNo, declined } from '../terminal/prompt.ts';
import { askOrFail } from '../terminal/question.ts';
import { firstPause, longestPause, settleLimit } from './signer.ts';
import type { Signer } from './signer.ts';
import { shellWord } from '../text.ts';

/** What all steps of one rotation share. */
export type Rotation = {
  readonly profile: Profile;
  readonly userName: string;
  /** The state folder. */
  readonly state: string;
  readonly signer: Signer;
  /** Ids of keys that this process has seen to work, and of those that it has deleted. */
  readonly settled: Set<string>;
  readonly deleted: Set<string>;
  /** Raises UserError when another process has taken over. */
  readonly checkOwn: () => void;
  readonly options: RotationOptions;
  readonly context: Context;
};

export type RotationOptions = {
  /** Asks nothing. */
  readonly yes: boolean;
  readonly input: boolean;
  /** Shows a text about a wait, in place of the last one; `''` ends it. */
  readonly progress: (text: string) => void;
};

type Step = (rotation: Rotation, journal: Journal) => Promise<Journal | undefined>;

/**
 * What is to be done next in each phase. Every step may be repeated from its start by another process, and has noted
 * in the journal what it did before the next one relies on it. The last one leaves no journal.
 */
const steps: Readonly<Record<Phase, readonly Step[]>> = {
  // The ids that existed are noted, so that a key whose answer is lost is known as such.
  creating: [create],
  // The new pair is noted: whatever happens now, its secret is on the disk. The old key works and is in the files.
  created: [awaitNewKey, store],
  // Every file holds the new pair, and both keys work.
  stored: [deactivate],
  // Only the new key works, and it has been seen to. The old one could still be activated again.
  deactivated: [showLastUse],
  // The old key may be gone: there is no way back.
  deleting: [remove],
};

/** Goes on from the journal's phase to the end; returns it as it was before the last step. Raises UserError. */
export const runSteps = async (rotation: Rotation, journal: Journal): Promise<Journal> => {
  let now = journal;
  for (;;) {
    for (const step of steps[now.phase]) {
      rotation.checkOwn();
      const next = await step(rotation, now);
      if (next === undefined) return now;
      now = next;
    }
  }
};

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

/** Deletes a key. Returns whether AWS knew it. Raises UserError. */
export const deleteKey = async (rotation: Rotation, accessKeyId: string): Promise<boolean> => {
  rotation.checkOwn();
  const { signer, userName, deleted } = rotation;
  const isThere = await isDone(signer.call((aws) => aws.deleteAccessKey(userName, accessKeyId)));
  deleted.add(accessKeyId);
  return isThere;
};

/** Asks for a yes unless `--yes` was given. Raises UserError where nobody can be asked, and for a no. */
export const confirm = async (rotation: Rotation, question: string, action: string): Promise<void> => {
  const { options, state, context } = rotation;
  if (options.yes) return;
  const asked = {
    need: `to ${action} needs a confirmation`,
    hint: 'give --yes',
    input: options.input,
    state,
  };
  if (!(await askOrFail(asked, context, () => askYesNo(question)))) throw declined();
};

/** Ends the rotation: removes the journal. Raises UserError. */
export const finish = (rotation: Rotation, journal: Journal): void => {
  rotation.checkOwn();
  removeJournal(rotation.state, journal.arn);
};

/** Writes the journal and returns it. Raises UserError. */
export const save = (rotation: Rotation, journal: Journal): Journal => {
  rotation.checkOwn();
  writeJournal(rotation.state, journal);
  return journal;
};

/** One line about what was done. */
export const say = ({ context }: Rotation, line: string): void => context.log(`aws-iam-login: ${line}`);

/** A key id as it is shown: its last four characters. */
export const shortId = (accessKeyId: string): string => `…${accessKeyId.slice(-4)}`;

/** Profiles and where they are: `[default] and [work] of ~/.aws/credentials`. */
export const describeHolders = (holders: readonly KeyHolder[]): string =>
  [...new Set(holders.map(({ path }) => path))]
    .map((path) => {
      const names = holders
        .filter((holder) => holder.path === path)
        .map((holder) => `[${shellWord(holder.profileName)}]`);
      return `${names.join(', ')} of ${path}`;
    })
    .join(' and ');

/** How long ago, for people: `3 minutes ago`; in milliseconds. */
export const formatAge = (milliseconds: number): string => {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return 'just now';
  const [count, unit] =
    minutes < 120
      ? [minutes, 'minute']
      : minutes < 48 * 60
        ? [Math.floor(minutes / 60), 'hour']
        : [Math.floor(minutes / (24 * 60)), 'day'];
  return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
};

/** When and where a key was last used, as AWS tells it hours later; a sentence also when it does not tell. */
export const lastUseOf = async (rotation: Rotation, accessKeyId: string): Promise<string> => {
  // it is a courtesy: what denies it asks for no code
  const last = await rotation.signer
    .present()
    .getAccessKeyLastUsed(accessKeyId)
    .catch((error: unknown) => {
      if (isUserError(error)) return undefined;
      throw error;
    });
  return describeLastUse(last, rotation.context.now());
};

const describeLastUse = (last: LastUsed | undefined, now: number): string => {
  if (last === undefined) return 'last use unknown';
  if (last.date === undefined) return 'never used';
  return `last used ${formatAge(now - last.date.getTime())} (${last.serviceName}, ${last.region})`;
};

async function create(rotation: Rotation, journal: Journal): Promise<Journal> {
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

async function awaitNewKey(rotation: Rotation, journal: Journal): Promise<Journal> {
  const key = newKeyOf(rotation, journal);
  const start = rotation.context.now();
  await settle(rotation, key);
  const seconds = Math.round((rotation.context.now() - start) / 1000);
  say(rotation, `3/6 wait: AWS knows ${shortId(key.accessKeyId)}, after ${seconds} s`);
  return journal;
}

async function store(rotation: Rotation, journal: Journal): Promise<Journal> {
  const key = newKeyOf(rotation, journal);
  rotation.signer.useKey(key);
  let written = journal;
  await replaceInFiles(rotation, journal.old, key, (path) => {
    written = save(rotation, { ...written, written: [...new Set([...written.written, path])] });
  });
  const holders = findKeyHolders(key, readSharedFiles(rotation.context.env));
  if (holders.length === 0) {
    throw new UserError(
      `no profile holds the access key ${shortId(journal.old.accessKeyId)} any more: the new one ${shortId(key.accessKeyId)} has no place`,
      { hint: `to delete the new key: aws-iam-login rotate ${shellWord(rotation.profile.name)} --abort` },
    );
  }
  say(rotation, `4/6 write: ${shortId(key.accessKeyId)} into ${describeHolders(holders)}`);
  return save(rotation, { ...written, phase: 'stored', newSecret: undefined });
}

async function deactivate(rotation: Rotation, journal: Journal): Promise<Journal> {
  const { signer, userName, settled } = rotation;
  const key = newKeyOf(rotation, journal);
  signer.useKey(key);
  if (!settled.has(key.accessKeyId)) await settle(rotation, key);
  rotation.checkOwn();
  const oldId = journal.old.accessKeyId;
  const isThere = await isDone(signer.call((aws) => aws.updateAccessKey(userName, oldId, 'Inactive')));
  try {
    await settle(rotation, key);
  } catch (error) {
    if (isThere) await reactivate(rotation, journal, key, error);
    throw error;
  }
  say(rotation, `5/6 deactivate: ${shortId(oldId)}; ${shortId(key.accessKeyId)} works without it`);
  return save(rotation, { ...journal, phase: 'deactivated' });
}

async function showLastUse(rotation: Rotation, journal: Journal): Promise<Journal | undefined> {
  const oldId = journal.old.accessKeyId;
  const lastUse = await lastUseOf(rotation, oldId);
  if (journal.keepOld) {
    say(rotation, `6/6 keep: ${shortId(oldId)}, inactive, ${lastUse}`);
    finish(rotation, journal);
    return undefined;
  }
  say(rotation, `6/6 delete: ${shortId(oldId)}, ${lastUse}`);
  return save(rotation, { ...journal, phase: 'deleting' });
}

async function remove(rotation: Rotation, journal: Journal): Promise<undefined> {
  await deleteKey(rotation, journal.old.accessKeyId);
  finish(rotation, journal);
}

// The journal's own pair, or the one in the files once it is only there.
const newKeyOf = (rotation: Rotation, journal: Journal): AccessKey => {
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
const deleteNewKey = async (rotation: Rotation, journal: Journal): Promise<void> => {
  const { context } = rotation;
  const limit = Math.min(journal.sentAt, context.now()) + settleLimit;
  for (let pause = firstPause; !(await deleteKey(rotation, journal.newId ?? '')); pause *= 1.5) {
    const left = limit - context.now();
    if (left <= 0) return;
    await context.sleep(Math.min(pause, 3000, left));
  }
};

/** Replaces a key in all profiles of both files. Returns who got the new one. Raises UserError. */
const replaceInFiles = async (
  rotation: Rotation,
  from: WantedKey,
  to: AccessKey,
  onWritten: (path: string) => void = () => {},
): Promise<KeyHolder[]> => {
  const holders = findKeyHolders(from, readSharedFiles(rotation.context.env));
  for (const kind of ['credentials', 'config'] as const) {
    const path = holders.find((holder) => holder.kind === kind)?.path;
    if (path === undefined) continue;
    const edit = (bytes: Buffer): Buffer => {
      rotation.checkOwn();
      return replaceKey(bytes, kind, from, to);
    };
    await editFile(path, edit, { state: rotation.state });
    onWritten(path);
  }
  return holders;
};

/**
 * Waits until a key answers three times in a row and IAM knows it, for a minute at most: AWS's servers learn about
 * changes one after the other, so one answer proves nothing. Raises UserError.
 */
const settle = async (rotation: Rotation, key: AccessKey): Promise<void> => {
  const { signer, userName, context, settled, options } = rotation;
  const aws = signer.as(key);
  const start = context.now();
  let inARow = 0;
  let isKnownToIam = false;
  try {
    for (let pause = firstPause; ; pause = Math.min(pause * 1.5, longestPause)) {
      const answers: readonly boolean[] = await Promise.all([
        knowsKey(() => aws.getCallerIdentity()),
        isKnownToIam || knowsKey(() => aws.listAccessKeys(userName)),
      ]);
      isKnownToIam = answers[1] === true;
      inARow = answers[0] === true ? inARow + 1 : 0;
      if (inARow >= 3 && isKnownToIam) break;
      const waited = context.now() - start;
      if (waited >= settleLimit) {
        throw new UserError(`AWS does not accept the access key ${shortId(key.accessKeyId)} after a minute`, {
          hint: resumeHint(rotation),
        });
      }
      const seconds = Math.floor(waited / 1000);
      if (seconds > 0) {
        options.progress(`waiting until AWS knows ${shortId(key.accessKeyId)} everywhere: ${seconds} s`);
      }
      await context.sleep(inARow > 0 && isKnownToIam ? firstPause : pause);
    }
  } finally {
    options.progress('');
  }
  settled.add(key.accessKeyId);
};

// AccessDenied proves that AWS knows the key; only the one answer of a key that it does not know is waited out.
const knowsKey = async (ask: () => Promise<unknown>): Promise<boolean> => {
  try {
    await ask();
    return true;
  } catch (error) {
    if (!isUserError(error)) throw error;
    if (error.failureCode === 'AccessDenied') return true;
    if (error.failureCode === 'InvalidClientTokenId') return false;
    throw error;
  }
};

const resumeHint = ({ profile }: Rotation): string => {
  const command = `aws-iam-login rotate ${shellWord(profile.name)}`;
  return `${command} --resume goes on, ${command} --abort goes back`;
};

/** Activates the old key again after the new one has failed without it. Always raises UserError. */
const reactivate = async (
  rotation: Rotation,
  journal: Journal,
  key: AccessKey,
  reason: unknown,
): Promise<never> => {
  const { signer, userName, context } = rotation;
  const oldId = journal.old.accessKeyId;
  const failed = `the new access key ${shortId(key.accessKeyId)} failed once ${shortId(oldId)} was inactive`;
  const limit = context.now() + settleLimit / 2;
  for (let pause = 250; ; pause = Math.min(pause * 2, 4000)) {
    for (const aws of [signer.asLiveSession(), signer.as(key), signer.as(journal.old)]) {
      const isActive = await aws?.updateAccessKey(userName, oldId, 'Active').then(
        () => true,
        () => false,
      );
      if (isActive === true) {
        throw new UserError(`${failed}, so ${shortId(oldId)} is active again`, {
          hint: resumeHint(rotation),
          cause: reason,
        });
      }
    }
    if (context.now() >= limit) {
      throw new UserError(`${failed}, and AWS could not be told to activate it again`, {
        hint: `try again soon: ${resumeHint(rotation)}; or activate ${shortId(oldId)} in the IAM console`,
        cause: reason,
      });
    }
    await context.sleep(pause);
  }
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

/** Whether the key that a call was about is there. */
const isDone = async (call: Promise<void>): Promise<boolean> => {
  try {
    await call;
    return true;
  } catch (error) {
    if (isUserError(error) && error.failureCode === 'NoSuchEntity') return false;
    throw error;
  }
};
