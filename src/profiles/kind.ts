import type { SharedFiles } from './profile.ts';
import { readProfiles } from '../ini/ini.ts';
import { holdsLongTermKey } from './profile.ts';

/** What a profile is for: a user's key, a role, a session, SSO, or something else, such as another program's key. */
export type ProfileKind = 'user' | 'role' | 'session' | 'SSO' | 'other';

/** The kind of a profile by its keys from both files. The launcher knows the same rules (`kind_of`). */
export const kindOf = (name: string, keys: ReadonlyMap<string, string>): ProfileKind => {
  if (keys.has('role_arn')) return 'role';
  if ([...keys.keys()].some((key) => key.startsWith('sso_'))) return 'SSO';
  if (keys.get('aws_access_key_id')) return holdsLongTermKey({ keys }) ? 'user' : 'session';
  if (/.-sts$/s.test(name) && !keys.has('credential_process')) return 'session';
  return keys.get('mfa_serial') ? 'user' : 'other';
};

/** All profiles of both files with their kinds, those of the credentials file first, each file read once. */
export const listKinds = ({
  credentialsBytes,
  configBytes,
}: SharedFiles): ReadonlyMap<string, ProfileKind> => {
  const credentials = credentialsBytes && readProfiles(credentialsBytes, 'credentials');
  const config = configBytes && readProfiles(configBytes, 'config');
  const names = new Set([...(credentials?.keys() ?? []), ...(config?.keys() ?? [])]);
  const keysOf = (name: string) => new Map([...(config?.get(name) ?? []), ...(credentials?.get(name) ?? [])]);
  return new Map([...names].map((name) => [name, kindOf(name, keysOf(name))]));
};
