import type { Environment } from '../context.ts';
import { UserError } from '../errors.ts';
import { readFileIfAny } from '../files/read.ts';
import { locateFiles } from '../files/locations.ts';
import type { Files } from '../files/locations.ts';
import { findProblems, profileNames, readProfile as readSectionOf } from '../ini/read.ts';
import { readSettings } from '../ini/settings.ts';
import type { Profiles, Settings } from '../ini/settings.ts';
import type { FileKind } from '../ini/section-name.ts';
import type { Problem } from '../ini/parse-as-boto.ts';
import { nearestOf } from '../nearest.ts';
import { listed, shellWord } from '../text.ts';
import { ownProcessProfile } from './own-process.ts';

export type AccessKey = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** A profile as both files together describe it: the credentials file wins, setting by setting, as in AWS's own tools. */
export type Profile = {
  readonly name: string;
  readonly files: Files;
  readonly settings: Settings;
  readonly configBytes: Buffer | undefined;
  /** The profile that the key is in where that is not this one: `<name>-long-term`, as aws-mfa has it. */
  readonly keyHolder?: string;
};

/** Both files, read once. */
export type SharedFiles = {
  readonly files: Files;
  readonly credentialsBytes: Buffer | undefined;
  readonly configBytes: Buffer | undefined;
};

/** Reads both files. Raises UserError when one is there and cannot be read. */
export const readSharedFiles = (env: Environment): SharedFiles => {
  const files = locateFiles(env);
  return {
    files,
    credentialsBytes: readFileIfAny(files.credentials),
    configBytes: readFileIfAny(files.config),
  };
};

/** The name of the profile that holds a profile's session. */
export const sessionProfileName = (profileName: string): string => `${profileName}-sts`;

/**
 * The profile that is meant: the named one, else `AWS_IAM_LOGIN_PROFILE`, `AWS_PROFILE`,
 * `AWS_DEFAULT_PROFILE`, else `default`; `<name>-sts` stands for `<name>`, unless its section
 * holds a long-term key, `role_arn` or `credential_process`; `<name>-long-term` does where the key of `<name>` is there.
 * A profile whose `credential_process` is ours stands for the one that it asks for.
 */
export const resolveProfileName = (
  named: string | undefined,
  env: Environment,
  shared: SharedFiles,
): string => {
  const name =
    [named, env['AWS_IAM_LOGIN_PROFILE'], env['AWS_PROFILE'], env['AWS_DEFAULT_PROFILE']].find(
      (candidate) => candidate !== undefined && candidate !== '',
    ) ?? 'default';
  return withoutProcess(withoutSuffix(name, shared), shared);
};

const withoutSuffix = (name: string, shared: SharedFiles): string => {
  if (name.endsWith(longTerm) && name !== longTerm) {
    const base = name.slice(0, -longTerm.length);
    return findUserProfile(base, shared)?.keyHolder === name ? base : name;
  }
  if (!name.endsWith('-sts') || name === '-sts') return name;
  return isOwnProfile(findProfile(name, shared)) ? name : name.slice(0, -'-sts'.length);
};

/** The profile whose session the `credential_process` of a profile prints, where that is ours; else the name itself. */
const withoutProcess = (name: string, shared: SharedFiles): string => {
  const { credentialsBytes, configBytes } = shared;
  if (!mayHaveProcess(credentialsBytes, 'credentials') && !mayHaveProcess(configBytes, 'config')) return name;
  const seen = new Set<string>();
  for (let current = name; !seen.has(current);) {
    seen.add(current);
    const settings = findProfile(current, shared)?.settings;
    const command = settings?.get(processKey);
    const isOther = settings?.get('aws_access_key_id') || settings?.has('role_arn') === true;
    const asked = command === undefined || isOther ? undefined : ownProcessProfile(command);
    if (asked === undefined) return current;
    current = withoutSuffix(asked, shared);
  }
  return name;
};

