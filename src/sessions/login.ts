import type { Context } from '../context.ts';
import { getProfile, readSharedFiles, resolveProfileName } from '../profiles/profile.ts';
import { isRole } from '../profiles/role.ts';
import { findLiveSession } from './live-session.ts';
import type { LiveSession } from './live-session.ts';
import { roleSession } from './role-session.ts';
import { readStored } from './stored-session.ts';
import { userSession } from './user-session.ts';
import type { UserSessionOptions } from './user-session.ts';

export type SessionOptions = UserSessionOptions & { readonly profile?: string | undefined };

/**
 * Gets a new session and stores it as `[<profile>-sts]`; with `ifNeeded` a live one will do. A login that had to wait
 * for another one takes the session which that one fetched. Raises UserError.
 */
export const login = async (
  options: SessionOptions & { readonly ifNeeded: boolean },
  context: Context,
): Promise<LiveSession> => getSession(options, context, !options.ifNeeded);

/** The live session of a profile, fetched first when there is none. Raises UserError. */
export const liveSession = async (options: SessionOptions, context: Context): Promise<LiveSession> =>
  getSession(options, context, false);

const getSession = async (
  options: SessionOptions,
  context: Context,
  fresh: boolean,
): Promise<LiveSession> => {
  const shared = readSharedFiles(context.env);
  const profileName = resolveProfileName(options.profile, context.env, shared);
  const live = fresh ? undefined : findLiveSession(profileName, options, shared, context.now());
  if (live !== undefined) return live;
  const profile = getProfile(profileName, shared);
  const unwanted = fresh ? readStored(profileName, shared)?.session.sessionToken : undefined;
  const get = isRole(profile) ? roleSession : userSession;
  return get(profile, shared, options, context, unwanted);
};
