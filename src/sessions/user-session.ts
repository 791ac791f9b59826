import type { Aws } from '../aws/client.ts';
import { requestFailure, skewOfAnswer } from '../aws/errors.ts';
import type { Context } from '../context.ts';
import { accountOfArn } from '../aws/arns.ts';
import { UserError, exitCode, isUserError } from '../errors.ts';
import { checkEditable, editFile } from '../files/edit.ts';
import { lockPathFor } from '../files/state-files.ts';
import { setSettings } from '../ini/edit.ts';
import { longTermCredentials, refuseLoop } from '../profiles/access-key.ts';
import { connectAs } from '../profiles/caller.ts';
import {
  accountOfKeyId,
  checkCredentialsFile,
  findProfile,
  getProfile,
  longTermKeyOf,
  readSharedFiles,
  resolveProfileName,
  warningsOf,
  sessionProfileName,
} from '../profiles/profile.ts';
import type { AccessKey, Profile, SharedFiles } from '../profiles/profile.ts';
import { askLine, declined, findTerminal } from '../terminal/prompt.ts';
import { validSerialNumber } from '../profiles/serial-number.ts';
import {
  checkSessionProfile,
  findLiveSession,
  formatRemaining,
  isLive,
  readSession,
  sessionKeys,
  toLiveSession,
} from './stored-session.ts';
import type { LiveSession, Session } from './stored-session.ts';
import { shellWord } from '../text.ts';
import { dropWaitingSession, findWaitingSession, keepWaitingSession } from './waiting-session.ts';
import { trySessionEdit } from './session-trial.ts';
import { joinFlight, withTerminal } from './single-flight.ts';
import type { Flight } from './single-flight.ts';
import {
  forgetCode,
  parseTokenCode,
  readTokenCode,
  rejectedCode,
  rememberCode,
  runMfaProcess,
  secondsToNextCode,
} from './token-code.ts';

export type SessionOptions = {
  readonly profile?: string | undefined;
  /** Six digits, or `-` for stdin. */
  readonly tokenCode?: string | undefined;
  /** Seconds that a new session lasts. */
  readonly duration: number;
  /** Seconds that a session must still last to be reused. */
  readonly minTtl: number;
  readonly serialNumber?: string | undefined;
  readonly region?: string | undefined;
  readonly input: boolean;
  /** Whether the shell's prompt is waiting. */
  readonly hook: boolean;
};

/**
 * Gets a new session and stores it as `[<profile>-sts]`; with `ifNeeded` a live one will do. A login that had to wait
 * for another one takes the session which that one fetched. Raises UserError.
 */
