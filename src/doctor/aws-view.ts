import type { KeyMetadata, Session } from '../aws/answers.ts';
import { userNameOfArn } from '../aws/arns.ts';
import type { Aws } from '../aws/client.ts';
import type { Context } from '../context.ts';
import { isUserError } from '../errors.ts';
import type { UserError } from '../errors.ts';
import { longTermCredentials } from '../profiles/access-key.ts';
import { connectAs } from '../profiles/caller.ts';
import { newKeyDates } from '../profiles/key-dates.ts';
import { noteKeyDate } from '../profiles/note-key-date.ts';
import type { AccessKey, Profile, SharedFiles } from '../profiles/profile.ts';
import { sessionOwner } from '../profiles/role.ts';
import { sessionDefaults } from '../sessions/defaults.ts';
import { findUserSession } from '../sessions/live-session.ts';

/** What AWS says about a user, or why it does not. */
export type AwsView = {
  readonly arn: string | UserError;
  /** Milliseconds that AWS's clock is ahead of ours; undefined where no answer told. */
  readonly clockAhead: number | undefined;
  /** The id of the key that was asked with. */
  readonly accessKeyId: string | undefined;
  readonly keys: readonly KeyMetadata[] | UserError;
  readonly serialNumbers: readonly string[] | UserError;
};

/**
 * Asks AWS about a user with the long-term key and, where a policy wants MFA for that, with the live session; asks
 * nobody for a code. Notes when the keys were made.
 */
export const askAws = async (user: Profile, shared: SharedFiles, context: Context): Promise<AwsView> => {
  let clockAhead: number | undefined;
  const onDate = (date: number): void => {
    clockAhead = date - context.now();
  };
  const serialNumber = user.settings.get('mfa_serial');
  const { env, log } = context;
  const as = (credentials: AccessKey | Session): Aws =>
    connectAs(credentials, user, { arn: serialNumber }, { env, log, onDate });
  const key = await orFailure(longTermCredentials(user, { input: false }, context));
  if (isUserError(key)) return nothing(key);
  const arn = await orFailure(aboutCaller(() => as(key)));
  const view = { arn, clockAhead, accessKeyId: key.accessKeyId };
  const userName = isUserError(arn) ? undefined : userNameOfArn(arn);
  if (isUserError(arn)) return { ...nothing(arn), ...view };
  if (userName === undefined) return { ...view, keys: [], serialNumbers: [] };
  const session = findUserSession(
    { owner: sessionOwner(user), profile: user },
    sessionDefaults,
    shared,
    context.now(),
  )?.session;
  const either = async <Answer>(work: (aws: Aws) => Promise<Answer>): Promise<Answer | UserError> => {
    const first = await orFailure(work(as(key)));
    const isDenied = isUserError(first) && first.failureCode === 'AccessDenied';
    return isDenied && session !== undefined ? orFailure(work(as(session))) : first;
  };
  const [keys, serialNumbers] = await Promise.all([
    either((aws) => aws.listAccessKeys(userName)),
    either(async (aws) => (await aws.listMfaDevices(userName)).map((device) => device.serialNumber)),
  ]);
  if (!isUserError(keys)) noteDates(keys, shared);
  return { ...view, clockAhead, keys, serialNumbers };
};

const aboutCaller = async (connect: () => Aws): Promise<string> => (await connect().getCallerIdentity()).arn;

const nothing = (reason: UserError): AwsView => ({
  arn: reason,
  clockAhead: undefined,
  accessKeyId: undefined,
  keys: reason,
  serialNumbers: reason,
});

const orFailure = async <Answer>(answer: Promise<Answer>): Promise<Answer | UserError> => {
  try {
    return await answer;
  } catch (error) {
    if (isUserError(error)) return error;
    throw error;
  }
};

// A folder that cannot be written is told by another check.
const noteDates = (keys: readonly KeyMetadata[], { files }: SharedFiles): void => {
  for (const { accessKeyId, createDate } of keys) {
    if (createDate === undefined) continue;
    try {
      if (newKeyDates(files.state)(accessKeyId) === createDate.getTime()) continue;
      noteKeyDate(files.state, accessKeyId, createDate.getTime());
    } catch (error) {
      if (!isUserError(error)) throw error;
    }
  }
};
