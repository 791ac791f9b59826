import { createHash } from 'node:crypto';
import type { Session } from '../aws/answers.ts';
import { tell } from '../context.ts';
import type { Context } from '../context.ts';
import { UserError, exitCode, isUserError, usageError } from '../errors.ts';
import { checkEditable } from '../files/edit.ts';
import { othersMode } from '../files/read.ts';
import { lockPathFor } from '../files/state-files.ts';
import { refuseLoop } from '../profiles/access-key.ts';
import { checkCredentialsFile, readSharedFiles, warningsOf } from '../profiles/profile.ts';
import type { Profile, SharedFiles } from '../profiles/profile.ts';
import { isRole, sessionOwner } from '../profiles/role.ts';
import { validSerialNumber } from '../profiles/serial-number.ts';
import { canAsk } from '../terminal/question.ts';
import { shellWord } from '../text.ts';
import { newSender } from './code-exchange.ts';
import type { ExchangeOptions, Send } from './code-exchange.ts';
import { rejectedCode } from './code-guard.ts';
import { sessionDefaults, sessionLimits } from './defaults.ts';
import type { DeviceOptions } from './initialise.ts';
import { findUserSession, userLiveSession } from './live-session.ts';
import type { LiveSession } from './live-session.ts';
import { joinFlight } from './single-flight.ts';
import type { Flight } from './single-flight.ts';
import { trySessionEdit } from './session-trial.ts';
import { storeSession } from './store-session.ts';
import type { OnUnwritten } from './store-session.ts';
import { checkSessionProfile, readUserSession } from './stored-session.ts';
import { findWaitingSession } from './waiting-session.ts';
import { codeSource, givenCode } from './token-code.ts';
import type { CodeOptions, CodeSource } from './token-code.ts';

export type UserSessionOptions = CodeOptions &
  DeviceOptions &
  Omit<ExchangeOptions, 'duration'> & {
    /** Seconds that a new session lasts; undefined for what the user profile says. */
    readonly duration?: number | undefined;
    readonly onUnwritten: OnUnwritten;
    /** Whether somebody is there to be told what would spare other tools their question for a role. */
    readonly tellsOfRoles?: boolean;
  };

/**
 * Gets a session of a user profile with a token code and stores it as `[<profile>-sts]`, in one process at a time:
 * whoever had to wait takes the session that was fetched meanwhile. The session whose token is `unwanted` will not do,
 * live or not. Raises UserError.
 */
export const userSession = async (
  named: Profile,
  shared: SharedFiles,
  given: UserSessionOptions,
  context: Context,
  unwanted?: string,
): Promise<LiveSession> => {
  const options = { ...given, duration: durationOf(named, given) };
  let profile = named;
  const of = { owner: sessionOwner(profile), profile };
  const { onUnwritten } = options;
  const { files } = shared;
  // One that cost a code and could not be written.
  const findWaiting = (now: SharedFiles): Session | undefined => {
    const stored = readUserSession(of.owner, now);
    const waiting = findWaitingSession(files, of.owner, stored, options.minTtl, context.now());
    return waiting?.sessionToken === unwanted ? undefined : waiting;
  };
  const waiting = findWaiting(shared);
  if (waiting !== undefined) {
    await storeSession({ ...of, session: waiting }, { patienceMs: 1000, onUnwritten }, context);
    return userLiveSession(of, waiting, options, shared);
  }
  refuseLoop(profile, context);
  if (options.serialNumber === undefined && !profile.settings.get('mfa_serial'))
    profile = await (await import('./initialise.ts')).withDevice(profile, shared, options, context);
  const serialNumber = serialNumberOf(profile, options.serialNumber);
  checkFiles(of.owner, profile, shared);
  for (const warning of warningsOf(profile.name, shared)) tell(context, warning);
  warnOfReaders(files.credentials, context);

  // What another process has fetched while this one was waiting is as good as one of our own.
  const fetchedMeanwhile = (): LiveSession | undefined => {
    const now = readSharedFiles(context.env);
    const kept = findWaiting(now);
    if (kept !== undefined) {
      onUnwritten(new UserError(`could not write ${files.credentials}: another process tried in vain`), true);
      return userLiveSession(of, kept, options, now);
    }
    const found = findUserSession(of, options, now, context.now());
    return found?.session.sessionToken === unwanted ? undefined : found;
  };

  const tokenCode = await givenCode(profile, options);
  const goal = `${profile.files.credentials} ${of.owner}`;
  const lockPath = (what: string) => lockPathFor(profile.files.state, `${what} ${serialNumber}`);

  // Only one process sends a code at a time, and who has one of its own waits for nothing else.
  const exchange = (newSend: () => Promise<Send>, code: string): Promise<LiveSession> =>
    joinFlight(
      {
        path: lockPath('code of'),
        goal: createHash('sha256').update(`${goal} ${code}`).digest('hex'),
        subject: serialNumber,
        canAsk: () => true,
      },
      context,
      fetchedMeanwhile,
      async (flight) => {
        const send = await newSend();
        const session = await send(code, flight);
        await storeSession({ ...of, session }, { flight, onUnwritten }, context);
        return userLiveSession(of, session, options, readSharedFiles(context.env));
      },
    );

  if (tokenCode !== undefined) {
    return exchange(async () => (await newSender(profile, serialNumber, options, context)).send, tokenCode);
  }
  const outcome = await joinFlight<LiveSession | typeof kept>(
    {
      path: lockPath('serial number'),
      goal,
      subject: serialNumber,
      canAsk: () => canAsk(options.input),
      deadline: options.deadline,
    },
    context,
    fetchedMeanwhile,
    async (flight) => {
      const { send, prepare } = await newSender(profile, serialNumber, options, context);
      const asked = { ...options, onAsked: prepare };
      const source = codeSource(profile, serialNumber, asked, context, flight);
      return (await firstTaken(source, (code) => exchange(async () => send, code), flight, context)) ?? kept;
    },
  );
  if (outcome === kept) throw keptError();
  return outcome;
};

