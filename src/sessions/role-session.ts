import type { Session } from '../aws/answers.ts';
import { userNameOfArn } from '../aws/arns.ts';
import type { Aws } from '../aws/client.ts';
import { tell } from '../context.ts';
import type { Context, Environment } from '../context.ts';
import { isUserError } from '../errors.ts';
import type { UserError } from '../errors.ts';
import { checkEditable } from '../files/edit.ts';
import { lockPathFor } from '../files/state-files.ts';
import { connectAs } from '../profiles/caller.ts';
import { checkCredentialsFile, findProfile, readSharedFiles, warningsOf } from '../profiles/profile.ts';
import type { Profile, SharedFiles } from '../profiles/profile.ts';
import { resolveRoleChain } from '../profiles/role-chain.ts';
import { longestRole, sessionOwner } from '../profiles/role.ts';
import type { Role } from '../profiles/role-chain.ts';
import { shellWord } from '../text.ts';
import { checkedByClock } from './code-exchange.ts';
import { findRoleSession, findUserSession, roleLiveSession, roleMinTtl } from './live-session.ts';
import type { LiveSession } from './live-session.ts';
import { sourceMinTtl } from './defaults.ts';
import { joinFlight } from './single-flight.ts';
import type { Flight } from './single-flight.ts';
import { trySessionEdit } from './session-trial.ts';
import { storeSession } from './store-session.ts';
import { checkRoleSessionProfile, readRoleSession } from './stored-session.ts';
import { userSession } from './user-session.ts';
import type { UserSessionOptions } from './user-session.ts';

/**
 * Gets a session of a role profile from the MFA session of the user at the end of its chain, asking for a code only
 * when that one is over, and stores it as `[<profile>-sts]`. Each role on the way is assumed by one process at a time;
 * whoever had to wait takes the session that was fetched meanwhile. The session whose token is `unwanted` will not do.
 * Raises UserError.
 */
export const roleSession = async (
  profile: Profile,
  shared: SharedFiles,
  options: UserSessionOptions,
  context: Context,
  unwanted?: string,
): Promise<LiveSession> => {
  const { user, roles } = resolveRoleChain(profile, shared);
  checkFiles(roles, shared);
  for (const warning of warningsOf(profile.name, shared)) tell(context, warning);
  noteDuration(roles.at(-1), shared, context);
  if (options.tellsOfRoles === true) noteDevice(roles.at(-1), user, shared, context);
  const owner = sessionOwner(user);

  // The stored session of the role at this place of the chain, -1 being the user's.
  const find = (place: number, refused: string | undefined): LiveSession | undefined => {
    const role = roles[place];
    const files = readSharedFiles(context.env);
    const minTtl = place === roles.length - 1 ? options.minTtl : Math.min(options.minTtl, sourceMinTtl);
    const asked = { minTtl, region: options.region };
    const live =
      role === undefined
        ? findUserSession({ owner, profile: user }, asked, files, context.now())
        : findRoleSession(role.profile, asked, files, context.now());
    return live?.session.sessionToken === refused ? undefined : live;
  };

  // Asks for the user's session before it joins a role's flight, so that nobody waits there for a question.
  const get = async (place: number, refused?: string): Promise<LiveSession> => {
    const found = find(place, refused);
    if (found !== undefined) return found;
    const role = roles[place];
    if (role === undefined)
      return userSession(withSerialNumber(user, roles), shared, options, context, refused);
    const assumeFrom = (source: LiveSession): Promise<LiveSession | SourceRefused> =>
      joinFlight(
        {
          path: lockPathFor(shared.files.state, `role ${role.profile.name} ${shared.files.credentials}`),
          goal: `${role.roleArn} ${role.sourceName}`,
          subject: role.roleArn,
          canAsk: () => true,
        },
        context,
        () => find(place, refused),
        (flight) => assume(role, user, source, options, context, flight),
      );
    const source = await get(place - 1);
    const first = await assumeFrom(source);
    if (!('refusal' in first)) return first;
    const second = await assumeFrom(await get(place - 1, source.session.sessionToken));
    if ('refusal' in second) throw second.refusal;
    return second;
  };
  return get(roles.length - 1, unwanted);
};

