import type { Session } from '../aws/answers.ts';
import { accountOfArn } from '../aws/arns.ts';
import type { Aws } from '../aws/client.ts';
import { requestFailure, skewOfAnswer } from '../aws/errors.ts';
import type { Context } from '../context.ts';
import { UserError, isUserError } from '../errors.ts';
import { longTermCredentials, ownKeyOf } from '../profiles/access-key.ts';
import { connectAs } from '../profiles/caller.ts';
import { accountOfKeyId, findUserProfile, readSharedFiles } from '../profiles/profile.ts';
import type { AccessKey, Profile } from '../profiles/profile.ts';
import { shellWord } from '../text.ts';
import { forgetCode, rejectedCode, rememberCode, secondsToNextCode } from './code-guard.ts';
import { formatRemaining, isLive } from './expiration.ts';
import type { Flight } from './single-flight.ts';

export type ExchangeOptions = {
  /** Seconds that the new session lasts. */
  readonly duration: number;
  /** Seconds that it must last by the clock of this machine. */
  readonly minTtl: number;
  readonly region?: string | undefined;
  /** Whether anything may be asked, a key store's password included. */
  readonly input: boolean;
  /** Whether the shell's prompt is waiting. */
  readonly hook: boolean;
};

/** Sends a code to AWS, once. Raises UserError, with `failureCode` `rejectedCode` when another one may do. */
export type Send = (tokenCode: string, flight: Flight) => Promise<Session>;

export type CodeSender = {
  readonly send: Send;
  /** Makes the first `send` quick. */
  readonly prepare: () => void;
};

/** Who sends codes for a profile, as its long-term key. Raises UserError when it has none. */
export const newSender = async (
  profile: Profile,
  serialNumber: string,
  options: ExchangeOptions,
  context: Context,
): Promise<CodeSender> => {
  let credentials = await longTermCredentials(profile, options, context);
  checkAccount(credentials, serialNumber, profile);
  const { region, hook } = options;
  const connectWith = (key: AccessKey): Aws =>
    connectAs(key, profile, { region, arn: serialNumber, hook }, context);
  let aws = connectWith(credentials);
  const send: Send = async (tokenCode, flight) => {
    const sendOnce = (): Promise<Session> => {
      flight.checkOwn();
      rememberCode(profile.files.state, serialNumber, tokenCode, context);
      return sendCode(aws, profile, serialNumber, tokenCode, options, context);
    };
    const session = await sendOnce().catch(async (error: unknown) => {
      const replaced = await replacedKey(error, credentials, profile, options, context);
      if (replaced === undefined) throw error;
      credentials = replaced;
      aws = connectWith(replaced);
      return sendOnce();
    });
    const skew = aws.clockOffset() / 1000;
    if (skew !== 0) context.log(`aws-iam-login: ${describeSkew(skew)}: set it`);
    return checkedByClock(session, options, context);
  };
  return { send, prepare: () => void aws.prepareSessionToken() };
};

// A rotation may have replaced the key while the question stood: AWS has not judged the code then.
const replacedKey = async (
  error: unknown,
  { accessKeyId }: AccessKey,
  profile: Profile,
  options: ExchangeOptions,
  context: Context,
): Promise<AccessKey | undefined> => {
  if (!isUserError(error) || error.failureCode !== 'InvalidClientTokenId') return undefined;
  const now = findUserProfile(profile.name, readSharedFiles(context.env));
  const key = now && (await ownKeyOf(now, options, context));
  return key?.accessKeyId === accessKeyId ? undefined : key;
};

const sendCode = async (
  aws: Aws,
  profile: Profile,
  serialNumber: string,
  tokenCode: string,
  options: ExchangeOptions,
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

// By the message, where AWS has only one code for everything: docs/troubleshooting.md.
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

/** The session. Raises UserError when it is not live by the clock of this machine. */
export const checkedByClock = (
  session: Session,
  options: { readonly minTtl: number },
  context: Context,
): Session => {
  const live = isLive(session, context.now(), options.minTtl);
  if (live) return session;
  throw new UserError('the new session has expired already by the clock of this machine', {
    hint: `AWS says it ends at ${new Date(session.expiration * 1000).toISOString()}: set the clock`,
  });
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