const processKey = 'credential_process';

// most files have none, and a search costs less than a look at the profile, save where that is read already
const mayHaveProcess = (bytes: Buffer | undefined, kind: FileKind): boolean =>
  bytes !== undefined && (indexes[kind].has(bytes) || bytes.includes(processKey));

const isOwnProfile = (profile: Profile | undefined): boolean =>
  profile !== undefined &&
  (holdsPlainKey(profile) || profile.settings.has('role_arn') || profile.settings.has('credential_process'));

/** Whether the profile has a long-term key, in its own settings or in a key store. */
export const holdsLongTermKey = (profile: Profile): boolean =>
  holdsPlainKey(profile) || keyPlaceOf(profile) !== undefined;

// A key with a session token is a session, whatever the key's id looks like.
const holdsPlainKey = (profile: Profile): boolean =>
  nonEmpty(profile.settings.get('aws_access_key_id')) !== undefined && sessionTokenOf(profile) === undefined;

/** Where a profile says that its key is: the name of a key store, and the key's id. */
export type KeyPlace = { readonly store: string; readonly accessKeyId: string };

/** The settings, which no SDK reads, of a profile whose key is in a key store. */
export const placeSettings = {
  store: 'aws_iam_login_key_store',
  accessKeyId: 'aws_iam_login_access_key_id',
} as const;

/** The key store that holds the key of a profile; undefined where its own settings do, which every AWS tool prefers. */
export const keyPlaceOf = ({ settings }: Pick<Profile, 'settings'>): KeyPlace | undefined => {
  if (nonEmpty(settings.get('aws_access_key_id')) ?? nonEmpty(settings.get('aws_secret_access_key')))
    return undefined;
  const store = nonEmpty(settings.get(placeSettings.store));
  const accessKeyId = nonEmpty(settings.get(placeSettings.accessKeyId));
  // it becomes the name of a file and of an item
  const isId = accessKeyId !== undefined && /^\w{16,128}$/.test(accessKeyId);
  return store !== undefined && isId ? { store, accessKeyId } : undefined;
};

const sessionTokenOf = (profile: Profile): string | undefined =>
  nonEmpty(profile.settings.get('aws_session_token')) ?? nonEmpty(profile.settings.get('aws_security_token'));

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

/** The profile as the files describe it, undefined when neither names it. */
export const findProfile = (name: string, shared: SharedFiles): Profile | undefined => {
  const { credentialsBytes, configBytes } = shared;
  const config = configBytes && settingsIn(configBytes, 'config', name);
  const credentials = credentialsBytes && settingsIn(credentialsBytes, 'credentials', name);
  return joinSettings(name, credentials, config, shared);
};

const settingsIn = (bytes: Buffer, kind: FileKind, name: string): Settings | undefined => {
  const known = indexes[kind].get(bytes);
  return known === undefined ? readSettings(bytes, kind, name) : known.settingsOf(name);
};

const indexes: Readonly<Record<FileKind, WeakMap<Buffer, Profiles>>> = {
  credentials: new WeakMap(),
  config: new WeakMap(),
};

/** Lets `findProfile` look into what was read of a whole file, whose bytes nobody changes, instead of reading it again. */
export const rememberProfiles = (bytes: Buffer, kind: FileKind, profiles: Profiles): Profiles => {
  indexes[kind].set(bytes, profiles);
  return profiles;
};

const longTerm = '-long-term';

const sessionSettings = [
  'aws_access_key_id',
  'aws_secret_access_key',
  'aws_session_token',
  'aws_security_token',
];

/**
 * The same with the key and the device of `[<name>-long-term]`, which aws-mfa has made (`aws_mfa_device`), where the
 * profile itself holds no key, or a session.
 */