/** Raises UserError when one of the sessions could not be stored afterwards; before a code is spent. */
const checkFiles = (roles: readonly Role[], shared: SharedFiles): void => {
  for (const { profile } of roles) checkRoleSessionProfile(profile.name, shared);
  checkCredentialsFile(shared);
  for (const role of roles)
    trySessionEdit(role.profile.name, role.profile.settings.get('region'), shared, role);
  checkEditable(shared.files.credentials, shared.files.state);
};

// Once: a session that is only renewed was noted when it was first fetched.
const noteDuration = (role: Role | undefined, shared: SharedFiles, context: Context): void => {
  if (role?.durationSeconds === undefined || role.durationSeconds <= longestRole) return;
  if (readRoleSession(role.profile.name, role, shared) !== undefined) return;
  tell(
    context,
    `duration_seconds of profile ${shellWord(role.profile.name)} is cut to ${longestRole}: AWS lets a role that is assumed with a session live for 1 h`,
  );
};

// Once, as well.
const noteDevice = (role: Role | undefined, user: Profile, shared: SharedFiles, context: Context): void => {
  if (role === undefined || role.sourceName !== user.name || !role.profile.settings.get('mfa_serial')) return;
  if (readRoleSession(role.profile.name, role, shared) !== undefined) return;
  tell(
    context,
    `profile ${shellWord(role.profile.name)} names an mfa_serial: other AWS tools ask for a code of their own`,
  );
  context.log(`  hint: aws-iam-login init ${shellWord(user.name)} --roles lets all of them use one session`);
};

/** The user profile with the serial number that one of its roles names, where it has none itself. */
const withSerialNumber = (user: Profile, roles: readonly Role[]): Profile => {
  const serialNumber = [user, ...roles.map(({ profile }) => profile)]
    .map(({ settings }) => settings.get('mfa_serial'))
    .find((value) => value !== undefined && value !== '');
  return serialNumber === undefined
    ? user
    : { ...user, settings: new Map([...user.settings, ['mfa_serial', serialNumber]]) };
};

/** Instead of a session: AWS does not take the one that was to assume the role, however live it looks here. */
type SourceRefused = { readonly refusal: UserError };

const assume = async (
  role: Role,
  user: Profile,
  source: LiveSession,
  options: UserSessionOptions,
  context: Context,
  flight: Flight,
): Promise<LiveSession | SourceRefused> => {
  const { profile, roleArn, externalId } = role;
  const aws = connectAs(
    source.session,
    profile,
    // a role without a region is asked for where its user is at home, else where its partition is
    {
      region: options.region ?? (profile.settings.get('region') || user.settings.get('region') || undefined),
      arn: roleArn,
      hook: options.hook,
    },
    context,
  );
  const durationSeconds = Math.min(
    role.durationSeconds ?? longestRole,
    longestRole,
    options.duration ?? longestRole,
  );
  let session: Session;
  try {
    const sessionName = role.sessionName ?? (await userSessionName(user, context.env, aws));
    flight.checkOwn();
    session = await aws.assumeRole({ roleArn, sessionName, externalId, durationSeconds });
  } catch (error) {
    const isRefused = isUserError(error) && refusedCodes.has(error.failureCode ?? '');
    if (isRefused) return { refusal: error };
    throw error;
  }
  const minTtl = roleMinTtl(profile, options.minTtl);
  checkedByClock(session, { minTtl }, context);
  const { onUnwritten } = options;
  await storeSession(
    { owner: profile.name, profile, session, assumedFor: role },
    { flight, onUnwritten },
    context,
  );
  return roleLiveSession(profile, session, options, readSharedFiles(context.env));
};

const refusedCodes = new Set(['ExpiredToken', 'InvalidClientTokenId']);

// So that CloudTrail shows who it was: the user's name, which goes from role to role as the name of the session.
const userSessionName = async (user: Profile, env: Environment, aws: Aws): Promise<string> => {
  const known = user.settings.get('username') ?? writtenName(user, env) ?? '';
  if (isSessionName(known)) return known;
  const { arn } = await aws.getCallerIdentity();
  const name = userNameOfArn(arn) ?? arn.slice(arn.lastIndexOf('/') + 1);
  // a name of one letter is too short for AWS
  return isSessionName(name) ? name : `aws-iam-login-${name}`;
};

// The login on the way may have initialised the profile.
const writtenName = (user: Profile, env: Environment): string | undefined =>
  findProfile(user.name, readSharedFiles(env))?.settings.get('username');

const isSessionName = (name: string): boolean => /^[\w+=,.@-]{2,64}$/.test(name);
