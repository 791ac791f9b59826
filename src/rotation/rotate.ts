import { accountOfArn, userNameOfArn } from '../aws/arns.ts';
import type { Context } from '../context.ts';
import { UserError, isUserError } from '../errors.ts';
import { ensureStateFolder, lockPathFor } from '../files/state-files.ts';
import { acquireLock } from '../files/lock.ts';
import { warningsOf } from '../profiles/profile.ts';
import type { AccessKey } from '../profiles/profile.ts';
import { storeError } from '../stores/errors.ts';
import { shellWord } from '../text.ts';
import { abort } from './abort.ts';
import { askToBegin, begin } from './beginning.ts';
import { describeRotation, describeStanding, formatAge, keeperOf, shortId } from './description.ts';
import { readJournal, removeJournalStrays } from './journal.ts';
import type { Journal, Phase } from './journal.ts';
import { findHolders, newKeyFiles } from './key-files.ts';
import type { Keys } from './key-holders.ts';
import { deleteLostKeys } from './lost-key.ts';
import { giveToProfile, writeNewKeyAgain } from './placement.ts';
import { finish, resumeHint, say } from './rotation.ts';
import type { RotateResult, Standing } from './outcome.ts';
import type { RotateOptions, Rotation } from './rotation.ts';
import { newSigner } from './signer.ts';
import { runSteps } from './steps.ts';
import {
  checkSameFiles,
  checkStore,
  findJournal,
  identify,
  keyOf,
  readSubject,
  rotationOf,
} from './subject.ts';
import type { Subject } from './subject.ts';

/**
 * Replaces the access key of a profile, in every profile of both files that holds it, so that a kill at any moment
 * leaves a working key in the files or in the journal. An unfinished rotation is finished instead, or undone with
 * `abort`. A rotation that had to wait for another one of the same user takes what that one did. Raises UserError.
 */
export const rotate = async (options: RotateOptions, context: Context): Promise<RotateResult> => {
  const start = await readSubject(options, context);
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
    const current = await readSubject(options, context);
    removeJournalStrays(state, arn);
    const journal = readJournal(state, arn);
    const isOvertaken = journal === undefined && (unfinished !== undefined || current.keyId !== start.keyId);
    if (isOvertaken) return overtaken(arn, current, unfinished, options.mode);
    return await rotateLocked(current, arn, journal, lock.stillOwn, options, context);
  } finally {
    lock.release();
  }
};

/** What another process did while this one waited. Raises UserError where that is not what was asked for. */
const overtaken = (
  arn: string,
  subject: Subject,
  unfinished: Journal | undefined,
  mode: RotateOptions['mode'],
): RotateResult => {
  const accessKeyId = subject.keyId ?? '';
  const isUndone = accessKeyId === unfinished?.old.accessKeyId;
  const result: RotateResult = {
    state: isUndone ? 'aborted' : 'already-rotated',
    account: accountOfArn(arn) ?? '',
    userName: userNameOfArn(arn) ?? '',
    accessKeyId,
    holders: findHolders(subject.shared, { accessKeyId }),
    other: undefined,
  };
  if (isUndone === (mode === 'abort')) return result;
  throw new UserError(
    isUndone
      ? `another process has undone the rotation: ${describeRotation(result)}`
      : `there is no way back: ${describeRotation(result)}`,
    isUndone ? { hint: `run again: aws-iam-login rotate ${shellWord(subject.profile.name)}` } : {},
  );
};