/** The session of the first code that AWS takes, of as many as the source allows; undefined to keep the live one. */
const firstTaken = async (
  source: CodeSource,
  exchange: (code: string) => Promise<LiveSession>,
  flight: Flight,
  context: Context,
): Promise<LiveSession | undefined> => {
  for (let left = source.tries; ; left -= 1) {
    const code = await source.next();
    if (code === undefined) return undefined;
    flight.checkOwn();
    try {
      return await exchange(code);
    } catch (error) {
      if (!isUserError(error) || error.failureCode !== rejectedCode || left <= 1) throw error;
      tell(context, `${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`);
      await source.again();
    }
  }
};

// Instead of a session: the one that is live will do, said who was asked.
const kept = Symbol('kept');

/** The `failureCode` of a question that was answered with keeping the live session. */
export const keptSession = 'session kept';

const keptError = (): UserError =>
  new UserError('the live session was kept', { exitCode: exitCode.done, failureCode: keptSession });

/** The seconds that a new session of the user lasts. Raises UserError for what AWS does not take. */
const durationOf = (user: Profile, { duration, minTtl }: UserSessionOptions): number => {
  // that of a role profile which holds the key itself is the role's
  const wish = isRole(user) ? undefined : user.settings.get('duration_seconds') || undefined;
  if (duration === undefined && wish !== undefined && !isDuration(wish)) {
    throw new UserError(
      `duration_seconds of profile ${shellWord(user.name)} must be ${sessionLimits.shortest} to ${sessionLimits.longest}: ${shellWord(wish)}`,
      { hint: 'sessions of a user last 15 minutes to 36 hours; --duration says it for one call' },
    );
  }
  const seconds = duration ?? (wish === undefined ? sessionDefaults.duration : Number(wish));
  if (minTtl < seconds) return seconds;
  const limit = wish === undefined ? '--duration' : `duration_seconds of profile ${shellWord(user.name)}`;
  throw usageError(`--min-ttl must be shorter than ${limit}`);
};

const isDuration = (seconds: string): boolean =>
  /^\d{3,6}$/.test(seconds) &&
  Number(seconds) >= sessionLimits.shortest &&
  Number(seconds) <= sessionLimits.longest;

const warnOfReaders = (path: string, context: Context): void => {
  const mode = othersMode(path);
  if (mode === undefined) return;
  tell(context, `${path} can be read by other users (mode ${mode})`);
  context.log(`  hint: chmod 600 ${shellWord(path)}`);
};

const serialNumberOf = (profile: Profile, option: string | undefined): string => {
  const serialNumber = option ?? profile.settings.get('mfa_serial');
  if (serialNumber === undefined || serialNumber === '') {
    throw new UserError(`profile ${shellWord(profile.name)} has no mfa_serial`, {
      hint: `run: aws-iam-login init ${shellWord(profile.name)}`,
    });
  }
  return validSerialNumber(serialNumber, { given: option !== undefined, profileName: profile.name });
};

/** Raises UserError when the session could not be stored afterwards; before a code is spent. */
const checkFiles = (owner: string, profile: Profile, shared: SharedFiles): void => {
  checkSessionProfile(owner, shared);
  checkCredentialsFile(shared);
  trySessionEdit(owner, profile.settings.get('region'), shared);
  checkEditable(shared.files.credentials, shared.files.state);
};
