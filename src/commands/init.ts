import type { CallerIdentity, MfaDevice } from '../aws/answers.ts';
import { accountOfArn, partitionOf } from '../aws/arns.ts';
import type { Aws } from '../aws/client.ts';
import { tell } from '../context.ts';
import type { Context } from '../context.ts';
import { profileOf } from './given.ts';
import type { Given } from './given.ts';
import { UserError, exitCode, isUserError } from '../errors.ts';
import { checkEditable, editFile } from '../files/edit.ts';
import { setSettings } from '../ini/edit.ts';
import { tryEdit, trySessionEdit } from '../sessions/session-trial.ts';
import { longTermCredentials } from '../profiles/access-key.ts';
import { connectAs } from '../profiles/caller.ts';
import { iamUserName } from '../profiles/iam-user.ts';
import {
  checkCredentialsFile,
  getProfile,
  readSharedFiles,
  resolveProfileName,
  warningsOf,
} from '../profiles/profile.ts';
import type { Profile, SharedFiles } from '../profiles/profile.ts';
import { userProfileOf } from '../profiles/role.ts';
import { askLine, declined } from '../terminal/prompt.ts';
import { askOrFail, canAsk } from '../terminal/question.ts';
import { reasonAgainst, validSerialNumber } from '../profiles/serial-number.ts';
import { shellWord } from '../text.ts';

export type InitOptions = {
  readonly profile?: string | undefined;
  readonly serialNumber?: string | undefined;
  readonly region?: string | undefined;
  readonly input: boolean;
  /** Asks AWS again although the profile is initialised. */
  readonly force: boolean;
};

export type InitResult = {
  readonly profileName: string;
  readonly userName: string;
  readonly serialNumber: string;
  /** Whether AWS was asked; a profile that is initialised already is left alone. */
  readonly asked: boolean;
};

/** `init`: writes the user's name and MFA device into the profile. */
export const runInit = async (
  given: Given<'profile' | 'serial-number' | 'region' | 'no-input' | 'force'>,
  context: Context,
): Promise<number> => {
  const result = await init(
    {
      profile: profileOf(given),
      serialNumber: given.text('serial-number'),
      region: given.text('region'),
      input: !given.flag('no-input'),
      force: given.flag('force'),
    },
    context,
  );
  tell(context, describeInit(result));
  return exitCode.done;
};

/**
 * Finds out whose key the profile holds and which MFA device serves, and writes `username` and `mfa_serial` into the
 * profile of the credentials file. Raises UserError: for keys that are no user's, and when no device can serve.
 */
export const init = async (options: InitOptions, context: Context): Promise<InitResult> => {
  const shared = readSharedFiles(context.env);
  const profile = getProfile(resolveProfileName(options.profile, context.env, shared), shared);
  refuseRole(profile, shared);
  const userName = profile.settings.get('username');
  const serialNumber = profile.settings.get('mfa_serial');
  if (userName && serialNumber && !options.force && (options.serialNumber ?? serialNumber) === serialNumber) {
    return { profileName: profile.name, userName, serialNumber, asked: false };
  }
  if (options.serialNumber !== undefined) {
    validSerialNumber(options.serialNumber, { given: true, profileName: profile.name });
  }
  checkCredentialsFile(shared);
  trySessionEdit(profile.name, profile.settings.get('region'), shared);
  tryEdit(profile.name, profileSettings('name', 'arn:aws:iam::123456789012:mfa/name'), shared);
  checkEditable(profile.files.credentials, profile.files.state);
  for (const warning of warningsOf(profile.name, shared)) tell(context, warning);
  const aws = connectAs(
    await longTermCredentials(profile, context),
    profile,
    { region: options.region, arn: options.serialNumber ?? serialNumber },
    context,
  );
  try {
    const identity = await aws.getCallerIdentity();
    const found = iamUserName(identity.arn, profile, aboutRoot);
    const device = await chooseDevice(aws, identity, found, profile, options, context);
    await writeProfile(profile, found, device);
    return { profileName: profile.name, userName: found, serialNumber: device, asked: true };
  } finally {
    await aws.close();
  }
};

/** Raises UserError that names the profile at the end of a role's chain, which has to be initialised instead. */
const refuseRole = (profile: Profile, shared: SharedFiles): void => {
  const user = userProfileOf(profile, shared);
  if (user.name === profile.name) return;
  throw new UserError(`profile ${shellWord(profile.name)} is a role, which has no MFA device of its own`, {
    hint: `run: aws-iam-login init ${shellWord(user.name)}`,
  });
};

