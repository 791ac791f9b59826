import type { Session } from '../aws/answers.ts';
import { UserError } from '../errors.ts';
import { findProfile, holdsLongTermKey, sessionProfileName } from '../profiles/profile.ts';
import type { SharedFiles } from '../profiles/profile.ts';
import { shellWord } from '../text.ts';
import { formatExpiration, parseExpiration } from './expiration.ts';

export type { Session } from '../aws/answers.ts';

/** What a role's session was fetched for: `assumed_role_arn` and `assumed_from` beside it. */
export type AssumedFor = { readonly roleArn: string; readonly sourceName: string };

/** A whole session in `[<name>-sts]` of the credentials file, expired or not, and what for if it is a role's. */
export type StoredSession = { readonly session: Session; readonly assumedFor: AssumedFor | undefined };

/** What `[<name>-sts]` of the credentials file holds; undefined when that is no whole session. */
export const readStored = (name: string, shared: SharedFiles): StoredSession | undefined => {
  const settings = findProfile(sessionProfileName(name), { ...shared, configBytes: undefined })?.settings;
  if (settings === undefined) return undefined;
  const accessKeyId = settings.get('aws_access_key_id');
  const secretAccessKey = settings.get('aws_secret_access_key');
  const sessionToken = settings.get('aws_session_token');
  const expiration = parseExpiration(settings.get('expiration') ?? '');
  if (!accessKeyId || !secretAccessKey || !sessionToken || expiration === undefined) return undefined;
  const roleArn = settings.get('assumed_role_arn');
  const sourceName = settings.get('assumed_from');
  const isOfRole = roleArn !== undefined || sourceName !== undefined;
  return {
    session: { accessKeyId, secretAccessKey, sessionToken, expiration },
    assumedFor: isOfRole ? { roleArn: roleArn ?? '', sourceName: sourceName ?? '' } : undefined,
  };
};

/** The session of a user in `[<name>-sts]`, expired or not; that of a role is none, whatever the profile is now. */
export const readUserSession = (name: string, shared: SharedFiles): Session | undefined => {
  const stored = readStored(name, shared);
  return stored?.assumedFor === undefined ? stored?.session : undefined;
};

/** The session in `[<name>-sts]` that was fetched for this role from this source, expired or not. */
export const readRoleSession = (
  name: string,
  { roleArn, sourceName }: AssumedFor,
  shared: SharedFiles,
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
  const taken = ['role_arn', 'credential_process'].find((key) => both?.settings.has(key));
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
  const isOurs = section?.settings.has('assumed_role_arn') === true;
  const isEmpty = !['aws_access_key_id', 'aws_secret_access_key', 'aws_session_token'].some((key) =>
    section?.settings.has(key),
  );
  if (isOurs || isEmpty) return;
  throw new UserError(
    `[${shellWord(sessionProfileName(name))}] in ${shared.files.credentials} holds a session that was not fetched for role ${shellWord(name)}, and is not overwritten`,
    { hint: `rename or remove that section: the session of ${shellWord(name)} belongs there` },
  );
};

/**
 * The keys of `[<name>-sts]` as they are written. `region` follows the profile, and goes where `[profile <name>-sts]` in
 * the config file has its own; the legacy token goes, since boto prefers it.
 */
export const sessionKeys = (
  name: string,
  session: Session,
  region: string | undefined,
  shared: SharedFiles,
  assumedFor?: AssumedFor,
): Record<string, string | undefined> => {
  const inConfig = findProfile(sessionProfileName(name), { ...shared, credentialsBytes: undefined });
  const hasOwn = inConfig?.settings.has('region') === true;
  return {
    aws_access_key_id: session.accessKeyId,
    aws_secret_access_key: session.secretAccessKey,
    aws_session_token: session.sessionToken,
    aws_security_token: undefined,
    expiration: formatExpiration(session.expiration),
    ...(hasOwn ? { region: undefined } : region ? { region } : {}),
    assumed_role_arn: assumedFor?.roleArn,
    assumed_from: assumedFor?.sourceName,
  };
};
