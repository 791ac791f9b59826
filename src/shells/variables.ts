import type { Environment } from '../context.ts';
import { sessionProfileName } from '../profiles/profile.ts';
import type { Session } from '../aws/answers.ts';
import { isoSeconds } from '../sessions/expiration.ts';
import type { LiveSession } from '../sessions/live-session.ts';
import type { Form } from './names.ts';

/** Variables to set and, with undefined, to unset. */
export type Variables = ReadonlyMap<string, string | undefined>;

/** The variables of a session in one of the three forms, given what the shell has now. */
export const sessionVariables = (
  { profileName, session, region, renewAt }: LiveSession,
  as: Form,
  env: Environment,
): Variables =>
  new Map<string, string | undefined>([
    ...(env['AWS_IAM_LOGIN_AS'] === undefined ? [] : unsetVariables(env)),
    ...(as === 'keys' ? keyVariables(session) : []),
    ...(as === 'profile' ? profileVariables(profileName) : []),
    ...(as !== 'watch' && region !== undefined ? regionVariables(region) : []),
    ['AWS_IAM_LOGIN_PROFILE', profileName],
    ['AWS_IAM_LOGIN_EXPIRES_AT', String(session.expiration)],
    ['AWS_IAM_LOGIN_RENEW_AT', String(renewAt)],
    ['AWS_IAM_LOGIN_AS', as],
    ['AWS_IAM_LOGIN_OLD_PROFILE', as === 'watch' ? undefined : oldProfile(env)],
    ['AWS_IAM_LOGIN_DECLINED', undefined],
  ]);

/** The environment of a command that `exec` runs: ours with the session's keys. */
export const withSession = (live: LiveSession, env: Environment): Environment => {
  const changed = { ...env, ...Object.fromEntries(sessionVariables(live, 'keys', env)) };
  return Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined));
};

/**
 * The environment of a command whose credentials come from a profile of a config file of its own: nothing in it may win
 * over that profile. Old SDKs have to be told to read a config file.
 */
export const withLiveProfile = (
  live: LiveSession,
  { name, configFile }: { readonly name: string; readonly configFile: string },
  env: Environment,
): Environment => {
  const dropped = [...ownNames, 'AWS_ROLE_ARN', 'AWS_ROLE_SESSION_NAME', 'AWS_WEB_IDENTITY_TOKEN_FILE'].map(
    (variable): [string, undefined] => [variable, undefined],
  );
  const changed = {
    ...env,
    ...Object.fromEntries([...sessionVariables(live, 'profile', env), ...dropped]),
    AWS_CONFIG_FILE: configFile,
    AWS_PROFILE: name,
    AWS_SDK_LOAD_CONFIG: '1',
    AWS_IAM_LOGIN_PROFILE: live.profileName,
  };
  return Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined));
};

const keyVariables = (session: Session): Array<[string, string | undefined]> => [
  ['AWS_ACCESS_KEY_ID', session.accessKeyId],
  ['AWS_SECRET_ACCESS_KEY', session.secretAccessKey],
  ['AWS_SESSION_TOKEN', session.sessionToken],
  ['AWS_CREDENTIAL_EXPIRATION', isoSeconds(session.expiration)],
  ['AWS_PROFILE', undefined],
  ['AWS_DEFAULT_PROFILE', undefined],
  ['AWS_SECURITY_TOKEN', undefined],
];

const profileVariables = (profileName: string): Array<[string, string | undefined]> => [
  ['AWS_PROFILE', sessionProfileName(profileName)],
  ...[...keyNames, 'AWS_DEFAULT_PROFILE', 'AWS_SECURITY_TOKEN'].map((name): [string, undefined] => [
    name,
    undefined,
  ]),
];

const regionVariables = (region: string): Array<[string, string]> => [
  ['AWS_REGION', region],
  ['AWS_DEFAULT_REGION', region],
  ['AWS_IAM_LOGIN_REGION', region],
];

const keyNames = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_CREDENTIAL_EXPIRATION',
];

const ownNames = ['PROFILE', 'EXPIRES_AT', 'RENEW_AT', 'AS', 'REGION', 'OLD_PROFILE', 'DECLINED'].map(
  (name) => `AWS_IAM_LOGIN_${name}`,
);

// The AWS_PROFILE that the user had, as long as it is not one that we set ourselves.
const oldProfile = (env: Environment): string | undefined =>
  env['AWS_PROFILE'] === undefined || env['AWS_PROFILE'] === '' || isOurProfile(env)
    ? env['AWS_IAM_LOGIN_OLD_PROFILE']
    : env['AWS_PROFILE'];

const isOurProfile = (env: Environment): boolean =>
  env['AWS_IAM_LOGIN_AS'] === 'profile' &&
  env['AWS_PROFILE'] === sessionProfileName(env['AWS_IAM_LOGIN_PROFILE'] ?? '');

/** What takes back exactly what an earlier `env` has set, and brings back the `AWS_PROFILE` found then. */
export const unsetVariables = (env: Environment): Variables => {
  const ourRegion = env['AWS_IAM_LOGIN_REGION'];
  const regionNames = ['AWS_REGION', 'AWS_DEFAULT_REGION'].filter(
    (name) => ourRegion !== undefined && env[name] === ourRegion,
  );
  const old = env['AWS_IAM_LOGIN_OLD_PROFILE'];
  const profileIsFree = isOurProfile(env) || env['AWS_PROFILE'] === undefined;
  return new Map<string, string | undefined>([
    ...(env['AWS_IAM_LOGIN_AS'] === 'keys' ? keyNames : []).map((name): [string, undefined] => [
      name,
      undefined,
    ]),
    ...(isOurProfile(env) ? [['AWS_PROFILE', undefined] as const] : []),
    ...(profileIsFree && old !== undefined ? [['AWS_PROFILE', old] as const] : []),
    ...regionNames.map((name): [string, undefined] => [name, undefined]),
    ...ownNames.map((name): [string, undefined] => [name, undefined]),
  ]);
};