export const findUserProfile = (name: string, shared: SharedFiles): Profile | undefined => {
  const own = findProfile(name, shared);
  if (own !== undefined && (holdsLongTermKey(own) || keySources.some((key) => own.settings.has(key))))
    return withDevice(own);
  const other = findProfile(`${name}${longTerm}`, shared);
  if (other === undefined || !holdsPlainKey(other) || !other.settings.has('aws_mfa_device')) return own;
  const kept = [...(own?.settings ?? [])].filter(([setting]) => !sessionSettings.includes(setting));
  const key = [...other.settings].filter(([setting]) => sessionSettings.includes(setting));
  const settings = new Map([...kept, ...key, ['mfa_serial', other.settings.get('aws_mfa_device') ?? '']]);
  return { ...other, name, settings, keyHolder: other.name };
};

// What says that the key of a profile is to come from somewhere else.
const keySources = ['role_arn', 'credential_process', 'sso_session', 'sso_start_url', 'login_session'];

/** The id of the long-term key of a profile, or of the session that it is. */
export const keyIdOf = (profile: Pick<Profile, 'settings'>): string | undefined =>
  nonEmpty(profile.settings.get('aws_access_key_id')) ?? keyPlaceOf(profile)?.accessKeyId;

/** The name of the profile whose section holds the key. */
export const keyHolderOf = ({ name, keyHolder }: Profile): string => keyHolder ?? name;

const withDevice = (profile: Profile): Profile => {
  const device = nonEmpty(profile.settings.get('aws_mfa_device'));
  return device === undefined || profile.settings.has('mfa_serial')
    ? profile
    : { ...profile, settings: new Map([...profile.settings, ['mfa_serial', device]]) };
};

/** The profile that its settings in each file make together, undefined when it is in neither. */
export const joinSettings = (
  name: string,
  credentials: Settings | undefined,
  config: Settings | undefined,
  { files, configBytes }: SharedFiles,
): Profile | undefined => {
  const settings = credentials && config ? new Map([...config, ...credentials]) : (credentials ?? config);
  return settings && { name, files, settings, configBytes };
};

/** Raises UserError, with the line, when AWS's own tools refuse the credentials file: it is not written to then. */
export const checkCredentialsFile = (shared: SharedFiles): void => {
  const problem = findCredentialsProblem(shared);
  if (problem !== undefined) throw problem;
};

/** What `checkCredentialsFile` raises, or undefined. */
const findCredentialsProblem = ({ files, credentialsBytes }: SharedFiles): UserError | undefined => {
  const problem = credentialsBytes && problemOf(credentialsBytes, files.credentials, 'syntax');
  return problem
    ? new UserError(problem, { hint: 'AWS CLI and boto3 refuse this file too: mend that line' })
    : undefined;
};

const problemOf = (bytes: Buffer, path: string, wanted: Problem['kind']): string | undefined => {
  const problem = findProblems(bytes).find(({ kind }) => kind === wanted);
  return problem && `${path} line ${problem.line}: ${problem.message}`;
};

/**
 * What AWS's parsers read differently in this profile, one sentence each, without any value, and for what AWS's own
 * tools refuse a file that we read all the same (bytes that are not UTF-8; anything in the config file).
 */
export const warningsOf = (name: string, { files, credentialsBytes, configBytes }: SharedFiles): string[] => [
  ...[
    credentialsBytes && problemOf(credentialsBytes, files.credentials, 'encoding'),
    configBytes && problemOf(configBytes, files.config, 'encoding'),
    configBytes && problemOf(configBytes, files.config, 'syntax'),
  ].flatMap((problem) => (problem ? [`${problem} (AWS CLI and boto3 refuse this file)`] : [])),
  ...(credentialsBytes ? warningsIn(credentialsBytes, 'credentials', name, files.credentials) : []),
  ...(configBytes ? warningsIn(configBytes, 'config', name, files.config) : []),
];

const warningsIn = (bytes: Buffer, kind: FileKind, name: string, path: string): string[] =>
  (readSectionOf(bytes, kind, name)?.warnings ?? []).map((warning) => `${path}: ${warning}`);

