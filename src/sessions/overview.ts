import { accountOfArn } from '../aws/arns.ts';
import { findAllProfiles } from '../profiles/all-profiles.ts';
import { kindOf } from '../profiles/kind.ts';
import type { ProfileKind } from '../profiles/kind.ts';
import {
  accountOfKeyId,
  findProfile,
  findUserProfile,
  holdsLongTermKey,
  keyHolderOf,
  keyPlaceOf,
  sessionProfileName,
} from '../profiles/profile.ts';
import type { Profile, SharedFiles } from '../profiles/profile.ts';
import { isReachable } from '../profiles/role-chain.ts';
import { isRole, mostRoles, roleLink, sessionOwner } from '../profiles/role.ts';
import { shellWord } from '../text.ts';
import { isLive, parseExpiration } from './expiration.ts';
import { roleMinTtl } from './live-session.ts';
import { readRoleSession, readStored, readUserSession } from './stored-session.ts';

/**
 * How it stands with a session: `live`; `ready`, a role's that is fetched without a code when it is needed; `expired`;
 * `none`; `unknown` for one of another program, which does not say when it ends.
 */
type SessionState = 'live' | 'ready' | 'expired' | 'none' | 'unknown';

/** What the two files tell about a profile, without a secret and without a look at AWS. */
export type Entry = {
  readonly name: string;
  readonly kind: ProfileKind;
  /** A role's source profile; for a session that belongs to no listed profile by its name, the one it is of. */
  readonly source: string | undefined;
  /** The user profile at the end of a role's chain. */
  readonly user: string | undefined;
  readonly state: SessionState;
  /** The end of the stored session, over or not, in seconds since the epoch. */
  readonly expiration: number | undefined;
  readonly region: string | undefined;
  readonly account: string | undefined;
  readonly userName: string | undefined;
  readonly serialNumber: string | undefined;
  readonly roleArn: string | undefined;
  /** A long-term key's. */
  readonly accessKeyId: string | undefined;
  readonly keyCreatedAt: number | undefined;
  /** The name of the key store that keeps it; undefined for a file. */
  readonly keyStore: string | undefined;
  /** How to log in where that is not ours to do. */
  readonly loginCommand: string | undefined;
};

export type OverviewOptions = {
  /** Seconds that a session must still last to be live. */
  readonly minTtl: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** When a key was made, as far as that is known here. */
  readonly keyDate: (accessKeyId: string | undefined) => number | undefined;
};

/** Every profile of both files, in their order; a `-sts` profile that keeps the session of another one is told with that. */
export const readOverview = (shared: SharedFiles, options: OverviewOptions): Entry[] => {
  const profiles = findAllProfiles(shared);
  const entries = new Map<string, Entry>();
  for (const each of profiles.values()) {
    if (isTold(each, profiles, shared)) continue;
    // the key of a user may be kept in a profile of its own
    const base = withoutEnd(each.name, '-long-term');
    const user = findUserProfile(base, shared);
    const isOf = user !== undefined && (each.name === base || keyHolderOf(user) === each.name);
    const profile = isOf ? user : each;
    if (!entries.has(profile.name)) entries.set(profile.name, describeProfile(profile, shared, options));
  }
  return [...entries.values()];
};

const isTold = (
  { name, settings }: Profile,
  profiles: ReadonlyMap<string, Profile>,
  shared: SharedFiles,
): boolean => {
  const owner = withoutEnd(name, '-sts');
  const profile = owner === name ? undefined : profiles.get(owner);
  if (profile === undefined) return false;
  if (settings.has('role_arn') || settings.has('credential_process')) return false;
  const holdsKeys = ['aws_access_key_id', 'aws_session_token'].some((key) => settings.get(key));
  return !holdsKeys || storedFor(profile, shared) !== undefined;
};

/** The name without this end, which is not all of it. */
const withoutEnd = (name: string, end: string): string =>
  name.endsWith(end) && name !== end ? name.slice(0, -end.length) : name;

/** The session that is stored for a profile, over or not. */
const storedFor = (profile: Profile, shared: SharedFiles) => {
  if (!isRole(profile)) return readUserSession(profile.name, shared);
  const link = roleLink(profile, shared);
  return link && readRoleSession(profile.name, link, shared);
};

