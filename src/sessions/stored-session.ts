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

/** The session in `[<profile>-sts]` of the credentials file, expired or not; undefined when there is no whole one. */
export const readSession = <Content>(
  profileName: string,
  shared: SharedFiles<Content>,
): Session | undefined => {
  const keys = findProfile(sessionProfileName(profileName), { ...shared, configBytes: undefined })?.keys;
  const accessKeyId = keys?.get('aws_access_key_id');
  const secretAccessKey = keys?.get('aws_secret_access_key');
  const sessionToken = keys?.get('aws_session_token');
  const expiration = parseExpiration(keys?.get('expiration') ?? '');
  if (!accessKeyId || !secretAccessKey || !sessionToken || expiration === undefined) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken, expiration };
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
 * The keys of `[<profile>-sts]` as login writes them. `region` only when the profile has one and no `-sts` profile
 * in either file has its own; the legacy token goes, since boto prefers it.
 */
export const sessionKeys = (
  profileName: string,
  session: Session,
  region: string | undefined,
  shared: SharedFiles,
): Record<string, string | undefined> => {
  const ownRegion = findProfile(sessionProfileName(profileName), shared)?.keys.get('region');
  return {
    aws_access_key_id: session.accessKeyId,
    aws_secret_access_key: session.secretAccessKey,
    aws_session_token: session.sessionToken,
    aws_security_token: undefined,
    expiration: formatExpiration(session.expiration),
    ...(region !== undefined && ownRegion === undefined ? { region } : {}),
  };
};

/**
 * Writes the session into `[<profile>-sts]`, while the flight is this process's own. Raises UserError, with the file
 * untouched.
 */
export const storeSession = async (
  profile: Profile,
  session: Session,
  context: Context,
  flight: Flight,
): Promise<void> => {
  const { credentials } = profile.files;
  await editFile(
    credentials,
    (bytes) => {
      const shared = { ...readSharedFiles(context.env), credentialsBytes: bytes };
      checkSessionProfile(profile.name, shared);
      const keys = sessionKeys(profile.name, session, profile.keys.get('region'), shared);
      flight.checkOwn();
      return setKeys(bytes, 'credentials', sessionProfileName(profile.name), keys);
    },
    { state: profile.files.state },
  );
};
