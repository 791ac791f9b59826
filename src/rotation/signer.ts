import type { Aws } from '../aws/client.ts';
import type { Context } from '../context.ts';
import { UserError, isUserError } from '../errors.ts';
import { sessionDefaults } from '../sessions/defaults.ts';
import { findUserSession } from '../sessions/live-session.ts';
import { sayUnwritten } from '../sessions/login.ts';
import { readStored } from '../sessions/stored-session.ts';
import { userSession } from '../sessions/user-session.ts';
import { connectAs as connectWith } from '../profiles/caller.ts';
import { findProfile, readSharedFiles } from '../profiles/profile.ts';
import type { AccessKey, Profile } from '../profiles/profile.ts';
import { sessionOwner } from '../profiles/role.ts';
import type { Session } from '../aws/answers.ts';
import { shellWord } from '../text.ts';

export type SignerOptions = {
  readonly tokenCode?: string | undefined;
  readonly serialNumber?: string | undefined;
  readonly region?: string | undefined;
  readonly input: boolean;
};

/** Who signs a rotation's calls: a long-term key, and from the first AccessDenied on an MFA session. */
export type Signer = {
  /** Makes a call as the present signer, and again as the MFA session when that is what AWS demands. Raises UserError. */
  readonly call: <Result>(work: (aws: Aws) => Promise<Result>) => Promise<Result>;
  /** Signs with another long-term key from now on; an MFA session stays. */
  readonly useKey: (key: AccessKey) => void;
  /** Calls as a certain key. */
  readonly as: (key: AccessKey) => Aws;
  /** Calls as the present signer, whatever the answer. */
  readonly present: () => Aws;
  /** Calls as an MFA session when there is a live one, without asking for a code. */
  readonly asLiveSession: () => Aws | undefined;
  /** Signs with the live MFA session from now on; whether there is one. */
  readonly useLiveSession: () => boolean;
  /** The time by AWS's clock, as its last answer told it, in milliseconds since the epoch; else by ours. */
  readonly awsNow: () => number;
};

/** AWS as a profile's settings reach it, for any credentials; `arn` tells the partition where the profile does not. */
export const connectAs = (
  credentials: AccessKey | Session,
  profile: Profile,
  options: SignerOptions,
  context: Context,
  arn?: string,
  onDate: (date: number) => void = () => {},
): Aws => {
  const serialNumber = options.serialNumber ?? profile.settings.get('mfa_serial');
  const { region } = options;
  const { env, log } = context;
  return connectWith(credentials, profile, { region, arn: serialNumber ?? arn }, { env, log, onDate });
};

/** How long AWS may take to make a change known everywhere, in milliseconds. */
export const settleLimit = 60_000;

/** Begins to sign with `key`, for the user `arn`. At most one token code is asked for, however many calls follow. */
export const newSigner = (
  profile: Profile,
  arn: string,
  key: AccessKey,
  options: SignerOptions,
  context: Context,
): Signer => {
  let awsIsAhead = 0;
  const onDate = (date: number): void => {
    awsIsAhead = date - context.now();
  };
  const as = (credentials: AccessKey | Session): Aws =>
    connectAs(credentials, profile, options, context, arn, onDate);
  let current = as(key);
  let session: { aws: Aws; isNew: boolean } | undefined;

  const liveSession = (): Session | undefined =>
    findUserSession(
      { owner: sessionOwner(profile), profile },
      sessionDefaults,
      readSharedFiles(context.env),
      context.now(),
    )?.session;

  const openSession = async (denied: UserError, mayReuse: boolean): Promise<typeof session> => {
    const live = mayReuse ? liveSession() : undefined;
    if (live !== undefined && (await isSessionOf(as(live), arn))) return { aws: as(live), isNew: false };
    if (!profile.settings.get('mfa_serial') && options.serialNumber === undefined)
      throw explainDenied(denied, profile);
    const shared = readSharedFiles(context.env);
    const { minTtl } = sessionDefaults;
    const asked = { ...options, minTtl, hook: false, onUnwritten: sayUnwritten(context) };
    const stored = readStored(sessionOwner(profile), shared)?.session.sessionToken;
    // read again: the rotation itself has written a new key since
    const present = findProfile(profile.name, shared) ?? profile;
    const fetched = await userSession(present, shared, asked, context, stored);
    return { aws: as(fetched.session), isNew: true };
  };

  const call = async <Result>(work: (aws: Aws) => Promise<Result>): Promise<Result> => {
    const end = context.now() + settleLimit;
    for (let pause = firstPause; ; pause = Math.min(pause * 1.5, longestPause)) {
      try {
        return await work(session?.aws ?? current);
      } catch (error) {
        if (!isUserError(error)) throw error;
        const isUnknown = error.failureCode === 'InvalidClientTokenId';
        if (session !== undefined) {
          // a session without MFA is unknown to IAM, and waiting does not help
          if (session.isNew || !(isUnknown || error.failureCode === 'ExpiredToken'))
            throw explainDenied(error, profile);
          session = await openSession(error, false);
        } else if (error.failureCode === 'AccessDenied') {
          session = await openSession(error, true);
        } else if (isUnknown && context.now() < end) {
          if (pause === firstPause)
            context.log('aws-iam-login: AWS does not know the key everywhere yet: waiting');
          await context.sleep(pause);
        } else {
          throw error;
        }
      }
    }
  };

  const asLiveSession = (): Aws | undefined => {
    if (session !== undefined) return session.aws;
    const live = liveSession();
    return live === undefined ? undefined : as(live);
  };

  return {
    call,
    useKey: (next) => {
      current = as(next);
    },
    as,
    present: () => session?.aws ?? current,
    asLiveSession,
    useLiveSession: () => {
      const aws = asLiveSession();
      session ??= aws === undefined ? undefined : { aws, isNew: false };
      return aws !== undefined;
    },
    awsNow: () => context.now() + awsIsAhead,
  };
};

/** The pauses between two questions to AWS while a change settles, in milliseconds. */
export const firstPause = 50;
export const longestPause = 250;

const isSessionOf = async (aws: Aws, arn: string): Promise<boolean> => {
  try {
    return (await aws.getCallerIdentity()).arn === arn;
  } catch (error) {
    if (isUserError(error) && ['InvalidClientTokenId', 'ExpiredToken'].includes(error.failureCode ?? ''))
      return false;
    throw error;
  }
};

const explainDenied = (error: UserError, profile: Profile): UserError =>
  error.failureCode === 'AccessDenied'
    ? new UserError(error.message, {
        hint: profile.settings.get('mfa_serial')
          ? 'aws-iam-login policy prints the permissions that the user needs'
          : `if the policy demands MFA: aws-iam-login init ${shellWord(profile.name)}; aws-iam-login policy prints what the user needs`,
        failureCode: error.failureCode,
        cause: error.cause,
      })
    : error;