/** The end of the session that a profile is, by any of the settings in which programs note it. */
const ownSession = ({ name, settings }: Profile, shared: SharedFiles): { expiration: number } | undefined => {
  if (name.endsWith('-sts')) return readStored(name.slice(0, -'-sts'.length), shared)?.session;
  const expiration = parseExpiration(
    settings.get('expiration') ?? settings.get('x_security_token_expires') ?? '',
  );
  return expiration === undefined ? undefined : { expiration };
};

/** What the files tell about one profile. */
export const describeProfile = (
  profile: Profile,
  shared: SharedFiles,
  { minTtl, now, keyDate }: OverviewOptions,
): Entry => {
  const { name, settings } = profile;
  const kind = kindOf(profile);
  const text = (key: string): string | undefined => settings.get(key) || undefined;
  const link = kind === 'role' ? roleLink(profile, shared) : undefined;
  const user = link && userOf(profile, shared);
  const stored = kind === 'session' ? ownSession(profile, shared) : storedFor(profile, shared);
  const needed = kind === 'role' ? roleMinTtl(profile, minTtl) : minTtl;
  const isReady = (): boolean => {
    const session = user && readUserSession(sessionOwner(user), shared);
    return (
      session !== undefined && isLive(session, now, Math.min(minTtl, 60)) && isReachable(profile, shared)
    );
  };
  const place = keyPlaceOf(profile);
  const accessKeyId =
    place?.accessKeyId ?? (holdsLongTermKey(profile) ? text('aws_access_key_id') : undefined);
  return {
    name,
    kind,
    source: link?.sourceName ?? (kind === 'session' ? ownerOf(name.replace(/-sts$/, ''), shared) : undefined),
    user: user?.name,
    state: stateOf(kind, stored && isLive(stored, now, needed), isReady),
    expiration: stored?.expiration,
    region: text('region'),
    account:
      (kind === 'role' ? accountOfArn(text('role_arn') ?? '') : undefined) ??
      accountOfArn(text('mfa_serial') ?? '') ??
      (accessKeyId === undefined ? text('sso_account_id') : accountOfKeyId(accessKeyId)),
    userName: text('username'),
    serialNumber: text('mfa_serial'),
    roleArn: text('role_arn'),
    accessKeyId,
    keyCreatedAt: keyDate(accessKeyId),
    keyStore: place?.store,
    loginCommand: kind === 'SSO' ? ssoLogin(name, text('sso_session')) : undefined,
  };
};

const ssoLogin = (name: string, session: string | undefined): string =>
  session === undefined
    ? `aws sso login --profile ${shellWord(name)}`
    : `aws sso login --sso-session ${shellWord(session)}`;

const stateOf = (kind: ProfileKind, isLiveNow: boolean | undefined, isReady: () => boolean): SessionState => {
  if (isLiveNow === true) return 'live';
  if (kind === 'role' && isReady()) return 'ready';
  if (isLiveNow === false) return 'expired';
  return kind === 'session' || kind === 'SSO' ? 'unknown' : 'none';
};

/** The user profile at the end of a role's chain; undefined where there is none, which is for `login` to explain. */
const userOf = (role: Profile, shared: SharedFiles): Profile | undefined => {
  let current = role;
  for (let steps = 0; steps < mostRoles; steps += 1) {
    const link = roleLink(current, shared);
    const source = link && findUserProfile(link.sourceName, shared);
    if (source === undefined) return undefined;
    if (holdsLongTermKey(source) || !isRole(source)) return source;
    current = source;
  }
  return undefined;
};

// `self-user-sts` keeps the MFA session of the role profile `self` that holds its own key.
const ownerOf = (base: string, shared: SharedFiles): string | undefined => {
  const self = base.endsWith('-user') ? findProfile(base.slice(0, -'-user'.length), shared) : undefined;
  if (self !== undefined && isRole(self) && holdsLongTermKey(self)) return self.name;
  return findProfile(base, shared)?.name;
};

/** The `-sts` profile of an entry. */
export const sessionProfileOf = ({ kind, name }: Entry): string =>
  kind === 'session' ? name : sessionProfileName(name);
