import { tell } from '../context.ts';
import type { Context } from '../context.ts';
import { UserError, isUserError } from '../errors.ts';
import { getProfile, readSharedFiles, resolveProfileName } from '../profiles/profile.ts';
import { isRole } from '../profiles/role.ts';
import { describeSession, findLiveSession } from './live-session.ts';
import type { LiveSession } from './live-session.ts';
import { roleSession } from './role-session.ts';
import { readStored } from './stored-session.ts';
import type { OnUnwritten } from './store-session.ts';
import { keptSession, userSession } from './user-session.ts';
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
  const onUnwritten: OnUnwritten = (reason, kept) => {
    unwritten = kept ? keptError(reason) : reason;
  };
  const before = options.ifNeeded ? undefined : storedLive(options, context);
  const behind = before && describeSession(before, context.now());
  const asked = { ...options, live: behind };
  const live = await getSession(asked, context, !options.ifNeeded, onUnwritten).catch((error: unknown) => {
    if (before !== undefined && isUserError(error) && error.failureCode === keptSession) return before;
    throw error;
  });
  if (unwritten !== undefined) throw unwritten;
  return live;
};

const storedLive = (options: SessionOptions, context: Context): LiveSession | undefined => {
  const shared = readSharedFiles(context.env);
  const name = resolveProfileName(options.profile, context.env, shared);
  return findLiveSession(name, options, shared, context.now());
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
