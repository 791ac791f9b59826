import type { KeyMetadata } from '../aws/answers.ts';
import type { Context } from '../context.ts';
import { accountOfArn, userNameOfArn } from '../aws/arns.ts';
import { UserError, isUserError } from '../errors.ts';
import { checkEditable } from '../files/edit.ts';
import { ensureStateFolder, lockPathFor } from '../files/state-files.ts';
import { findProblems } from '../ini/read.ts';
import { iamUserName } from '../profiles/iam-user.ts';
import { readJournal, readJournals, removeJournalStrays } from './journal.ts';
import type { Journal, Phase } from './journal.ts';
import { findKeyHolders, replaceKey } from './key-holders.ts';
import type { KeyHolder } from './key-holders.ts';
import { acquireLock, readLock } from '../files/lock.ts';
import {
  getProfile,
  longTermKeyOf,
  readSharedFiles,
  resolveProfileName,
  warningsOf,
} from '../profiles/profile.ts';
import type { AccessKey, Profile, SharedFiles } from '../profiles/profile.ts';
import { userProfileOf } from '../profiles/role.ts';
import { connectAs, firstPause, longestPause, newSigner, settleLimit } from './signer.ts';
import type { SignerOptions } from './signer.ts';
import {
  abort,
  confirm,
  deleteKey,
  deleteLostKeys,
  describeHolders,
  finish,
  formatAge,
  lastUseOf,
  runSteps,
  save,
  say,
  shortId,
} from './steps.ts';
import type { Rotation, RotationOptions } from './steps.ts';
import { shellWord } from '../text.ts';

export type RotateOptions = SignerOptions &
  RotationOptions & {
    readonly profile?: string | undefined;
    readonly mode: 'rotate' | 'resume' | 'abort';
    /** Whether the profile was chosen for this command, and not by a variable or by default. */
    readonly isNamed: boolean;
    /** Deletes the other key of a user who has two, after a question. */
    readonly deleteOther: boolean;
    readonly keepOld: boolean;
  };

/** How a rotation ended: which key is active where, and what became of the other one. */
export type RotateResult = {
  readonly state: 'rotated' | 'aborted' | 'already-rotated';
  readonly account: string;
  readonly userName: string;
  readonly accessKeyId: string;
  readonly holders: readonly KeyHolder[];
  readonly other: { readonly accessKeyId: string; readonly status: 'deleted' | 'inactive' } | undefined;
};

/** A rotation that waits to be finished, or `none`. */
export type RotationStatus =
  | { readonly state: 'none'; readonly profileName: string }
  | {
      readonly state: 'unfinished';
      readonly profileName: string;
      readonly journal: Journal;
      /** The process that works on it now. */
      readonly pid: number | undefined;
    };

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

/** What is known here about an unfinished rotation of a profile's key, without a look at AWS. Raises UserError. */
export const readRotationStatus = (
  options: { readonly profile?: string | undefined },
  context: Context,
): RotationStatus => {
  const subject = readProfile(options, context);
  const profileName = subject.profile.name;
  const journal = findJournal(subject);
  if (journal === undefined) return { state: 'none', profileName };
  const holder = readLock(lockPathFor(subject.shared.files.state, rotationOf(journal.arn)));
  return {
    state: 'unfinished',
    profileName,
    journal,
    pid: holder?.state === 'held' ? holder.pid : undefined,
  };
};

/** The status as lines for people. */
export const describeStatus = (status: RotationStatus, now: number): string[] => {
  const name = shellWord(status.profileName);
  if (status.state === 'none') return [`no rotation of profile ${name} is unfinished`];
  const { journal, pid } = status;
  return [
    `rotation of user ${userNameOfArn(journal.arn)}, profile ${shellWord(journal.profileName)}, begun ${formatAge(now - journal.startedAt)}${journal.aborting ? ', now being undone' : ''}`,
    whatIsDone[journal.phase](shortId(journal.old.accessKeyId), shortId(journal.newId ?? '')),
    pid === undefined
      ? `aws-iam-login rotate ${name} --resume goes on, aws-iam-login rotate ${name} --abort goes back`
      : `process ${pid} is at work on it`,
  ];
};

/** What rotate says when it is done. */
export const describeRotation = ({ state, userName, accessKeyId, holders, other }: RotateResult): string => {
  const where = holders.length === 0 ? 'in no profile' : `in ${describeHolders(holders)}`;
  const active = `access key ${shortId(accessKeyId)} of user ${userName} is active, ${where}`;
  if (state === 'already-rotated') return `another process has rotated the key: ${active}`;
  return other === undefined ? active : `${active}; ${shortId(other.accessKeyId)} is ${other.status}`;
};