const rotateLocked = async (
  subject: Subject,
  arn: string,
  found: Journal | undefined,
  stillOwn: () => boolean,
  options: RotateOptions,
  context: Context,
): Promise<RotateResult> => {
  const { profile, key, shared } = subject;
  const store = newKeyFiles(options, context);
  const journal = found && (await withSecrets(found, store));
  const rotation: Rotation = {
    profile,
    userName: userNameOfArn(arn) ?? '',
    state: shared.files.state,
    signer: newSigner(profile, arn, key ?? signingKey(subject, journal, context.now()), options, context),
    store,
    standing: { journal, oldKey: journal === undefined ? 'active' : oldKeyIn[journal.phase] },
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
  context.atSignal?.(() => describeInterruption(rotation));
  try {
    return await (journal === undefined
      ? beginAnew(rotation, subject, arn, options)
      : resume(rotation, subject, journal, options));
  } catch (error) {
    throw withStanding(rotation, error);
  } finally {
    context.atSignal?.(undefined);
  }
};

/** The journal with the secrets that a key store keeps for it, as far as they are there. Raises UserError. */
const withSecrets = async (journal: Journal, store: Keys): Promise<Journal> => {
  const { keyStore, old, newId } = journal;
  if (keyStore === undefined) return journal;
  return {
    ...journal,
    old: (await store.findPair(old.accessKeyId, keyStore)) ?? old,
    newSecret: newId === undefined ? undefined : (await store.findPair(newId, keyStore))?.secretAccessKey,
  };
};

/** A key of the journal where the profile has none any more. Raises UserError. */
const signingKey = (subject: Subject, journal: Journal | undefined, now: number): AccessKey => {
  if (journal === undefined) return keyOf(subject);
  const { old, newId: accessKeyId = '', newSecret: secretAccessKey } = journal;
  if (old.secretAccessKey !== '') return old;
  if (secretAccessKey !== undefined) return { accessKeyId, secretAccessKey };
  throw storeError(
    `${keeperOf(journal)} has none of the two keys of the rotation that began ${formatAge(now - journal.startedAt)}`,
    `look for ${shortId(old.accessKeyId)} and ${shortId(accessKeyId)}; a lost key can be replaced in the IAM console`,
  );
};

/** What a journal tells of the old key: AWS is asked before the next phase is noted. */
const oldKeyIn: Readonly<Record<Phase, Standing['oldKey']>> = {
  creating: 'active',
  created: 'active',
  stored: 'unknown',
  deactivated: 'inactive',
  deleting: 'unknown',
};

const describeInterruption = (rotation: Rotation): string[] => {
  const sentence = describeStanding(rotation.standing);
  return sentence === '' ? [] : [`the rotation was interrupted: ${sentence}; ${resumeHint(rotation)}`];
};

/** An error in the midst of a rotation, with what stands now and the two ways on, unless it names them already. */
const withStanding = (rotation: Rotation, error: unknown): unknown => {
  const { standing } = rotation;
  if (!isUserError(error) || standing.journal === undefined || standing.journal.phase === 'creating')
    return error;
  if (/ --(resume|abort|status)\b/.test(error.hint ?? '')) return error;
  const hints = [resumeHint(rotation), ...(error.hint === undefined ? [] : [error.hint])];
  return new UserError(`${error.message}; ${describeStanding(standing)}`, {
    hint: hints.join('; '),
    exitCode: error.exitCode,
    failureCode: error.failureCode,
    cause: error.cause,
  });
};

const beginAnew = async (
  rotation: Rotation,
  subject: Subject,
  arn: string,
  options: RotateOptions,
): Promise<RotateResult> => {
  const { profile, shared } = subject;
  if (options.mode !== 'rotate') {
    throw new UserError(
      `no rotation of profile ${shellWord(profile.name)} is unfinished: there is nothing to ${options.mode}`,
      { hint: `aws-iam-login rotate ${shellWord(profile.name)} begins one` },
    );
  }
  await checkStore(subject, rotation.store);
  for (const warning of warningsOf(profile.name, shared)) say(rotation, warning);
  await askToBegin(rotation, subject, options);
  return conclude(rotation, await begin(rotation, subject, arn, options));
};

/** Goes on with what another process has left, forwards or back. */
const resume = async (
  rotation: Rotation,
  subject: Subject,
  found: Journal,
  options: RotateOptions,
): Promise<RotateResult> => {
  checkSameFiles(found, subject.shared);
  const journal = { ...found, keepOld: found.keepOld || options.keepOld };
  const isUndone = options.mode === 'abort' || journal.aborting;
  const age = formatAge(rotation.context.now() - journal.startedAt);
  say(
    rotation,
    `${isUndone ? 'undoing' : 'going on with'} the rotation of user ${rotation.userName} that began ${age}`,
  );
  if (isUndone) {
    const forward = await abort(rotation, journal);
    if (forward === undefined) return resultOf(rotation, 'aborted', journal);
    const result = await goOn(rotation, forward);
    throw new UserError(
      `there is no way back: the old key ${shortId(journal.old.accessKeyId)} is deleted; ${describeRotation(result)}`,
    );
  }
  if (journal.phase !== 'creating') return goOn(rotation, journal);
  await deleteLostKeys(rotation, journal);
  await giveToProfile(rotation, journal, journal.old);
  finish(rotation, journal);
  const { input } = options;
  const current = await readSubject({ profile: subject.profile.name, input }, rotation.context);
  await checkStore(current, rotation.store);
  return conclude(rotation, await begin(rotation, current, journal.arn, options));
};

const goOn = async (rotation: Rotation, journal: Journal): Promise<RotateResult> =>
  conclude(rotation, journal.phase === 'created' ? journal : await writeNewKeyAgain(rotation, journal));

const conclude = async (rotation: Rotation, journal: Journal): Promise<RotateResult> => {
  const last = await runSteps(rotation, journal);
  return resultOf(rotation, 'rotated', last);
};

const resultOf = (
  { store, userName }: Rotation,
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
    holders: store.find({ accessKeyId }),
    other: otherId === undefined ? undefined : { accessKeyId: otherId, status },
  };
};
