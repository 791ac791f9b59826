import { ownProcessProfile } from './own-process.ts';
import { findProfile, holdsLongTermKey, resolveProfileName } from './profile.ts';
import type { Profile, SharedFiles } from './profile.ts';

/** The longest that AWS lets a role live that is assumed with a session, in seconds. */
export const longestRole = 3600;

/** What AWS lets a `duration_seconds` of a role be. */
export const roleLimits = { shortest: 900, longest: 43_200 } as const;

/** The longest chain that is followed: more is a mistake, each one costs a request for an hour at most. */
export const mostRoles = 20;

/** Whether a profile is a role, however it gets there. */
export const isRole = (profile: Profile): boolean => profile.settings.has('role_arn');

/**
 * The name whose `-sts` profile keeps the MFA session of a user profile: its own, save for a role profile that holds
 * the key itself, where that one keeps the role's session.
 */
export const sessionOwner = (user: Profile): string => (isRole(user) ? `${user.name}-user` : user.name);

/** What a role's stored session has to match, undefined where the profile names no role or no source profile. */
export const roleLink = (
  profile: Profile,
  shared: SharedFiles,
): { roleArn: string; sourceName: string } | undefined => {
  const roleArn = textOf(profile, 'role_arn');
  const source = textOf(profile, 'source_profile');
  if (roleArn === undefined || source === undefined || textOf(profile, 'credential_source') !== undefined)
    return undefined;
  return { roleArn, sourceName: resolveSource(source, shared) };
};

/** The value of a setting of a profile, undefined for an empty one. */
export const textOf = (profile: Profile, key: string): string | undefined =>
  profile.settings.get(key) || undefined;

/**
 * The profile that a `source_profile` means. One whose credential_process is ours counts as the profile that it asks
 * for. It may do so in a circle, which ends at the first name that comes again and is found to be a loop there.
 */
export const resolveSource = (named: string, shared: SharedFiles): string => {
  const seen = new Set<string>();
  for (let name = named; ;) {
    name = withoutSts(name, shared);
    const profile = findProfile(name, shared);
    const command =
      profile === undefined || isRole(profile) ? undefined : textOf(profile, 'credential_process');
    const asked = command === undefined ? undefined : ownProcessProfile(command);
    const isKey = profile !== undefined && holdsLongTermKey(profile);
    if (asked === undefined || isKey || seen.has(name)) return name;
    seen.add(name);
    name = asked;
  }
};

const withoutSts = (name: string, shared: SharedFiles): string => {
  const base = resolveProfileName(name, {}, shared);
  if (base === name || findProfile(base, shared) !== undefined) return base;
  const self = base.endsWith('-user') ? findProfile(base.slice(0, -'-user'.length), shared) : undefined;
  if (self !== undefined && isRole(self)) return self.name;
  return findProfile(name, shared) === undefined ? base : name;
};
