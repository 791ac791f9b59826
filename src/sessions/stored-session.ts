import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { editFile } from '../files/edit.ts';
import { setKeys } from '../ini/ini.ts';
import { findProfile, holdsLongTermKey, readSharedFiles, sessionProfileName } from '../profiles/profile.ts';
import type { Profile, SharedFiles } from '../profiles/profile.ts';
import { shellWord } from '../text.ts';
import { formatExpiration, parseExpiration } from './expiration.ts';
import type { Flight } from './single-flight.ts';

/** Temporary credentials from GetSessionToken; `expiration` in seconds since the epoch. */
export type Session = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: number;
};

/** What a role's session was fetched for: `assumed_role_arn` and `assumed_from` beside it. */
export type AssumedFor = { readonly roleArn: string; readonly sourceName: string };

/** A whole session in `[<name>-sts]` of the credentials file, expired or not, and what for if it is a role's. */
export type StoredSession = { readonly session: Session; readonly assumedFor: AssumedFor | undefined };

/** What `[<name>-sts]` of the credentials file holds; undefined when that is no whole session. */
export const readStored = <Content>(
  name: string,
  shared: SharedFiles<Content>,
): StoredSession | undefined => {
  const keys = findProfile(sessionProfileName(name), { ...shared, configBytes: undefined })?.keys;
  const accessKeyId = keys?.get('aws_access_key_id');
  const secretAccessKey = keys?.get('aws_secret_access_key');
  const sessionToken = keys?.get('aws_session_token');
  const expiration = parseExpiration(keys?.get('expiration') ?? '');
  if (!accessKeyId || !secretAccessKey || !sessionToken || expiration === undefined) return undefined;
  const roleArn = keys?.get('assumed_role_arn');
  const sourceName = keys?.get('assumed_from');
  const isOfRole = roleArn !== undefined || sourceName !== undefined;
  return {
    session: { accessKeyId, secretAccessKey, sessionToken, expiration },
    assumedFor: isOfRole ? { roleArn: roleArn ?? '', sourceName: sourceName ?? '' } : undefined,
  };
};

/** The session of a user in `[<name>-sts]`, expired or not; that of a role is none, whatever the profile is now. */
export const readUserSession = <Content>(name: string, shared: SharedFiles<Content>): Session | undefined => {
  const stored = readStored(name, shared);
  return stored?.assumedFor === undefined ? stored?.session : undefined;
};

/** The session in `[<name>-sts]` that was fetched for this role from this source, expired or not. */
export const readRoleSession = <Content>(
  name: string,
  { roleArn, sourceName }: AssumedFor,
  shared: SharedFiles<Content>,
): Session | undefined => {
  const stored = readStored(name, shared);
  const isSame = stored?.assumedFor?.roleArn === roleArn && stored.assumedFor.sourceName === sourceName;
  return isSame ? stored.session : undefined;
};

/**
 * Raises UserError when `[<profile>-sts]` must not be overwritten: it holds a long-term key, or the config file
 * makes it a role or a process.
 */
export const checkSessionProfile = (profileName: string, shared: SharedFiles): void => {
  const name = sessionProfileName(profileName);
  const { files } = shared;
  const inCredentials = findProfile(name, { ...shared, configBytes: undefined });
  if (inCredentials !== undefined && holdsLongTermKey(inCredentials)) {
    throw new UserError(
      `[${shellWord(name)}] in ${files.credentials} holds a long-term access key and is not overwritten`,
      {
        hint: `rename that profile: the session of ${shellWord(profileName)} belongs there`,
      },
    );
  }
  const both = findProfile(name, shared);
  const taken = ['role_arn', 'credential_process'].find((key) => both?.keys.has(key));
  if (taken !== undefined) {
    throw new UserError(
      `profile ${shellWord(name)} has a ${taken}, which AWS tools would use instead of the session`,
      {
        hint: `rename that profile in ${files.config}, or remove its ${taken}`,
      },
    );
  }
};

/**
 * Raises UserError when `[<name>-sts]` must not be overwritten by a role's session: besides what speaks against a
 * user's, because it holds a session that we did not fetch for a role.
 */
export const checkRoleSessionProfile = (name: string, shared: SharedFiles): void => {
  checkSessionProfile(name, shared);
  const section = findProfile(sessionProfileName(name), { ...shared, configBytes: undefined });
  const isOurs = section?.keys.has('assumed_role_arn') === true;
  const isEmpty = !['aws_access_key_id', 'aws_secret_access_key', 'aws_session_token'].some((key) =>
    section?.keys.has(key),
  );
  if (isOurs || isEmpty) return;
  throw new UserError(
    `[${shellWord(sessionProfileName(name))}] in ${shared.files.credentials} holds a session that was not fetched for role ${shellWord(name)}, and is not overwritten`,
    { hint: `rename or remove that section: the session of ${shellWord(name)} belongs there` },
  );
};

/**
 * The keys of `[<name>-sts]` as they are written. `region` only when the profile has one and no `-sts` profile in
 * either file has its own; the legacy token goes, since boto prefers it.
 */
export const sessionKeys = (
  name: string,
  session: Session,
  region: string | undefined,
  assumedFor: AssumedFor | undefined,
  shared: SharedFiles,
): Record<string, string | undefined> => {
  const ownRegion = findProfile(sessionProfileName(name), shared)?.keys.get('region');
  return {
    aws_access_key_id: session.accessKeyId,
    aws_secret_access_key: session.secretAccessKey,
    aws_session_token: session.sessionToken,
    aws_security_token: undefined,
    expiration: formatExpiration(session.expiration),
    ...(region !== undefined && ownRegion === undefined ? { region } : {}),
    assumed_role_arn: assumedFor?.roleArn,
    assumed_from: assumedFor?.sourceName,
  };
};

/**
 * Writes the session into `[<name>-sts]`, while the flight is this process's own; `assumedFor` when it is a role's.
 * Raises UserError, with the file untouched.
 */
export const storeSession = async (
  name: string,
  profile: Profile,
  session: Session,
  assumedFor: AssumedFor | undefined,
  context: Context,
  flight: Flight,
): Promise<void> => {
  const check = assumedFor === undefined ? checkSessionProfile : checkRoleSessionProfile;
  await editFile(
    profile.files.credentials,
    (bytes) => {
      const shared = { ...readSharedFiles(context.env), credentialsBytes: bytes };
      check(name, shared);
      const keys = sessionKeys(name, session, profile.keys.get('region'), assumedFor, shared);
      flight.checkOwn();
      return setKeys(bytes, 'credentials', sessionProfileName(name), keys);
    },
    { state: profile.files.state },
  );
};