/** The profile as `findUserProfile` finds it. Raises UserError that names the files and the nearest profile. */
export const getProfile = (name: string, shared: SharedFiles): Profile => {
  const profile = findUserProfile(name, shared);
  if (profile !== undefined) return profile;
  const { files } = shared;
  const names = allProfileNames(shared);
  if (names.length === 0) {
    throw new UserError(`there is no profile in ${files.credentials} or ${files.config}`, {
      hint: 'create one: aws configure, or write [default] with aws_access_key_id and aws_secret_access_key',
    });
  }
  const nearest = nearestOf(name, knownNames(shared));
  throw new UserError(
    `profile ${shellWord(name)} is neither in ${files.credentials} nor in ${files.config}`,
    {
      hint:
        nearest === undefined
          ? `there are: ${listed(withoutSessions(names))}`
          : `did you mean ${shellWord(nearest)}?`,
    },
  );
};

// A session goes by the name of its profile.
const withoutSessions = (names: readonly string[]): string[] => {
  const all = new Set(names);
  return names.filter((name) => !name.endsWith('-sts') || !all.has(name.slice(0, -'-sts'.length)));
};

/** The names of all profiles in both files, those of the credentials file first. */
export const allProfileNames = ({ credentialsBytes, configBytes }: SharedFiles): string[] => [
  ...new Set([
    ...(credentialsBytes ? profileNames(credentialsBytes, 'credentials') : []),
    ...(configBytes ? profileNames(configBytes, 'config') : []),
  ]),
];

/** All names that may be meant: those of all profiles, and what aws-mfa's `<name>-long-term` are called without that. */
export const knownNames = (shared: SharedFiles): string[] => {
  const names = allProfileNames(shared);
  const bases = names.flatMap((name) => (name.endsWith(longTerm) ? [name.slice(0, -longTerm.length)] : []));
  return [...new Set([...names, ...bases])].filter((name) => name !== '');
};

/**
 * The long-term access key in the profile's own keys, undefined when it has none of the two halves.
 * Raises UserError for half a pair and for a profile that holds a session.
 */
export const longTermKeyOf = (profile: Profile): AccessKey | undefined => {
  const accessKeyId = nonEmpty(profile.settings.get('aws_access_key_id'));
  const secretAccessKey = nonEmpty(profile.settings.get('aws_secret_access_key'));
  const where = `profile ${shellWord(profile.name)}`;
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const missing = accessKeyId === undefined ? 'aws_access_key_id' : 'aws_secret_access_key';
    throw new UserError(`${where} has half an access key: ${missing} is missing`, {
      hint: `add ${missing} in ${profile.files.credentials}`,
    });
  }
  if (sessionTokenOf(profile) !== undefined || accessKeyId.startsWith('ASIA')) {
    throw new UserError(`${where} holds a session, not a long-term access key`, {
      hint: 'AWS gives no new session for a session: name the profile with the access key that begins with AKIA',
    });
  }
  return { accessKeyId, secretAccessKey };
};

/**
 * The twelve-digit account that a key id encodes (base32 of its fifth and later characters), undefined for
 * ids from before 2019, whose first bit there is not set. Known from public analysis; AWS does not document it.
 */
export const accountOfKeyId = (accessKeyId: string): string | undefined => {
  const encoded = /^A[KS]IA([Q-Z2-7][A-Z2-7]{9})[A-Z2-7]{2,}$/.exec(accessKeyId)?.[1];
  if (encoded === undefined) return undefined;
  const bits = encoded
    .split('')
    .reduce((sum, letter) => sum * 32n + BigInt(base32Letters.indexOf(letter)), 0n);
  const account = ((bits >> 2n) & 0x7fff_ffff_ff80n) >> 7n;
  return account > 999_999_999_999n ? undefined : account.toString().padStart(12, '0');
};

const base32Letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