/** What rotate says with `--json`: whole ids, for scripts. */
export const formatRotation = (result: RotateResult): string => {
  const { state, account, userName, accessKeyId, holders, other } = result;
  return toJson({
    State: state,
    Account: account,
    UserName: userName,
    AccessKeyId: accessKeyId,
    Profiles: holders.map(({ path, profileName }) => ({ Profile: profileName, File: path })),
    ...(other === undefined
      ? {}
      : { OtherAccessKey: { AccessKeyId: other.accessKeyId, Status: other.status } }),
  });
};

/** What rotate says with `--status --json`. */
export const formatStatus = (status: RotationStatus): string => {
  if (status.state === 'none') return toJson({ State: 'none', Profile: status.profileName });
  const { profileName, journal, pid } = status;
  return toJson({
    State: 'unfinished',
    Profile: profileName,
    UserName: userNameOfArn(journal.arn),
    Account: accountOfArn(journal.arn),
    Phase: journal.phase,
    Aborting: journal.aborting,
    Started: new Date(journal.startedAt).toISOString(),
    OldAccessKeyId: journal.old.accessKeyId,
    NewAccessKeyId: journal.newId,
    ProcessId: pid,
  });
};

const toJson = (value: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify(value, undefined, 2)}\n`;

const whatIsDone: Readonly<Record<Phase, (oldId: string, newId: string) => string>> = {
  creating: (oldId) =>
    `${oldId} is active and in the files; a new key was asked for, and its answer is not known`,
  created: (oldId, newId) =>
    `${newId} is made and kept here; ${oldId} is active, and in the files that wait for ${newId}`,
  stored: (oldId, newId) => `${newId} is in the files; ${oldId} is about to be deactivated`,
  deactivated: (oldId, newId) => `${newId} is in the files; ${oldId} is inactive and about to be deleted`,
  deleting: (oldId, newId) =>
    `${newId} is in the files; ${oldId} is inactive, and its deletion may have begun`,
};

type Subject = {
  readonly profile: Profile;
  readonly key: AccessKey;
  readonly shared: SharedFiles;
  /** Whether a role was named, and this is the user at the end of its chain. */
  readonly isOfRole: boolean;
};

const rotationOf = (arn: string): string => `rotation of ${arn}`;

const readProfile = (options: { readonly profile?: string | undefined }, context: Context): Subject => {
  const shared = readSharedFiles(context.env);
  const named = getProfile(resolveProfileName(options.profile, context.env, shared), shared);
  const profile = userProfileOf(named, shared);
  const key = longTermKeyOf(profile);
  if (key === undefined) throw notOurs(profile);
  return { profile, key, shared, isOfRole: profile.name !== named.name };
};

const notOurs = (profile: Profile): UserError => {
  const where = `profile ${shellWord(profile.name)}`;
  if (profile.settings.has('credential_process')) {
    return new UserError(
      `the access key of ${where} comes from its credential_process, where a new one cannot be stored from here`,
      { hint: 'rotate the key where that program keeps it' },
    );
  }
  return new UserError(`${where} has no access key to rotate`, {
    hint: `name a profile with aws_access_key_id in ${profile.files.credentials}`,
  });
};

// By the keys, and where the file holds neither of them any more by the profile.
const findJournal = ({ profile, key, shared }: Subject): Journal | undefined => {
  const journals = readJournals(shared.files.state);
  return (
    journals.find(({ old, newId }) => [old.accessKeyId, newId].includes(key.accessKeyId)) ??
    journals.find(
      ({ profileName, credentials }) =>
        profileName === profile.name && credentials === shared.files.credentials,
    )
  );
};

/** The ARN of the user whose key the profile holds, as AWS tells it. Raises UserError for what is no IAM user. */
const identify = async (start: Subject, options: RotateOptions, context: Context): Promise<string> => {
  for (let subject = start; ;) {
    try {
      const aws = connectAs(subject.key, subject.profile, options, context);
      const { arn } = await aws.getCallerIdentity();
      iamUserName(arn, subject.profile, aboutRoot);
      return arn;
    } catch (error) {
      if (!isUserError(error) || error.failureCode !== 'InvalidClientTokenId') throw error;
      // another rotation may have replaced the key since it was read
      const now = readProfile(options, context);
      if (now.key.accessKeyId === subject.key.accessKeyId) throw error;
      subject = now;
    }
  }
};

const aboutRoot = {
  reason: ', which AWS advises to delete, not to rotate',
  hint: 'delete it in the console (Security credentials), and use the access key of an IAM user',
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

// The lock was not enough: state folders can be shared by sets of files, and each has other profiles to write to.
const checkSameFiles = (journal: Journal, { files }: SharedFiles): void => {
  const isSame = journal.credentials === files.credentials && journal.config === files.config;
  if (isSame) return;
  throw new UserError(
    `an unfinished rotation of this user is about other files: ${journal.credentials} and ${journal.config}`,
    {
      hint: 'let AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE name them, and run aws-iam-login rotate again',
    },
  );
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

/** Raises UserError when the new key could not be written later, before there is one. */
const checkFiles = ({ profile, key, shared }: Subject): void => {
  const holders = findKeyHolders(key, shared);
  if (!holders.some(({ profileName }) => profileName === profile.name)) {
    throw new UserError(
      `the two halves of the access key of profile ${shellWord(profile.name)} are not in the same file`,
      { hint: `write both into ${shared.files.credentials}` },
    );
  }
  for (const { kind, path } of uniqueFiles(holders)) {
    const bytes = (kind === 'credentials' ? shared.credentialsBytes : shared.configBytes) ?? Buffer.alloc(0);
    const problem = findProblems(bytes).find((each) => each.kind === 'syntax');
    if (problem !== undefined) {
      throw new UserError(`${path} line ${problem.line}: ${problem.message}`, {
        hint: 'AWS tools refuse this file too: mend that line',
      });
    }
    // an edit of the same length as the real one, for files too odd to be edited
    replaceKey(bytes, kind, key, { accessKeyId: 'AKIA0000000000000000', secretAccessKey: '0'.repeat(40) });
    checkEditable(path, shared.files.state);
  }
};

const uniqueFiles = (holders: readonly KeyHolder[]): KeyHolder[] =>
  holders.filter(({ path }, index) => holders.findIndex((holder) => holder.path === path) === index);

const askToBegin = async (
  rotation: Rotation,
  { key, shared, isOfRole }: Subject,
  options: RotateOptions,
): Promise<void> => {
  if (options.isNamed && !isOfRole) return;
  const where = describeHolders(findKeyHolders(key, shared));
  const question = `Replace the access key ${shortId(key.accessKeyId)} of user ${rotation.userName} in ${where}?`;
  await confirm(rotation, question, 'rotate a key without naming the profile');
};

/** Looks at the user's keys, and notes what a new one needs. Raises UserError where there are two. */
const begin = async (
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

/** Makes room for a new key where that is wished. Raises UserError, with both keys shown, where it is not. */
const deleteOther = async (
  rotation: Rotation,
  other: KeyMetadata,
  keys: readonly KeyMetadata[],
  options: RotateOptions,
): Promise<void> => {
  const { userName, context, profile } = rotation;
  const shared = readSharedFiles(context.env);
  const id = shortId(other.accessKeyId);
  for (const each of keys) say(rotation, await describeKey(rotation, each, shared));
  const holders = findKeyHolders({ accessKeyId: other.accessKeyId }, shared);
  const command = `aws-iam-login rotate ${shellWord(profile.name)} --delete-other`;
  if (!options.deleteOther) {
    throw new UserError(
      `user ${userName} has two access keys, the most that AWS allows, so there is no room for a new one: nothing was changed`,
      {
        hint:
          holders.length === 0
            ? `${command} deletes ${id} first`
            : `${id} is in use: let ${describeHolders(holders)} hold the key of [${shellWord(profile.name)}], then ${command}`,
      },
    );
  }
  if (holders.length > 0) {
    throw new UserError(`the other access key ${id} is in ${describeHolders(holders)}: it was not deleted`, {
      hint: `let that profile hold the key of [${shellWord(profile.name)}] first, or remove it`,
    });
  }
  await confirm(
    rotation,
    `Delete the access key ${id} of user ${userName}? There is no way back.`,
    `delete ${id}`,
  );
  await deleteKey(rotation, other.accessKeyId);
  say(rotation, `deleted: the other key ${id}`);
};

const describeKey = async (rotation: Rotation, key: KeyMetadata, shared: SharedFiles): Promise<string> => {
  const holders = findKeyHolders({ accessKeyId: key.accessKeyId }, shared);
  return [
    `${shortId(key.accessKeyId)}: ${key.status.toLowerCase()}`,
    key.createDate === undefined
      ? 'of unknown age'
      : `made ${formatAge(rotation.context.now() - key.createDate.getTime())}`,
    await lastUseOf(rotation, key.accessKeyId),
    holders.length === 0 ? 'in no profile here' : `in ${describeHolders(holders)}`,
  ].join(', ');
};
