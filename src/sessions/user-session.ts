import { createHash } from 'node:crypto';
import { connect, requestFailure, skewOfAnswer } from '../aws/client.ts';
import type { Context } from '../context.ts';
import { accountOfArn, resolveEndpointUrl, resolveRegion } from '../aws/endpoints.ts';
import { UserError, isUserError } from '../errors.ts';
import { checkEditable, editFile, lockPathFor } from '../files/edit.ts';
import { setKeys } from '../ini/ini.ts';
import { longTermCredentials, refuseLoop } from '../profiles/access-key.ts';
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
import { askLine, declined } from '../terminal/prompt.ts';
import { askOrFail, canAsk } from '../terminal/question.ts';
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
import { joinFlight } from './single-flight.ts';
import type { Flight } from './single-flight.ts';
import {
  forgetCode,
  parseTokenCode,
  readTokenCode,
  readUnannouncedCode,
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

/** What login may do beyond the others. */
export type LoginOptions = SessionOptions & {
  /** Whether a live session will do. */
  readonly ifNeeded: boolean;
  /** Whether stdin may hold a code without `--token-code -`; whoever runs a command or a shell leaves it to that. */
  readonly readsStdin?: boolean;
};

/**
 * Gets a new session and stores it as `[<profile>-sts]`; with `ifNeeded` a live one will do. A login that had to wait
 * for another one takes the session which that one fetched. Raises UserError.
 */
export const login = async (options: LoginOptions, context: Context): Promise<LiveSession> =>
  sessionOf(options, context, !options.ifNeeded);

/** The live session of a user profile, fetched first when there is none. Raises UserError. */
export const liveSession = async (options: SessionOptions, context: Context): Promise<LiveSession> =>
  sessionOf(options, context, false);

/** What login says when it is done: the profile and until when, in local time. */
export const describeSession = ({ profileName, session }: LiveSession, now: number): string => {
  const end = new Date(session.expiration * 1000);
  const time = `${String(end.getHours()).padStart(2, '0')}:${String(end.getMinutes()).padStart(2, '0')}`;
  const day =
    end.toDateString() === new Date(now).toDateString() ? '' : `${end.toDateString().slice(0, 10)} `;
  return `session of ${shellWord(profileName)} until ${day}${time} (${formatRemaining(session.expiration - now / 1000)})`;
};

const sessionOf = async (
  options: SessionOptions & { readsStdin?: boolean },
  context: Context,
  fresh: boolean,
): Promise<LiveSession> => {
  const shared = readSharedFiles(context.env);
  const profileName = resolveProfileName(options.profile, context.env, shared);
  const live = findLiveSession(profileName, options, shared, context.now());
  if (live !== undefined && !fresh) return live;

  const stored = readSession(profileName, shared);
  const profile = getProfile(profileName, shared);
  const serialNumber = serialNumberOf(profile, options.serialNumber);
  refuseLoop(profile, context);
  checkFiles(profile, shared);
  for (const warning of warningsOf(profile.name, shared)) context.log(`aws-iam-login: ${warning}`);

  // What another process has fetched while this one was waiting is as good as one of our own.
  const fetchedMeanwhile = (): LiveSession | undefined => {
    const found = findLiveSession(profileName, options, readSharedFiles(context.env), context.now());
    const isNew = found?.session.sessionToken !== stored?.sessionToken;
    return isNew || !fresh ? found : undefined;
  };

  const tokenCode = await givenCode(profile, options);
  const goal = `${profile.files.credentials} ${profileName}`;
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
        await storeSession(profile, session, context, flight);
        return toLiveSession(profileName, session, options.region, readSharedFiles(context.env));
      },
    );

  if (tokenCode !== undefined) {
    return exchange(() => newSender(profile, serialNumber, options, context), tokenCode);
  }
  return joinFlight(
    {
      path: lockPath('serial number'),
      goal,
      subject: serialNumber,
      canAsk: () => canAsk(options.input),
    },
    context,
    fetchedMeanwhile,
    async (flight) => {
      const send = await newSender(profile, serialNumber, options, context);
      const source = codeSource(profile, serialNumber, options, context, flight);
      for (let rejections = 0; ;) {
        const code = await source.next();
        flight.checkOwn();
        try {
          return await exchange(async () => send, code);
        } catch (error) {
          if (!isUserError(error) || error.awsCode !== rejectedCode) throw error;
          rejections += 1;
          if (rejections >= source.tries) throw error;
          context.log(`aws-iam-login: ${error.message}${error.hint === undefined ? '' : ` (${error.hint})`}`);
          await source.again();
        }
      }
    },
  );
};

/** The code that this process brought along. It is read before anybody has to wait for it. Raises UserError. */
const givenCode = async (
  profile: Profile,
  { tokenCode, readsStdin, input }: SessionOptions & { readsStdin?: boolean },
): Promise<string | undefined> => {
  if (tokenCode === '-') return readTokenCode();
  if (tokenCode !== undefined) return parseTokenCode(tokenCode);
  const mayRead = readsStdin === true && input && !profile.keys.get('mfa_process') && !canAsk(true);
  return mayRead ? readUnannouncedCode() : undefined;
};

