import type { Context } from '../context.ts';
import { editFile } from '../files/edit.ts';
import { removeSettings } from '../ini/edit.ts';
import { findAllProfiles } from '../profiles/all-profiles.ts';
import {
  checkCredentialsFile,
  findProfile,
  findUserProfile,
  getProfile,
  holdsLongTermKey,
  readSharedFiles,
  sessionProfileName,
} from '../profiles/profile.ts';
import type { Profile, SharedFiles } from '../profiles/profile.ts';
import { isRole, mostRoles, roleLink } from '../profiles/role.ts';
import { formatExpiration } from './expiration.ts';
import { readStored } from './stored-session.ts';
import { dropWaitingSession } from './waiting-session.ts';

/** What was taken away, and what was not. */
export type LogoutResult = {
  /** The `-sts` profiles whose sessions are gone. */
  readonly removed: readonly string[];
  /** Those that hold a session which nobody of us has stored. */
  readonly foreign: readonly string[];
  /** The end of the last of them, undefined when all were over: AWS takes copies until then. Seconds since the epoch. */
  readonly validUntil: number | undefined;
  /** Role profiles whose `source_profile` is one of them: without it other tools cannot use them. */
  readonly stopped: readonly string[];
  /** The profiles that were logged out, with and without a stored session. */
  readonly owners: ReadonlySet<string>;
};

/**
 * Takes the stored session of a profile away, and those of the roles that come from it; `undefined` is for all. Only
 * what login and roles have stored, nothing else of the sections that hold it. Raises UserError for a profile that is
 * not there, and when the file cannot be edited.
 */
export const logout = async (profileName: string | undefined, context: Context): Promise<LogoutResult> => {
  const shared = readSharedFiles(context.env);
  if (profileName !== undefined && findProfile(sessionProfileName(profileName), shared) === undefined)
    getProfile(profileName, shared);
  checkCredentialsFile(shared);
  const plan = planLogout(profileName, shared, context.now());
  // first: `env` would write one back
  for (const owner of plan.owners) dropWaitingSession(shared.files, owner);
  if (plan.removed.length > 0) {
    await editFile(
      shared.files.credentials,
      (bytes) => {
        const now = { ...readSharedFiles(context.env), credentialsBytes: bytes };
        return removeSettings(bytes, 'credentials', planLogout(profileName, now, context.now()).settings);
      },
      { state: shared.files.state },
    );
  }
  return plan;
};

type Plan = LogoutResult & {
  /** What to remove of which section. */
  readonly settings: ReadonlyMap<string, ReadonlySet<string>>;
};

/** What a logout takes away, `now` in milliseconds since the epoch. */
export const planLogout = (profileName: string | undefined, shared: SharedFiles, now: number): Plan => {
  const profiles = findAllProfiles(shared);
  const owners = ownersOf(profileName, profiles, shared);
  const settings = new Map<string, ReadonlySet<string>>();
  const foreign: string[] = [];
  let validUntil: number | undefined;
  for (const owner of owners) {
    const name = sessionProfileName(owner);
    const section = findProfile(name, { ...shared, configBytes: undefined });
    if (section === undefined || !hasToken(section)) continue;
    const stored = readStored(owner, shared);
    if (stored === undefined || !isOurs(owner, section, shared)) {
      foreign.push(name);
      continue;
    }
    settings.set(name, settingsOf(owner, section, shared));
    const { expiration } = stored.session;
    if (expiration > now / 1000) validUntil = Math.max(validUntil ?? 0, expiration);
  }
  const removed = [...settings.keys()];
  const stopped = [...profiles.values()]
    .filter((profile) => isRole(profile) && settings.has(profile.settings.get('source_profile') ?? ''))
    .map(({ name }) => name);
  return { removed, foreign, validUntil, stopped, owners, settings };
};

const hasToken = ({ settings }: Profile): boolean =>
  ['aws_session_token', 'aws_security_token'].some((key) => settings.get(key));

/** The names before `-sts` that are concerned: the profile's, those of the roles that come from it, or all. */
const ownersOf = (
  profileName: string | undefined,
  profiles: ReadonlyMap<string, Profile>,
  shared: SharedFiles,
): Set<string> => {
  const owners = new Set<string>(profileName === undefined ? [] : withSelf(profileName));
  for (const name of profiles.keys()) {
    const owner = /^(.+)-(?:sts|long-term)$/s.exec(name)?.[1] ?? name;
    if (profileName === undefined || comesFrom(owner, owners, shared)) owners.add(owner);
  }
  return owners;
};

// `self-user-sts` keeps the MFA session of a role profile that holds its own key.
const withSelf = (name: string): string[] => [name, `${name}-user`];

const comesFrom = (owner: string, owners: ReadonlySet<string>, shared: SharedFiles): boolean => {
  let current = owner;
  for (let steps = 0; steps <= mostRoles; steps += 1) {
    const profile = findProfile(current, shared);
    const link = profile && isRole(profile) ? roleLink(profile, shared) : undefined;
    const source = link?.sourceName ?? readStored(current, shared)?.assumedFor?.sourceName;
    if (source === undefined || source === current) return false;
    if (owners.has(source)) return true;
    current = source;
  }
  return false;
};

/** Whether login or a role has stored what a section holds: in its form, and for a profile that it may be of. */
const isOurs = (owner: string, section: Profile, shared: SharedFiles): boolean => {
  const { settings } = section;
  if (holdsLongTermKey(section) || settings.has('aws_security_token')) return false;
  if (settings.get('assumed_role_arn')) return true;
  const stored = readStored(owner, shared);
  const isOurForm = stored && settings.get('expiration') === formatExpiration(stored.session.expiration);
  if (isOurForm !== true || stored?.assumedFor !== undefined) return false;
  const profile = findUserProfile(owner, shared);
  if (profile !== undefined) return !isRole(profile);
  const self = owner.endsWith('-user') ? findProfile(owner.slice(0, -'-user'.length), shared) : undefined;
  return self !== undefined && isRole(self) && holdsLongTermKey(self);
};

const ownSettings = [
  'aws_access_key_id',
  'aws_secret_access_key',
  'aws_session_token',
  'expiration',
  'assumed_role_arn',
  'assumed_from',
];

// A region that is not the profile's is somebody else's.
const settingsOf = (owner: string, { settings }: Profile, shared: SharedFiles): Set<string> => {
  const base = owner.endsWith('-user') ? owner.slice(0, -'-user'.length) : owner;
  const profile = findUserProfile(owner, shared) ?? findProfile(base, shared);
  const region = settings.get('region');
  const isCopied = region !== undefined && region === profile?.settings.get('region');
  return new Set([...ownSettings, ...(isCopied ? ['region'] : [])]);
};
