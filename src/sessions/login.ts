import { tell } from '../context.ts';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { getProfile, readSharedFiles, resolveProfileName } from '../profiles/profile.ts';
import { isRole } from '../profiles/role.ts';
import { findLiveSession } from './live-session.ts';
import type { LiveSession } from './live-session.ts';
import { roleSession } from './role-session.ts';
import { readStored } from './stored-session.ts';
import type { OnUnwritten } from './store-session.ts';
import { userSession } from './user-session.ts';
import type { UserSessionOptions } from './user-session.ts';

export type SessionOptions = Omit<UserSessionOptions, 'onUnwritten'> & {
  readonly profile?: string | undefined;
};

/**
 * Gets a new session and stores it as `[<profile>-sts]`; with `ifNeeded` a live one will do. A login that had to wait
 * for another one takes the session which that one fetched. Raises UserError, also when it could not be stored.
 */
export const login = async (
  options: SessionOptions & { readonly ifNeeded: boolean },
  context: Context,
): Promise<LiveSession> => {
  let unwritten: UserError | undefined;
  const live = await getSession(options, context, !options.ifNeeded, (reason, kept) => {
    unwritten = kept ? keptError(reason) : reason;
  });
  if (unwritten !== undefined) throw unwritten;
  return live;
};

const keptError = (reason: UserError): UserError =>
  new UserError(`${reason.message}; the session is kept, and env and exec use it`, {
    hint: 'run the command again: it needs no code',
    cause: reason,
  });

/** The live session of a profile, fetched first when there is none. Raises UserError. */
export const liveSession = async (options: SessionOptions, context: Context): Promise<LiveSession> =>
  getSession(options, context, false, sayUnwritten(context));

/** Says why a session is not in the credentials file, for those who use it all the same. */
export const sayUnwritten =
  (context: Context): OnUnwritten =>
  ({ message }, kept) =>
    tell(
      context,
      `${message}; ${kept ? 'the session is kept, and the next call writes it' : 'the session is not kept'}`,
    );

const getSession = async (
  options: SessionOptions,
  context: Context,
  fresh: boolean,
  onUnwritten: OnUnwritten,
): Promise<LiveSession> => {
  const shared = readSharedFiles(context.env);
  const profileName = resolveProfileName(options.profile, context.env, shared);
  const live = fresh ? undefined : findLiveSession(profileName, options, shared, context.now());
  if (live !== undefined) return live;
  const profile = getProfile(profileName, shared);
  const unwanted = fresh ? readStored(profileName, shared)?.session.sessionToken : undefined;
  const get = isRole(profile) ? roleSession : userSession;
  return get(profile, shared, { ...options, onUnwritten }, context, unwanted);
};
