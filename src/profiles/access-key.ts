import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { refuseForeign } from './foreign.ts';
import { keyPlaceOf, longTermKeyOf } from './profile.ts';
import type { AccessKey, Profile } from './profile.ts';
import { storeError } from '../stores/errors.ts';
import { titleOf } from '../stores/names.ts';
import type { AccessOptions } from '../stores/keys.ts';
import { runShellCommand } from '../terminal/shell-command.ts';
import { parseJsonObject, shellWord } from '../text.ts';

// The profiles, one a line, whose credential_process is running around us, so that one which asks us for the session
// that it is needed for is noticed.
const nestedVariable = 'AWS_IAM_LOGIN_NESTED';

/**
 * The profile's own long-term access key, from its keys, its key store or its `credential_process`; never from `AWS_*`
 * variables, which may hold an older session. Raises UserError when there is none, or when it is a session.
 */
export const longTermCredentials = async (
  profile: Profile,
  asking: AccessOptions,
  context: Context,
): Promise<AccessKey> => {
  const key = await ownKeyOf(profile, asking, context);
  if (key !== undefined) return key;
  const command = profile.settings.get('credential_process');
  if (command !== undefined && command !== '') return runCredentialProcess(command, profile, context);
  throw noKey(profile);
};

/** The long-term key in the profile's own settings or in its key store, undefined where it has neither. Raises UserError. */
export const ownKeyOf = async (
  profile: Profile,
  asking: AccessOptions,
  context: Context,
): Promise<AccessKey | undefined> => {
  const place = keyPlaceOf(profile);
  if (place === undefined) return longTermKeyOf(profile);
  const { store, accessKeyId } = place;
  const { accessOf, findStoredKey, storeNamed } = await import('../stores/keys.ts');
  const key = await findStoredKey(store, accessKeyId, accessOf(store, asking, context));
  if (key !== undefined) return key;
  throw storeError(
    `${titleOf(store)} has no access key …${accessKeyId.slice(-4)}, which profile ${shellWord(profile.name)} has there`,
    `look for it: ${storeNamed(store).describeItem(accessKeyId)}; a lost key can be replaced in the IAM console`,
  );
};

/**
 * Raises UserError for a profile that holds a session, half a key or none, and names what no key can be expected of,
 * without running its `credential_process`.
 */
export const checkKeySource = (profile: Profile): void => {
  const hasKey = keyPlaceOf(profile) !== undefined || longTermKeyOf(profile) !== undefined;
  if (!hasKey && !profile.settings.get('credential_process')) throw noKey(profile);
};

const noKey = (profile: Profile): UserError => {
  refuseForeign(profile);
  return new UserError(`profile ${shellWord(profile.name)} has no access key`, {
    hint: `add aws_access_key_id and aws_secret_access_key in ${profile.files.credentials}`,
  });
};

/**
 * Raises UserError when the profile's `credential_process` has called us for this same profile: it would wait for
 * itself. Ask before waiting for any other process.
 */
export const refuseLoop = (profile: Profile, context: Context): void => {
  if (!profilesAround(context).includes(profile.name)) return;
  throw new UserError(`credential_process of profile ${shellWord(profile.name)} calls aws-iam-login itself`, {
    hint: 'credential_process must print the long-term access key, from a password store for example',
  });
};

const profilesAround = (context: Context): string[] => (context.env[nestedVariable] ?? '').split('\n');

const runCredentialProcess = async (
  command: string,
  profile: Profile,
  context: Context,
): Promise<AccessKey> => {
  const where = `credential_process of profile ${shellWord(profile.name)}`;
  refuseLoop(profile, context);
  const env = { ...context.env, [nestedVariable]: [...profilesAround(context), profile.name].join('\n') };
  const { stdout, failure } = await runShellCommand(command, env);
  if (failure !== undefined)
    throw new UserError(`${where} ${failure}`, { hint: 'run it by hand to see why' });
  return parseAccessKey(stdout, where);
};

/** The key in the JSON of a `credential_process`. Raises UserError for anything but a long-term key. */
const parseAccessKey = (stdout: string, where: string): AccessKey => {
  const answer = parseJsonObject(stdout);
  const text = (name: string): string | undefined => {
    const value = answer?.[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const accessKeyId = text('AccessKeyId');
  const secretAccessKey = text('SecretAccessKey');
  if (answer?.['Version'] !== 1 || accessKeyId === undefined || secretAccessKey === undefined) {
    throw new UserError(`${where} printed something else than the JSON of an access key`, {
      hint: 'it must print {"Version": 1, "AccessKeyId": …, "SecretAccessKey": …}',
    });
  }
  if (text('SessionToken') !== undefined) {
    throw new UserError(`${where} printed a session, and AWS gives no session for a session`, {
      hint: 'AWS tools use it as it is; for sessions from here it must print the long-term access key',
    });
  }
  return { accessKeyId, secretAccessKey };
};
