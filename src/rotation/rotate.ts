import { accountOfArn, userNameOfArn } from '../aws/endpoints.ts';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { ensureStateFolder, lockPathFor } from '../files/edit.ts';
import { acquireLock } from '../files/lock.ts';
import { readSharedFiles, warningsOf } from '../profiles/profile.ts';
import { shellWord } from '../text.ts';
import { abort } from './abort.ts';
import { askToBegin, begin } from './beginning.ts';
import { describeRotation, formatAge, shortId } from './description.ts';
import { readJournal, removeJournalStrays } from './journal.ts';
import type { Journal } from './journal.ts';
import { findKeyHolders } from './key-holders.ts';
import { deleteLostKeys } from './lost-key.ts';
import { finish, say } from './rotation.ts';
import type { RotateOptions, RotateResult, Rotation } from './rotation.ts';
import { newSigner } from './signer.ts';
import { runSteps } from './steps.ts';
import { checkFiles, checkSameFiles, findJournal, identify, readProfile, rotationOf } from './subject.ts';
import type { Subject } from './subject.ts';

/**
 * Replaces the access key of a profile, in every profile of both files that holds it, so that a kill at any moment
 * leaves a working key in the files or in the journal. An unfinished rotation is finished instead, or undone with
 * `abort`. A rotation that had to wait for another one of the same user takes what that one did. Raises UserError.
 */
export const rotate = async (options: RotateOptions, context: Context): Promise<RotateResult> => {
  const start = readProfile(options, context);
  const unfinished = findJournal(start);
  const arn = unfinished?.arn ?? (await identify(start, options, context));
  const { state } = start.shared.files;
  ensureStateFolder(state);
  const lock = await acquireLock(lockPathFor(state, rotationOf(arn)), {
    onWait: ({ pid }) =>
      context.log(
        `aws-iam-login: process ${pid} is rotating a key of user ${userNameOfArn(arn)}: waiting for it`,
      ),
  });
  try {
    const current = readProfile(options, context);
    removeJournalStrays(state, arn);
    const journal = readJournal(state, arn);
    const isOvertaken =
      journal === undefined &&
      (unfinished !== undefined || current.key.accessKeyId !== start.key.accessKeyId);
    if (isOvertaken) return overtaken(arn, current, unfinished, options.mode);
    return await rotateLocked(current, arn, journal, lock.stillOwn, options, context);
  } finally {
    lock.release();
  }
};

/** What another process did while this one waited. Raises UserError where that is not what was asked for. */
const overtaken = (
  arn: string,
  { key, shared, profile }: Subject,
  unfinished: Journal | undefined,
  mode: RotateOptions['mode'],
): RotateResult => {
  const isUndone = key.accessKeyId === unfinished?.old.accessKeyId;
  const result: RotateResult = {
    state: isUndone ? 'aborted' : 'already-rotated',
    account: accountOfArn(arn) ?? '',
    userName: userNameOfArn(arn) ?? '',
    accessKeyId: key.accessKeyId,
    holders: findKeyHolders(key, shared),
    other: undefined,
  };
  if (isUndone === (mode === 'abort')) return result;
  throw new UserError(
    isUndone
      ? `another process has undone the rotation: ${describeRotation(result)}`
      : `there is no way back: ${describeRotation(result)}`,
    isUndone ? { hint: `run again: aws-iam-login rotate ${shellWord(profile.name)}` } : {},
  );
};

const rotateLocked = async (
  subject: Subject,
  arn: string,
  journal: Journal | undefined,
  stillOwn: () => boolean,
  options: RotateOptions,
  context: Context,
): Promise<RotateResult> => {
  const { profile, key, shared } = subject;
  const rotation: Rotation = {
    profile,
    userName: userNameOfArn(arn) ?? '',
    state: shared.files.state,
    signer: newSigner(profile, arn, key, options, context),
    settled: new Set(),
    deleted: new Set(),
    checkOwn: () => {
      if (stillOwn()) return;
      throw new UserError('this process was stopped for too long, and another one has taken over', {
        hint: `run: aws-iam-login rotate ${shellWord(profile.name)} --status`,
      });
    },
    options,
    context,
  };
  if (journal !== undefined) {
    checkSameFiles(journal, shared);
    const keepOld = journal.keepOld || options.keepOld;
    return resume(rotation, subject, { ...journal, keepOld }, options);
  }
  if (options.mode !== 'rotate') {
    throw new UserError(
      `no rotation of profile ${shellWord(profile.name)} is unfinished: there is nothing to ${options.mode}`,
      {
        hint: `aws-iam-login rotate ${shellWord(profile.name)} begins one`,
      },
    );
  }
  checkFiles(subject);
  for (const warning of warningsOf(profile.name, shared)) say(rotation, warning);
  await askToBegin(rotation, subject, options);
  return conclude(rotation, await begin(rotation, subject, arn, options));
};

/** Goes on with what another process has left, forwards or back. */
const resume = async (
  rotation: Rotation,
  subject: Subject,
  journal: Journal,
  options: RotateOptions,
): Promise<RotateResult> => {
  const isUndone = options.mode === 'abort' || journal.aborting;
  const age = formatAge(rotation.context.now() - journal.startedAt);
  say(
    rotation,
    `${isUndone ? 'undoing' : 'going on with'} the rotation of user ${rotation.userName} that began ${age}`,
  );
  if (isUndone) {
    const forward = await abort(rotation, journal);
    if (forward === undefined) return resultOf(rotation, 'aborted', journal);
    const result = await conclude(rotation, forward);
    throw new UserError(
      `there is no way back: the old key ${shortId(journal.old.accessKeyId)} is deleted; ${describeRotation(result)}`,
    );
  }
  if (journal.phase !== 'creating') return conclude(rotation, journal);
  await deleteLostKeys(rotation, journal);
  finish(rotation, journal);
  checkFiles(subject);
  return conclude(rotation, await begin(rotation, subject, journal.arn, options));
};

const conclude = async (rotation: Rotation, journal: Journal): Promise<RotateResult> => {
  const last = await runSteps(rotation, journal);
  return resultOf(rotation, 'rotated', last);
};

const resultOf = (
  { context, userName }: Rotation,
  state: 'rotated' | 'aborted',
  { arn, old, newId, keepOld, phase }: Journal,
): RotateResult => {
  const [accessKeyId, otherId] =
    state === 'rotated' ? [newId ?? '', old.accessKeyId] : [old.accessKeyId, newId];
  const status = state === 'rotated' && keepOld && phase === 'deactivated' ? 'inactive' : 'deleted';
  return {
    state,
    account: accountOfArn(arn) ?? '',
    userName,
    accessKeyId,
    holders: findKeyHolders({ accessKeyId }, readSharedFiles(context.env)),
    other: otherId === undefined ? undefined : { accessKeyId: otherId, status },
  };
};
