import { join } from 'node:path';
import { tell } from '../context.ts';
import type { Context, Environment } from '../context.ts';
import { isUserError } from '../errors.ts';
import { readStateFile, writeStateFile } from '../files/state-files.ts';
import { locateFiles } from '../files/locations.ts';
import { shellWord } from '../text.ts';
import { version } from '../version.ts';

/**
 * Says once for each pair of versions that the hook which started this program is a copy of another version; the
 * two work together all the same.
 */
export const noteVersion = (hookVersion: string, context: Context): void => {
  if (!rememberVersions(hookVersion, context.env)) return;
  tell(
    context,
    `the shell hook is of version ${shellWord(hookVersion)}, the program of ${version}: 'aws-iam-login setup' renews the hook`,
  );
};

// Whether these two were not met before. Where that cannot be written down, a note is not worth a failure.
const rememberVersions = (hookVersion: string, env: Environment): boolean => {
  const pair = `${hookVersion} ${version}\n`;
  try {
    const path = join(locateFiles(env).state, 'hook-version');
    if (readStateFile(path) === pair) return false;
    writeStateFile(path, pair);
    return true;
  } catch (error) {
    if (isUserError(error)) return false;
    throw error;
  }
};