export const login = async (
  options: SessionOptions & { ifNeeded: boolean },
  context: Context,
): Promise<LiveSession> => {
  let unwritten: UserError | undefined;
  const live = await sessionOf(options, context, !options.ifNeeded, (reason, kept) => {
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

/** The live session of a user profile, fetched first when there is none. Raises UserError. */
export const liveSession = async (options: SessionOptions, context: Context): Promise<LiveSession> =>
  sessionOf(options, context, false, ({ message }, kept) =>
    context.log(
      `aws-iam-login: ${message}; ${kept ? 'the session is kept, and the next call writes it' : 'the session is not kept'}`,
    ),
  );

/** What login says when it is done: the profile and until when, in local time. */
export const describeSession = ({ profileName, session }: LiveSession, now: number): string => {
  const end = new Date(session.expiration * 1000);
  const time = `${String(end.getHours()).padStart(2, '0')}:${String(end.getMinutes()).padStart(2, '0')}`;
  const day =
    end.toDateString() === new Date(now).toDateString() ? '' : `${end.toDateString().slice(0, 10)} `;
  return `session of ${shellWord(profileName)} until ${day}${time} (${formatRemaining(session.expiration - now / 1000)})`;
};

/** Is told why a session is not in the credentials file, and whether it waits in the state folder instead. */
type OnUnwritten = (reason: UserError, kept: boolean) => void;

const sessionOf = async (
  options: SessionOptions,
  context: Context,
  fresh: boolean,
  onUnwritten: OnUnwritten,
): Promise<LiveSession> => {
  const shared = readSharedFiles(context.env);
  const profileName = resolveProfileName(options.profile, context.env, shared);
  const live = findLiveSession(profileName, options, shared, context.now());
  if (live !== undefined && !fresh) return live;

  const stored = readSession(profileName, shared);
  const profile = getProfile(profileName, shared);
  const waiting = findWaitingSession(shared.files, profileName, stored, options.minTtl, context.now());
  if (waiting !== undefined) {
    await storeSession(profile, waiting, context, { patienceMs: 1000, onUnwritten });
    return toLiveSession(profileName, waiting, options.region, shared);
  }
  const serialNumber = serialNumberOf(profile, options.serialNumber);
  refuseLoop(profile, context);
  checkFiles(profile, shared);
  for (const warning of warningsOf(profile.name, shared)) context.log(`aws-iam-login: ${warning}`);

  // What another process has fetched while this one was waiting is as good as one of our own.
  const fetchedMeanwhile = (): LiveSession | undefined => {
    const now = readSharedFiles(context.env);
    const kept = findWaitingSession(
      now.files,
      profileName,
      readSession(profileName, now),
      options.minTtl,
      context.now(),
    );
    if (kept !== undefined) {
      onUnwritten(
        new UserError(`could not write ${now.files.credentials}: another process tried in vain`),
        true,
      );
      return toLiveSession(profileName, kept, options.region, now);
    }
    const found = findLiveSession(profileName, options, now, context.now());
    const isNew = found?.session.sessionToken !== stored?.sessionToken;
    return isNew || !fresh ? found : undefined;
  };

  return joinFlight(
    {
      path: lockPathFor(profile.files.state, `serial number ${serialNumber}`),
      goal: `${profile.files.credentials} ${profileName}`,
      subject: serialNumber,
      canAsk: () => options.input && typeof findTerminal() === 'object',
    },
    context,
    fetchedMeanwhile,
    async (flight) => {
      const session = await fetchSession(profile, serialNumber, options, context, flight);
      await storeSession(profile, session, context, { flight, onUnwritten });
      return toLiveSession(profileName, session, options.region, readSharedFiles(context.env));
    },
  );
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
const checkFiles = (profile: Profile, shared: SharedFiles): void => {
  checkSessionProfile(profile.name, shared);
  checkCredentialsFile(shared);
  trySessionEdit(profile.name, profile.settings.get('region'), shared);
  checkEditable(profile.files.credentials, profile.files.state);
};

/** Raises UserError when key and device are of different accounts. */
const checkAccount = (key: AccessKey, serialNumber: string, profile: Profile): void => {
  const account = accountOfKeyId(key.accessKeyId);
  const serialAccount = accountOfArn(serialNumber);
  if (account === undefined || serialAccount === undefined || account === serialAccount) return;
  throw new UserError(
    `the MFA device ${serialNumber} is of account ${serialAccount}, but the access key of profile ${shellWord(profile.name)} is of account ${account}`,
    { hint: `run: aws-iam-login init ${shellWord(profile.name)} --force` },
  );
};

const fetchSession = async (
  profile: Profile,
  serialNumber: string,
  options: SessionOptions,
  context: Context,
  flight: Flight,
): Promise<Session> => {
  let credentials = await longTermCredentials(profile, context);
  checkAccount(credentials, serialNumber, profile);
  const { region, hook } = options;
  const connectWith = (key: AccessKey): Aws =>
    connectAs(key, profile, { region, arn: serialNumber, hook }, context);
  let aws = connectWith(credentials);
  const source = codeSource(profile, serialNumber, options, context, flight);
  for (let rejections = 0; ;) {
    const tokenCode = await source.next();
    flight.checkOwn();
    const send = (): Promise<Session> => {
      rememberCode(profile.files.state, serialNumber, tokenCode, context);
      return sendCode(aws, profile, serialNumber, tokenCode, options, context);
    };
    try {
      const session = await send().catch((error: unknown) => {
        const replaced = replacedKey(error, credentials, profile, context);
        if (replaced === undefined) throw error;
        credentials = replaced;
        aws = connectWith(replaced);
        return send();
      });
      const skew = aws.clockOffset() / 1000;
      if (skew !== 0) context.log(`aws-iam-login: ${describeSkew(skew)}: set it`);
      return checkedByClock(session, options, context);
    } catch (error) {
      if (!isUserError(error) || error.failureCode !== rejectedCode) throw error;
      rejections += 1;
      if (rejections >= source.tries) throw error;
      context.log(`aws-iam-login: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`);
      await source.again();
    }
  }
};

// A rotation may have replaced the key while the question stood: AWS has not judged the code then.
const replacedKey = (
  error: unknown,
  { accessKeyId }: AccessKey,
  profile: Profile,
  context: Context,
): AccessKey | undefined => {
  if (!isUserError(error) || error.failureCode !== 'InvalidClientTokenId') return undefined;
  const now = findProfile(profile.name, readSharedFiles(context.env));
  const key = now && longTermKeyOf(now);
  return key?.accessKeyId === accessKeyId ? undefined : key;
};

const sendCode = async (
  aws: Aws,
  profile: Profile,
  serialNumber: string,
  tokenCode: string,
  options: SessionOptions,
  context: Context,
): Promise<Session> => {
  try {
    return await aws.getSessionToken(serialNumber, tokenCode, options.duration);
  } catch (error) {
    if (!isUserError(error)) throw error;
    if (notJudged.has(error.failureCode ?? ''))
      forgetCode(profile.files.state, serialNumber, tokenCode, context);
    throw explainRejection(error, profile, serialNumber, context);
  }
};

// What AWS answers before it looks at the code, and what never reached it.
const notJudged = new Set<string>([
  requestFailure.notSent,
  'InvalidClientTokenId',
  'SignatureDoesNotMatch',
  'IncompleteSignature',
  'MissingAuthenticationToken',
  'ExpiredToken',
  'RegionDisabledException',
  'Throttling',
]);

// By the message, where AWS has only one code for everything: reference in the README's troubleshooting.
const explainRejection = (
  error: UserError,
  profile: Profile,
  serialNumber: string,
  context: Context,
): UserError => {
  const message = error.cause instanceof Error ? error.cause.message : '';
  const init = `run: aws-iam-login init ${shellWord(profile.name)} --force`;
  if (error.failureCode === 'AccessDenied' && message.includes('one time pass code')) {
    const skew = skewOfAnswer(error, context.now()) ?? 0;
    const clock = Math.abs(skew) >= 30 ? `, or ${describeSkew(skew)}` : '';
    return new UserError(`AWS rejected the token code: mistyped, used before, or of another device${clock}`, {
      hint: `the next code comes in ${secondsToNextCode(context.now())} s`,
      failureCode: rejectedCode,
      cause: error.cause,
    });
  }
  if (error.failureCode === 'AccessDenied' && message.includes('validate MFA code')) {
    return new UserError(`AWS does not know the MFA device ${serialNumber} of this user`, {
      hint: init,
      failureCode: error.failureCode,
      cause: error.cause,
    });
  }
  if (error.failureCode === 'AccessDenied' && message.includes('session credentials')) {
    return new UserError(
      `profile ${shellWord(profile.name)} holds a session, and AWS gives no session for a session`,
      {
        hint: 'name the profile with the long-term access key',
        failureCode: error.failureCode,
        cause: error.cause,
      },
    );
  }
  return error;
};

/** How far AWS's clock is ahead of ours (seconds; negative: behind), in words. */
const describeSkew = (seconds: number): string => {
  const distance = Math.abs(seconds);
  const rounded = distance < 60 ? distance : Math.round(distance / 60) * 60;
  return `the clock of this machine is ${formatRemaining(rounded)} ${seconds > 0 ? 'behind' : 'ahead'}`;
};

const checkedByClock = (session: Session, options: SessionOptions, context: Context): Session => {
  const live = isLive(session, context.now(), options.minTtl);
  if (live) return session;
  throw new UserError('the new session has expired already by the clock of this machine', {
    hint: `AWS says it ends at ${new Date(session.expiration * 1000).toISOString()}: set the clock`,
  });
};

type StoreOptions = {
  /** The flight that has fetched the session; none for one that has waited in the state folder. */
  readonly flight?: Flight;
  readonly patienceMs?: number;
  readonly onUnwritten: OnUnwritten;
};

/** Writes the session into the credentials file; what cannot be written waits in the state folder. */
const storeSession = async (
  profile: Profile,
  session: Session,
  context: Context,
  { flight, patienceMs, onUnwritten }: StoreOptions,
): Promise<void> => {
  const { files } = profile;
  // as soon as it takes longer: Ctrl-C may come
  const keep = (): void => keepWaitingSession(files, profile.name, session);
  try {
    await editFile(
      files.credentials,
      (bytes) => {
        const shared = { ...readSharedFiles(context.env), credentialsBytes: bytes };
        checkSessionProfile(profile.name, shared);
        flight?.checkOwn();
        const stored = readSession(profile.name, shared);
        if (flight === undefined && stored !== undefined && stored.expiration >= session.expiration)
          return bytes;
        const settings = sessionKeys(profile.name, session, profile.settings.get('region'), shared);
        return setSettings(bytes, 'credentials', sessionProfileName(profile.name), settings);
      },
      { state: files.state, onBusy: keep, patienceMs },
    );
    dropWaitingSession(files, profile.name);
  } catch (error) {
    if (!isUserError(error)) throw error;
    flight?.checkOwn();
    onUnwritten(error, succeeds(keep));
  }
};

/** Whether the work is done; raises what is no UserError. */
const succeeds = (work: () => void): boolean => {
  try {
    work();
    return true;
  } catch (error) {
    if (!isUserError(error)) throw error;
    return false;
  }
};

type CodeSource = {
  /** How many codes AWS may reject before the login fails. */
  readonly tries: number;
  readonly next: () => Promise<string>;
  /** What has to happen before the next try. */
  readonly again: () => Promise<void>;
};

/** Where token codes come from: the first that applies of `--token-code`, `mfa_process`, the terminal. */
const codeSource = (
  profile: Profile,
  serialNumber: string,
  options: SessionOptions,
  context: Context,
  flight: Flight,
): CodeSource => {
  const { tokenCode } = options;
  if (tokenCode !== undefined) {
    return {
      tries: 1,
      next: async () => (tokenCode === '-' ? readTokenCode() : parseTokenCode(tokenCode)),
      again: async () => {},
    };
  }
  const command = profile.settings.get('mfa_process');
  if (command !== undefined && command !== '') {
    return {
      tries: 2,
      next: () => runMfaProcess(command, profile.name, context.env),
      again: () => context.sleep(secondsToNextCode(context.now()) * 1000),
    };
  }
  return {
    tries: 3,
    next: () => askTokenCode(serialNumber, profile, options, context, flight),
    again: async () => {},
  };
};

const askTokenCode = async (
  serialNumber: string,
  profile: Profile,
  options: SessionOptions,
  context: Context,
  flight: Flight,
): Promise<string> => {
  const terminal = options.input ? findTerminal() : 'none';
  if (typeof terminal === 'string') {
    throw new UserError(
      options.input
        ? `a token code for ${serialNumber} is needed, and ${terminal === 'background' ? 'a background job cannot ask' : 'there is no terminal to ask on'}`
        : `a token code for ${serialNumber} is needed, and --no-input forbids to ask`,
      {
        hint: 'give it with --token-code, or let mfa_process in the profile print it',
        exitCode: exitCode.noSession,
      },
    );
  }
  return withTerminal(lockPathFor(profile.files.state, `terminal ${terminal.id}`), context, async () => {
    flight.asking(true);
    const overtaken = watchFlight(flight);
    try {
      return await askUntilSixDigits(serialNumber, context, overtaken.signal);
    } finally {
      overtaken.end();
      flight.asking(false);
    }
  });
};

// Who was stopped for long finds another one asking: two that read from one terminal would get half a code each.
const watchFlight = (flight: Flight): { signal: AbortSignal; end: () => void } => {
  const controller = new AbortController();
  const timer = setInterval(() => {
    try {
      flight.checkOwn();
    } catch (error) {
      controller.abort(error);
    }
  }, 500);
  return { signal: controller.signal, end: () => clearInterval(timer) };
};

const askUntilSixDigits = async (
  serialNumber: string,
  context: Context,
  signal: AbortSignal,
): Promise<string> => {
  for (;;) {
    const line = (await askLine(`Enter MFA code for ${serialNumber}: `, signal)).trim();
    if (line === '') throw declined();
    try {
      return parseTokenCode(line);
    } catch (error) {
      if (!isUserError(error)) throw error;
      context.log(`aws-iam-login: ${error.message}`);
    }
  }
};