const serialNumberOf = (profile: Profile, option: string | undefined): string => {
  const serialNumber = option ?? profile.keys.get('mfa_serial');
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

/** Sends a code to AWS, once. Raises UserError, with `awsCode` `rejectedCode` when another one may do. */
type Send = (tokenCode: string, flight: Flight) => Promise<Session>;

const newSender = async (
  profile: Profile,
  serialNumber: string,
  options: SessionOptions,
  context: Context,
): Promise<Send> => {
  let credentials = await longTermCredentials(profile, context);
  checkAccount(credentials, serialNumber, profile);
  const connectAs = (key: AccessKey) =>
    connect(
      {
        credentials: key,
        region: resolveRegion(options.region, profile.keys.get('region'), serialNumber),
        endpointUrls: { sts: resolveEndpointUrl('sts', profile, context.env), iam: undefined },
        hook: options.hook,
      },
      context.env,
    );
  let aws = connectAs(credentials);
  return async (tokenCode, flight) => {
    const send = (): Promise<Session> => {
      flight.checkOwn();
      rememberCode(profile.files.state, serialNumber, tokenCode, context);
      return sendCode(aws, profile, serialNumber, tokenCode, options, context);
    };
    const session = await send().catch((error: unknown) => {
      const replaced = replacedKey(error, credentials, profile, context);
      if (replaced === undefined) throw error;
      credentials = replaced;
      aws = connectAs(replaced);
      return send();
    });
    const skew = aws.clockOffset() / 1000;
    if (skew !== 0) context.log(`aws-iam-login: ${describeSkew(skew)}: set it`);
    return checkedByClock(session, options, context);
  };
};

// A rotation may have replaced the key while the question stood: AWS has not judged the code then.
const replacedKey = (
  error: unknown,
  { accessKeyId }: AccessKey,
  profile: Profile,
  context: Context,
): AccessKey | undefined => {
  if (!isUserError(error) || error.awsCode !== 'InvalidClientTokenId') return undefined;
  const now = findProfile(profile.name, readSharedFiles(context.env));
  const key = now && longTermKeyOf(now);
  return key?.accessKeyId === accessKeyId ? undefined : key;
};

const sendCode = async (
  aws: ReturnType<typeof connect>,
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
    if (notJudged.has(error.awsCode ?? '')) forgetCode(profile.files.state, serialNumber, tokenCode, context);
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
  if (error.awsCode === 'AccessDenied' && message.includes('one time pass code')) {
    const skew = skewOfAnswer(error, context.now()) ?? 0;
    const clock = Math.abs(skew) >= 30 ? `, or ${describeSkew(skew)}` : '';
    return new UserError(`AWS rejected the token code: mistyped, used before, or of another device${clock}`, {
      hint: `the next code comes in ${secondsToNextCode(context.now())} s`,
      awsCode: rejectedCode,
      cause: error.cause,
    });
  }
  if (error.awsCode === 'AccessDenied' && message.includes('validate MFA code')) {
    return new UserError(`AWS does not know the MFA device ${serialNumber} of this user`, {
      hint: init,
      awsCode: error.awsCode,
      cause: error.cause,
    });
  }
  if (error.awsCode === 'AccessDenied' && message.includes('session credentials')) {
    return new UserError(
      `profile ${shellWord(profile.name)} holds a session, and AWS gives no session for a session`,
      {
        hint: 'name the profile with the long-term access key',
        awsCode: error.awsCode,
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

const storeSession = async (
  profile: Profile,
  session: Session,
  context: Context,
  flight: Flight,
): Promise<void> => {
  const { credentials } = profile.files;
  await editFile(
    credentials,
    (bytes) => {
      const shared = { ...readSharedFiles(context.env), credentialsBytes: bytes };
      checkSessionProfile(profile.name, shared);
      const keys = sessionKeys(profile.name, session, profile.keys.get('region'), shared);
      flight.checkOwn();
      return setKeys(bytes, 'credentials', sessionProfileName(profile.name), keys);
    },
    { state: profile.files.state },
  );
};

type CodeSource = {
  /** How many codes AWS may reject before the login fails. */
  readonly tries: number;
  readonly next: () => Promise<string>;
  /** What has to happen before the next try. */
  readonly again: () => Promise<void>;
};

/** Where the codes come from that nobody has brought along: `mfa_process`, else the terminal. */
const codeSource = (
  profile: Profile,
  serialNumber: string,
  options: SessionOptions,
  context: Context,
  flight: Flight,
): CodeSource => {
  const command = profile.keys.get('mfa_process');
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
  const question = {
    need: `a token code for ${serialNumber} is needed`,
    hint: 'give it with --token-code, or let mfa_process in the profile print it; --token-code - reads it from stdin',
    input: options.input,
    state: profile.files.state,
  };
  return askOrFail(question, context, async () => {
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
