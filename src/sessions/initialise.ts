import type { CallerIdentity, MfaDevice } from '../aws/answers.ts';
import { accountOfArn, partitionOf } from '../aws/arns.ts';
import type { Aws } from '../aws/client.ts';
import { tell } from '../context.ts';
import type { Context } from '../context.ts';
import { UserError, isUserError } from '../errors.ts';
import { checkEditable, editFile } from '../files/edit.ts';
import { lockPathFor } from '../files/state-files.ts';
import { setSettings } from '../ini/edit.ts';
import { tryEdit, trySessionEdit } from './session-trial.ts';
import type { CodeOptions } from './token-code.ts';
import { joinFlight } from './single-flight.ts';
import { checkKeySource, longTermCredentials } from '../profiles/access-key.ts';
import { connectAs } from '../profiles/caller.ts';
import { refusePlainProcess } from '../profiles/foreign.ts';
import { iamUserName } from '../profiles/iam-user.ts';
import {
  checkCredentialsFile,
  getProfile,
  readSharedFiles,
  resolveProfileName,
  warningsOf,
} from '../profiles/profile.ts';
import type { Profile, SharedFiles } from '../profiles/profile.ts';
import { userProfileOf } from '../profiles/role-chain.ts';
import { askLine, declined } from '../terminal/prompt.ts';
import { askOrFail, canAsk } from '../terminal/question.ts';
import { isSecurityKey, reasonAgainst, signInHint, validSerialNumber } from '../profiles/serial-number.ts';
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
  /** Undefined where it is not written down. */
  readonly userName: string | undefined;
  readonly serialNumber: string;
  /** The profile that the key is in, where that is another tool's. */
  readonly keyHolder?: string;
  /** Whether AWS was asked; a profile that is initialised already is left alone. */
  readonly asked: boolean;
};

/**
 * Finds out whose key the profile holds and which MFA device serves, and writes `username` and `mfa_serial` into the
 * profile of the credentials file. Raises UserError: for keys that are no user's, and when no device can serve.
 */
export const init = async (options: InitOptions, context: Context): Promise<InitResult> => {
  const shared = readSharedFiles(context.env);
  return initProfile(userNamed(options.profile, shared, context), shared, options, context);
};

/**
 * The user profile that is meant. With `ofRole` that is also the one at the end of the chain of the shell's role. Raises
 * UserError for any other role, with the `command` that names that profile instead.
 */
export const userNamed = (
  named: string | undefined,
  shared: SharedFiles,
  context: Context,
  { command = 'init', ofRole = false } = {},
): Profile => {
  const profile = getProfile(resolveProfileName(named, context.env, shared), shared);
  const user = userProfileOf(profile, shared);
  if (user.name === profile.name) return profile;
  if (ofRole && named === undefined) return user;
  throw new UserError(`profile ${shellWord(profile.name)} is a role, which has no MFA device of its own`, {
    hint: `run: aws-iam-login ${command.replace('init', `init ${shellWord(user.name)}`)}`,
  });
};

/**
 * A profile that has no MFA device, with one: it was never initialised, and is now. Raises UserError as `init` does, and
 * for profiles that are another program's business. Where nobody can give a code the profile is left as it is.
 */
export const withDevice = async (
  profile: Profile,
  shared: SharedFiles,
  options: DeviceOptions,
  context: Context,
): Promise<Profile> => {
  checkKeySource(profile);
  refusePlainProcess(profile);
  const mayCome =
    options.tokenCode !== undefined ||
    (options.readsStdin === true && options.input) ||
    Boolean(profile.settings.get('mfa_process')) ||
    canAsk(options.input);
  if (options.hook || !mayCome) return profile;
  const { region } = options;
  // under credential_process there is no time for a question about devices
  const input = options.input && options.deadline === undefined;
  const goal = `device of ${profile.name} ${profile.files.credentials}`;
  return joinFlight(
    {
      path: lockPathFor(profile.files.state, goal),
      goal,
      subject: `profile ${shellWord(profile.name)}`,
      canAsk: () => canAsk(input),
    },
    context,
    () => {
      const now = getProfile(profile.name, readSharedFiles(context.env));
      return now.settings.get('mfa_serial') ? now : undefined;
    },
    async () => {
      const result = await initProfile(profile, shared, { region, input, force: false }, context);
      tell(context, describeInit(result));
      options.onInitialised?.(result.profileName);
      return getProfile(profile.name, readSharedFiles(context.env));
    },
  );
};

/** What a login knows when it finds a profile that was never initialised. */
export type DeviceOptions = {
  readonly serialNumber?: string | undefined;
  readonly tokenCode?: string | undefined;
  readonly readsStdin?: boolean;
  readonly region?: string | undefined;
  readonly input: boolean;
  readonly deadline?: CodeOptions['deadline'];
  readonly hook: boolean;
  /** Is told the name of a profile that was initialised on the way. */
  readonly onInitialised?: ((profileName: string) => void) | undefined;
};

const initProfile = async (
  profile: Profile,
  shared: SharedFiles,
  options: InitOptions,
  context: Context,
): Promise<InitResult> => {
  const userName = profile.settings.get('username');
  const serialNumber = profile.settings.get('mfa_serial');
  if (profile.keyHolder !== undefined && serialNumber) {
    // what aws-mfa has written stays as it is
    return { profileName: profile.name, keyHolder: profile.keyHolder, userName, serialNumber, asked: false };
  }
  if (userName && serialNumber && !options.force && (options.serialNumber ?? serialNumber) === serialNumber) {
    return { profileName: profile.name, userName, serialNumber, asked: false };
  }
  if (options.serialNumber !== undefined) {
    validSerialNumber(options.serialNumber, { given: true, profileName: profile.name });
  }
  checkKeySource(profile);
  checkCredentialsFile(shared);
  trySessionEdit(profile.name, profile.settings.get('region'), shared);
  tryEdit(profile.name, profileSettings('name', 'arn:aws:iam::123456789012:mfa/name'), shared);
  checkEditable(profile.files.credentials, profile.files.state);
  for (const warning of warningsOf(profile.name, shared)) tell(context, warning);
  const aws = connectAs(
    await longTermCredentials(profile, options, context),
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

/** What init says when it is done. */
export const describeInit = (result: InitResult): string => {
  const { profileName, userName, serialNumber, asked, keyHolder } = result;
  const name = shellWord(profileName);
  if (keyHolder !== undefined)
    return `profile ${name} has its key and the MFA device ${serialNumber} in [${shellWord(keyHolder)}], where they stay`;
  return asked
    ? `profile ${name} is user ${userName} with MFA device ${serialNumber}`
    : `profile ${name} is initialised already: user ${userName}, MFA device ${serialNumber} (--force asks AWS again)`;
};

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
      hint: hintForNone(devices),
    });
  }
  return second === undefined ? first : askForDevice(names, userName, profile, options, context);
};

const hintForNone = (devices: readonly MfaDevice[]): string => {
  const hasKey = devices.some(({ serialNumber }) => isSecurityKey(serialNumber));
  const other = hasKey ? `${signInHint}; or ` : '';
  return `${other}add an authenticator app to the user in the IAM console (Security credentials), then run init again`;
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
      if (line === '') throw declined(`aws-iam-login init ${shellWord(profile.name)}`);
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
