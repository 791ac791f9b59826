import { UserError, isUserError } from '../errors.ts';
import { setSettings } from '../ini/edit.ts';
import type { Changes } from '../ini/edit.ts';
import { sessionProfileName } from '../profiles/profile.ts';
import type { SharedFiles } from '../profiles/profile.ts';
import { sessionKeys } from './stored-session.ts';
import type { AssumedFor } from './stored-session.ts';

/**
 * Tries the edit that stores a session, with values like AWS's: what would be refused afterwards (a profile's name that
 * nobody reads back, lines that cannot be edited without a loss) is refused before a code is spent. Raises UserError.
 */
export const trySessionEdit = (
  profileName: string,
  region: string | undefined,
  shared: SharedFiles,
  assumedFor?: AssumedFor,
): void => {
  const settings = sessionKeys(profileName, placeholder, region, shared, assumedFor);
  tryEdit(sessionProfileName(profileName), settings, shared);
};

/** Tries an edit of a profile in the credentials file. Raises UserError that names the file. */
export const tryEdit = (name: string, settings: Changes, { files, credentialsBytes }: SharedFiles): void => {
  try {
    setSettings(credentialsBytes ?? Buffer.alloc(0), 'credentials', name, settings);
  } catch (error) {
    if (!isUserError(error) || !error.message.startsWith('line ')) throw error;
    throw new UserError(`${files.credentials} ${error.message}`, { hint: error.hint, cause: error });
  }
};

const placeholder = {
  accessKeyId: 'ASIA'.padEnd(20, 'X'),
  secretAccessKey: 'x/+'.padEnd(40, 'x'),
  sessionToken: 'x/+'.padEnd(1000, 'x').concat('=='),
  expiration: 4_000_000_000,
};
