import type { Session } from '../aws/answers.ts';
import { validRegion } from '../aws/regions.ts';
import { findProfile, sessionProfileName } from '../profiles/profile.ts';
import type { Profile, SharedFiles } from '../profiles/profile.ts';
import { isRole, longestRole, roleLink } from '../profiles/role.ts';
import { shellWord } from '../text.ts';
import { formatEnd, isLive } from './expiration.ts';
import { readRoleSession, readUserSession } from './stored-session.ts';

/** A session to hand out, with what goes along with it. */
export type LiveSession = {
  readonly kind: 'user' | 'role';
  readonly profileName: string;
  readonly session: Session;
  /** The region to export: `--region`, the profile's, the session profile's. */
  readonly region: string | undefined;
  /** When a shell that holds the session gets the next one, in seconds since the epoch. */
  readonly renewAt: number;
};

export type LiveOptions = {
  /** Seconds that a session must still last. */
  readonly minTtl: number;
  /** The region that was asked for. */
  readonly region?: string | undefined;
};

/** The stored session of a profile when it is live, without a look at AWS; undefined when there is none. */
export const findLiveSession = (
  profileName: string,
  options: LiveOptions,
  shared: SharedFiles,
  now: number,
): LiveSession | undefined => {
  const profile = findProfile(profileName, shared);
  return profile !== undefined && isRole(profile)
    ? findRoleSession(profile, options, shared, now)
    : findUserSession({ owner: profileName, profile }, options, shared, now);
};

/** A user profile, and the name before `-sts` where its session is kept. */
export type SessionOf = { readonly owner: string; readonly profile: Profile | undefined };

/** The live stored session of a user profile. */
export const findUserSession = (
  of: SessionOf,
  options: LiveOptions,
  shared: SharedFiles,
  now: number,
): LiveSession | undefined => {
  const session = readUserSession(of.owner, shared);
  return session !== undefined && isLive(session, now, options.minTtl)
    ? userLiveSession(of, session, options, shared)
    : undefined;
};

/** The live stored session of a role profile, where it was fetched for the role and the source that it names now. */
export const findRoleSession = (
  profile: Profile,
  options: LiveOptions,
  shared: SharedFiles,
  now: number,
): LiveSession | undefined => {
  const link = roleLink(profile, shared);
  const session = link && readRoleSession(profile.name, link, shared);
  const needed = roleMinTtl(profile, options.minTtl);
  return session !== undefined && isLive(session, now, needed)
    ? roleLiveSession(profile, session, options, shared)
    : undefined;
};

/** A user's session as it is handed out. A renewal is silent, and so comes before the end, where `mfa_process` gives codes. */
export const userLiveSession = (
  { owner, profile }: SessionOf,
  session: Session,
  { minTtl, region }: LiveOptions,
  shared: SharedFiles,
): LiveSession => ({
  kind: 'user',
  profileName: owner,
  session,
  region: regionOf(owner, profile, region, shared),
  renewAt: profile?.settings.get('mfa_process') ? session.expiration - minTtl : session.expiration,
});

/** A role's session as it is handed out: it is renewed silently, and so before its end, while the user's lives. */
export const roleLiveSession = (
  profile: Profile,
  session: Session,
  { minTtl, region }: LiveOptions,
  shared: SharedFiles,
): LiveSession => ({
  kind: 'role',
  profileName: profile.name,
  session,
  region: regionOf(profile.name, profile, region, shared),
  renewAt: session.expiration - roleMinTtl(profile, minTtl),
});

/**
 * The seconds that a role's session must still last: half of what a new one has where that is less than was asked
 * for, since it would never do otherwise.
 */
export const roleMinTtl = (profile: Profile, minTtl: number): number => {
  const lasts = Math.min(Number(profile.settings.get('duration_seconds')) || longestRole, longestRole);
  return minTtl < lasts ? minTtl : lasts / 2;
};

const regionOf = (
  profileName: string,
  profile: Profile | undefined,
  asked: string | undefined,
  shared: SharedFiles,
): string | undefined => {
  const ownRegion = () => findProfile(sessionProfileName(profileName), shared)?.settings.get('region');
  const region = asked ?? profile?.settings.get('region') ?? ownRegion();
  return region === undefined || region === '' ? undefined : validRegion(region);
};

/** A session as it is told: `session of default until 21:40 (12 h), eu-west-1`, in local time. */
export const describeSession = ({ profileName, session, region }: LiveSession, now: number): string =>
  `session of ${shellWord(profileName)} until ${formatEnd(session.expiration, now)}${region === undefined ? '' : `, ${region}`}`;
