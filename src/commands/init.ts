import type { CallerIdentity, MfaDevice } from '../aws/answers.ts';
import { accountOfArn, partitionOf, userNameOfArn } from '../aws/arns.ts';
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
import {
  checkCredentialsFile,
  getProfile,
  readSharedFiles,
  resolveProfileName,
  warningsOf,
} from '../profiles/profile.ts';
import type { Profile } from '../profiles/profile.ts';
import { askLine, declined, findTerminal } from '../terminal/prompt.ts';
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
    const found = userNameOf(identity, profile);
    const device = await chooseDevice(aws, identity, found, options, context);
    await writeProfile(profile, found, device);
    return { profileName: profile.name, userName: found, serialNumber: device, asked: true };
  } finally {
    await aws.close();
  }
};

/** What init says when it is done. */
export const describeInit = ({ profileName, userName, serialNumber, asked }: InitResult): string =>
  asked
    ? `profile ${shellWord(profileName)} is user ${userName} with MFA device ${serialNumber}`
    : `profile ${shellWord(profileName)} is initialised already: user ${userName}, MFA device ${serialNumber} (--force asks AWS again)`;

/**
 * The name of the IAM user that an identity is: what follows the last slash of its ARN, since users can have paths.
 * Raises UserError for root, roles and federated users, which get no MFA session of this kind.
 */
const userNameOf = ({ arn }: CallerIdentity, profile: Profile): string => {
  const where = `the key of profile ${shellWord(profile.name)}`;
  const userName = userNameOfArn(arn);
  if (userName !== undefined) return userName;
  const hint = 'use the access key of an IAM user';
  if (arn.endsWith(':root')) {
    throw new UserError(
      `${where} is a root key: AWS gives it sessions of one hour at most, and nobody should use it daily`,
      { hint },
    );
  }
  if (/:assumed-role\//.test(arn)) {
    throw new UserError(
      `${where} belongs to a role session (${arn}), which AWS gives no session of its own`,
      { hint },
    );
  }
  if (/:federated-user\//.test(arn)) {
    throw new UserError(
      `${where} belongs to a federated user (${arn}), which AWS gives no session of its own`,
      { hint },
    );
  }
  throw new UserError(`${where} belongs to ${arn}, which is no IAM user`, { hint });
};

const chooseDevice = async (
  aws: Aws,
  identity: CallerIdentity,
  userName: string,
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
  return second === undefined ? first : askForDevice(names, userName, options);
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
  options: InitOptions,
): Promise<string> => {
  if (!options.input || typeof findTerminal() === 'string') {
    throw new UserError(
      `user ${userName} has ${names.length} MFA devices, and nobody can be asked which one to use`,
      {
        hint: `choose one with --serial-number: ${names.join(', ')}`,
        exitCode: exitCode.noSession,
      },
    );
  }
  const list = names.map((name, index) => `  ${index + 1}  ${name}`).join('\n');
  for (;;) {
    const line = (
      await askLine(
        `User ${userName} has ${names.length} MFA devices:\n${list}\nUse which one? [1-${names.length}] `,
      )
    ).trim();
    if (line === '') throw declined();
    const chosen = /^\d+$/.test(line) ? names[Number(line) - 1] : names.find((name) => name === line);
    if (chosen !== undefined) return chosen;
  }
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
