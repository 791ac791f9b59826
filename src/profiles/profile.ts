import type { Environment } from '../context.ts';
import { UserError } from '../errors.ts';
import { readFileIfAny } from '../files/edit.ts';
import { locateFiles } from '../files/locations.ts';
import type { Files } from '../files/locations.ts';
import { findProblems, profileNames, readProfile as readSectionOf } from '../ini/ini.ts';
import type { FileKind } from '../ini/ini.ts';
import { nearestOf } from '../nearest.ts';
import { shellWord } from '../text.ts';

export type AccessKey = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** A profile as both files together describe it: the credentials file wins, key by key, as in AWS's own tools. */
export type Profile = {
  readonly name: string;
  readonly files: Files;
  readonly keys: ReadonlyMap<string, string>;
  readonly inCredentials: boolean;
  readonly inConfig: boolean;
  readonly configBytes: Buffer | undefined;
};

/** Both files, read once, and how their profiles are to be read. */
export type SharedFiles<Content = Buffer> = {
  readonly files: Files;
  readonly credentialsBytes: Content | undefined;
  readonly configBytes: Content | undefined;
  readonly reader: KeysReader<Content>;
};

/** The keys of a profile, undefined when it is not there. */
export type KeysReader<Content = Buffer> = (
  content: Content,
  kind: FileKind,
  name: string,
) => ReadonlyMap<string, string> | undefined;

/** Reads both files. Raises UserError when one is there and cannot be read. */
export const readSharedFiles = (env: Environment): SharedFiles => {
  const files = locateFiles(env);
  return {
    files,
    credentialsBytes: readFileIfAny(files.credentials),
    configBytes: readFileIfAny(files.config),
    reader: (bytes, kind, name) => readSectionOf(bytes, kind, name)?.keys,
  };
};

/** The name of the profile that holds a profile's session. */
export const sessionProfileName = (profileName: string): string => `${profileName}-sts`;

/**
 * The profile that is meant: the named one, else `AWS_IAM_LOGIN_PROFILE`, `AWS_PROFILE`,
 * `AWS_DEFAULT_PROFILE`, else `default`; `<name>-sts` stands for `<name>`, unless its section
 * holds a long-term key, `role_arn` or `credential_process`.
 */
export const resolveProfileName = <Content>(
  named: string | undefined,
  env: Environment,
  shared: SharedFiles<Content>,
): string => {
  const name =
    [named, env['AWS_IAM_LOGIN_PROFILE'], env['AWS_PROFILE'], env['AWS_DEFAULT_PROFILE']].find(
      (candidate) => candidate !== undefined && candidate !== '',
    ) ?? 'default';
  if (!name.endsWith('-sts') || name === '-sts') return name;
  return isOwnProfile(findProfile(name, shared)) ? name : name.slice(0, -'-sts'.length);
};

const isOwnProfile = (profile: Profile | undefined): boolean =>
  profile !== undefined &&
  (holdsLongTermKey(profile) || profile.keys.has('role_arn') || profile.keys.has('credential_process'));

/** Whether the profile holds a key pair without a session token. */
export const holdsLongTermKey = (profile: Pick<Profile, 'keys'>): boolean => {
  const accessKeyId = profile.keys.get('aws_access_key_id') ?? '';
  return accessKeyId.startsWith('AKIA') || (accessKeyId !== '' && sessionTokenOf(profile) === undefined);
};

const sessionTokenOf = (profile: Pick<Profile, 'keys'>): string | undefined =>
  nonEmpty(profile.keys.get('aws_session_token')) ?? nonEmpty(profile.keys.get('aws_security_token'));

const nonEmpty = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

/** The profile as the files describe it, undefined when neither names it. */
export const findProfile = <Content>(name: string, shared: SharedFiles<Content>): Profile | undefined => {
  const { files, credentialsBytes, configBytes, reader } = shared;
  const config = configBytes === undefined ? undefined : reader(configBytes, 'config', name);
  const credentials =
    credentialsBytes === undefined ? undefined : reader(credentialsBytes, 'credentials', name);
  if (config === undefined && credentials === undefined) return undefined;
  return {
    name,
    files,
    keys: new Map([...(config ?? []), ...(credentials ?? [])]),
    inCredentials: credentials !== undefined,
    inConfig: config !== undefined,
    configBytes: Buffer.isBuffer(configBytes) ? configBytes : undefined,
  };
};

/** Raises UserError, with the line, when AWS's own tools refuse the credentials file: it is not written to then. */
export const checkCredentialsFile = ({ files, credentialsBytes }: SharedFiles): void => {
  const problem = credentialsBytes && syntaxProblemOf(credentialsBytes, files.credentials);
  if (problem)
    throw new UserError(problem, { hint: 'AWS CLI and boto3 refuse this file too: mend that line' });
};

const syntaxProblemOf = (bytes: Buffer, path: string): string | undefined => {
  const problem = findProblems(bytes).find(({ kind }) => kind === 'syntax');
  return problem && `${path} line ${problem.line}: ${problem.message}`;
};

/**
 * What AWS's parsers read differently in this profile, one sentence each, without any value, and for what AWS's own
 * tools refuse the config file.
 */
export const warningsOf = (name: string, { files, credentialsBytes, configBytes }: SharedFiles): string[] => [
  ...[configBytes && syntaxProblemOf(configBytes, files.config)].flatMap((problem) =>
    problem ? [`${problem} (AWS CLI and boto3 refuse this file)`] : [],
  ),
  ...(credentialsBytes ? warningsIn(credentialsBytes, 'credentials', name, files.credentials) : []),
  ...(configBytes ? warningsIn(configBytes, 'config', name, files.config) : []),
];

const warningsIn = (bytes: Buffer, kind: FileKind, name: string, path: string): string[] =>
  (readSectionOf(bytes, kind, name)?.warnings ?? []).map((warning) => `${path}: ${warning}`);

/** The profile as the files describe it. Raises UserError that names the files and the nearest profile. */
export const getProfile = (name: string, shared: SharedFiles): Profile => {
  const profile = findProfile(name, shared);
  if (profile !== undefined) return profile;
  const { files } = shared;
  const names = allProfileNames(shared);
  if (names.length === 0) {
    throw new UserError(`there is no profile in ${files.credentials} or ${files.config}`, {
      hint: 'create one: aws configure, or write [default] with aws_access_key_id and aws_secret_access_key',
    });
  }
  const nearest = nearestOf(name, names);
  throw new UserError(
    `profile ${shellWord(name)} is neither in ${files.credentials} nor in ${files.config}`,
    {
      hint:
        nearest === undefined
          ? `there are: ${names.slice(0, 8).map(shellWord).join(', ')}`
          : `did you mean ${shellWord(nearest)}?`,
    },
  );
};

/** The names of all profiles in both files, those of the credentials file first. */
export const allProfileNames = ({ credentialsBytes, configBytes }: SharedFiles): string[] => [
  ...new Set([
    ...(credentialsBytes ? profileNames(credentialsBytes, 'credentials') : []),
    ...(configBytes ? profileNames(configBytes, 'config') : []),
  ]),
];

/**
 * The long-term access key in the profile's own keys, undefined when it has none of the two halves.
 * Raises UserError for half a pair and for a profile that holds a session.
 */
export const longTermKeyOf = (profile: Profile): AccessKey | undefined => {
  const accessKeyId = nonEmpty(profile.keys.get('aws_access_key_id'));
  const secretAccessKey = nonEmpty(profile.keys.get('aws_secret_access_key'));
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