/** What init says when it is done. */
export const describeInit = ({ profileName, userName, serialNumber, asked }: InitResult): string =>
  asked
    ? `profile ${shellWord(profileName)} is user ${userName} with MFA device ${serialNumber}`
    : `profile ${shellWord(profileName)} is initialised already: user ${userName}, MFA device ${serialNumber} (--force asks AWS again)`;

const aboutRoot = {
  reason: ': AWS gives it sessions of one hour at most, and nobody should use it daily',
  hint: 'use the access key of an IAM user',
};

const chooseDevice = async (
  aws: Aws,
  identity: CallerIdentity,
  userName: string,
  profile: Profile,
  options: InitOptions,
  context: Context,
): Promise<string> => {
  const devices = await listDevices(aws, userName);
  if (devices === undefined) {
    const serialNumber = options.serialNumber ?? derivedSerialNumber(identity, userName);
    tell(
      context,
      options.serialNumber === undefined
        ? `this user may not list its MFA devices: ${serialNumber} is a guess from the user's name (--serial-number names another)`
        : `this user may not list its MFA devices: ${serialNumber} is taken as given`,
    );
    return serialNumber;
  }
  const usable = devices.filter(({ serialNumber }) => reasonAgainst(serialNumber) === undefined);
  for (const { serialNumber } of devices) {
    const reason = reasonAgainst(serialNumber);
    if (reason !== undefined) tell(context, `${serialNumber} is left out: ${reason}`);
  }
  const names = usable.map(({ serialNumber }) => serialNumber);
  if (options.serialNumber !== undefined) return namedDevice(options.serialNumber, names, userName);
  const [first, second] = names;
  if (first === undefined) {
    throw new UserError(`user ${userName} has no MFA device whose codes AWS STS takes`, {
      hint: 'add an authenticator app to the user in the IAM console (Security credentials), then run init again',
    });
  }
  return second === undefined ? first : askForDevice(names, userName, profile, options, context);
};

/** The devices of a user, undefined when the user may not list them. */
const listDevices = async (aws: Aws, userName: string): Promise<MfaDevice[] | undefined> => {
  try {
    return await aws.listMfaDevices(userName);
  } catch (error) {
    if (isUserError(error) && error.failureCode === 'AccessDenied') return undefined;
    throw error;
  }
};

const derivedSerialNumber = ({ arn }: CallerIdentity, userName: string): string =>
  `arn:${partitionOf(arn) ?? 'aws'}:iam::${accountOfArn(arn) ?? ''}:mfa/${userName}`;

const namedDevice = (serialNumber: string, names: readonly string[], userName: string): string => {
  if (names.includes(serialNumber)) return serialNumber;
  throw new UserError(`user ${userName} has no usable MFA device ${shellWord(serialNumber)}`, {
    hint:
      names.length === 0
        ? 'there is none: add an authenticator app to the user'
        : `there is: ${names.join(', ')}`,
  });
};

const askForDevice = async (
  names: readonly string[],
  userName: string,
  profile: Profile,
  options: InitOptions,
  context: Context,
): Promise<string> => {
  const sameName = names.find((name) => name.endsWith(`/${userName}`));
  if (sameName !== undefined && !canAsk(options.input)) {
    tell(
      context,
      `of ${names.length} MFA devices ${sameName} is taken, which is named like the user (--serial-number names another)`,
    );
    return sameName;
  }
  const question = {
    need: `user ${userName} has ${names.length} MFA devices`,
    hint: `choose one with --serial-number: ${names.join(', ')}`,
    input: options.input,
    state: profile.files.state,
  };
  const list = names.map((name, index) => `  ${index + 1}  ${name}`).join('\n');
  const text = `User ${userName} has ${names.length} MFA devices:\n${list}\nUse which one? [1-${names.length}] `;
  return askOrFail(question, context, async () => {
    for (;;) {
      const line = (await askLine(text)).trim();
      if (line === '') throw declined();
      const chosen = /^\d+$/.test(line) ? names[Number(line) - 1] : names.find((name) => name === line);
      if (chosen !== undefined) return chosen;
    }
  });
};

// In the section that holds the key when that is the credentials file's, where the origin wrote them too.
const writeProfile = (profile: Profile, userName: string, serialNumber: string): Promise<boolean> =>
  editFile(
    profile.files.credentials,
    (bytes) => setSettings(bytes, 'credentials', profile.name, profileSettings(userName, serialNumber)),
    { state: profile.files.state },
  );

const profileSettings = (userName: string, serialNumber: string) => ({
  mfa_serial: serialNumber,
  username: userName,
});
