import type { Profile, SharedFiles } from '../profiles/profile.ts';
import { resolveRoleChain } from '../profiles/role-chain.ts';
import { isRole, longestRole, sessionOwner } from '../profiles/role.ts';
import { processMinTtl, sessionDefaults, sourceMinTtl } from './defaults.ts';
import { findUserSession } from './live-session.ts';

/**
 * The seconds that a session must still last for a program which takes it from a `credential_process`: more than usual
 * where a renewal asks nobody, but no more than half of what a new one has. `now` in milliseconds since the epoch.
 */
export const minTtlForProcess = (
  profile: Profile | undefined,
  duration: number | undefined,
  shared: SharedFiles,
  now: number,
): number => {
  if (profile === undefined || !isRenewedSilently(profile, shared, now)) return sessionDefaults.minTtl;
  const wished = Number(profile.settings.get('duration_seconds')) || undefined;
  const lasts = isRole(profile)
    ? Math.min(wished ?? longestRole, longestRole, duration ?? longestRole)
    : (duration ?? wished ?? sessionDefaults.duration);
  return Math.min(processMinTtl, lasts / 2);
};

/** Whether the next session needs nobody at the terminal now. */
const isRenewedSilently = (profile: Profile, shared: SharedFiles, now: number): boolean => {
  if (!isRole(profile)) return hasMfaProcess(profile);
  const { user } = resolveRoleChain(profile, shared);
  const source = { owner: sessionOwner(user), profile: user };
  return hasMfaProcess(user) || findUserSession(source, { minTtl: sourceMinTtl }, shared, now) !== undefined;
};

const hasMfaProcess = (profile: Profile): boolean => Boolean(profile.settings.get('mfa_process'));
