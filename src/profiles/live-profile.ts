import { resolve } from 'node:path';
import { UserError, isUserError } from '../errors.ts';
import { copyProfile } from '../ini/copy.ts';
import { setSettings } from '../ini/edit.ts';
import { allProfileNames, findProfile, placeSettings } from './profile.ts';
import type { SharedFiles } from './profile.ts';

/** A profile whose credentials come from us, and the whole config file that describes it. */
export type LiveProfile = { readonly name: string; readonly config: Buffer };

/**
 * The config file with a profile that has the settings of another one, in whichever file, save those about credentials:
 * these come from `command`. Raises UserError for a config file that AWS's own tools reject.
 */
export const addLiveProfile = (
  profileName: string,
  command: string,
  region: string | undefined,
  shared: SharedFiles,
): LiveProfile => {
  const name = unusedName(profileName, allProfileNames(shared));
  const inCredentials = findProfile(profileName, { ...shared, configBytes: undefined })?.settings;
  const settings = Object.fromEntries(
    [...(inCredentials ?? [])].filter(([setting, value]) => isWanted(setting) && value !== ''),
  );
  const copy = copyProfile(shared.configBytes ?? Buffer.alloc(0), profileName, name, isWanted);
  try {
    const changes = {
      ...settings,
      ...(region === undefined ? {} : { region }),
      credential_process: command,
    };
    return { name, config: setSettings(copy, 'config', name, changes) };
  } catch (error) {
    if (!isUserError(error)) throw error;
    throw new UserError(`could not add a profile to a copy of ${shared.files.config}: ${error.message}`, {
      hint: error.hint,
      cause: error,
    });
  }
};

const isWanted = (setting: string): boolean => !credentialSettings.has(setting);

/** A name of plain letters that looks like the profile's, and that no profile has. */
const unusedName = (profileName: string, names: readonly string[]): string => {
  const base = `${profileName.replaceAll(/[^\w.@+-]/g, '-')}-process`;
  const used = new Set(names);
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? base : `${base}-${count}`;
    if (!used.has(name)) return name;
  }
};

// What says where credentials come from; our own settings too, since our process reads them in the original files.
const credentialSettings: ReadonlySet<string> = new Set([
  ...Object.values(placeSettings),
  'assumed_from',
  'assumed_role_arn',
  'aws_access_key_id',
  'aws_account_id',
  'aws_mfa_device',
  'aws_secret_access_key',
  'aws_security_token',
  'aws_session_token',
  'credential_process',
  'credential_source',
  'duration_seconds',
  'expiration',
  'external_id',
  'login_session',
  'mfa_process',
  'mfa_serial',
  'role_arn',
  'role_session_name',
  'source_profile',
  'sso_account_id',
  'sso_region',
  'sso_registration_scopes',
  'sso_role_name',
  'sso_session',
  'sso_start_url',
  'username',
  'web_identity_token_file',
]);

/**
 * The words as a `credential_process` that shells and Python's shlex split alike, and that no parser of the config file
 * takes for less than it is.
 */
export const processCommand = (words: readonly string[]): string => words.map(processWord).join(' ');

const processWord = (word: string): string => {
  if (/^[\w.@+%:/=,-]+$/.test(word)) return word;
  const quoted = `'${word.replaceAll("'", String.raw`'\''`)}'`;
  // a comment for some: the sign must not stand right behind the blank
  return quoted.replaceAll(/(\s)(?=[#;])/g, "$1''");
};

/** The files as a process finds them that runs in another folder and with other variables. */
export const fileVariables = ({ config, credentials, state }: SharedFiles['files']): string[] => [
  `AWS_CONFIG_FILE=${resolve(config)}`,
  `AWS_SHARED_CREDENTIALS_FILE=${resolve(credentials)}`,
  `AWS_IAM_LOGIN_HOME=${resolve(state)}`,
];
