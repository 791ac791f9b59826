import { validRegion } from '../aws/endpoints.ts';
import { findProfile, sessionProfileName } from '../profiles/profile.ts';
import type { Profile, SharedFiles } from '../profiles/profile.ts';
import { isRole } from '../profiles/role.ts';
import { shellWord } from '../text.ts';
import { formatRemaining, isLive } from './expiration.ts';
import { readSession } from './stored-session.ts';
import type { Session } from './stored-session.ts';

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
export const findLiveSession = <Content>(
  profileName: string,
  options: LiveOptions,
  shared: SharedFiles<Content>,
  now: number,
): LiveSession | undefined => {
  const profile = findProfile(profileName, shared);
  if (profile !== undefined && isRole(profile)) return undefined;
  const session = readSession(profileName, shared);
  if (session === undefined || !isLive(session, now, options.minTtl)) return undefined;
  return userLiveSession(profileName, profile, session, options, shared);
};

/** A user's session as it is handed out. A renewal is silent, and so comes before the end, where `mfa_process` gives codes. */
const userLiveSession = <Content>(
  profileName: string,
  profile: Profile | undefined,
  session: Session,
  { minTtl, region }: LiveOptions,
  shared: SharedFiles<Content>,
): LiveSession => ({
  kind: 'user',
  profileName,
  session,
  region: regionOf(profileName, profile, region, shared),
  renewAt: profile?.keys.get('mfa_process') ? session.expiration - minTtl : session.expiration,
});

const regionOf = <Content>(
  profileName: string,
  profile: Profile | undefined,
  asked: string | undefined,
  shared: SharedFiles<Content>,
): string | undefined => {
  const ownRegion = () => findProfile(sessionProfileName(profileName), shared)?.keys.get('region');
  const region = asked ?? profile?.keys.get('region') ?? ownRegion();
  return region === undefined || region === '' ? undefined : validRegion(region);
};

/** A session that was just fetched, as it is handed out: with its profile's region, or the one that was asked for. */
export const toLiveSession = (
  profileName: string,
  session: Session,
  options: LiveOptions,
  shared: SharedFiles,
): LiveSession => userLiveSession(profileName, findProfile(profileName, shared), session, options, shared);

/** What login says when it is done: the profile and until when, in local time. */
export const describeSession = ({ profileName, session }: LiveSession, now: number): string => {
  const end = new Date(session.expiration * 1000);
  const time = `${String(end.getHours()).padStart(2, '0')}:${String(end.getMinutes()).padStart(2, '0')}`;
  const day =
    end.toDateString() === new Date(now).toDateString() ? '' : `${end.toDateString().slice(0, 10)} `;
  return `session of ${shellWord(profileName)} until ${day}${time} (${formatRemaining(session.expiration - now / 1000)})`;
};
