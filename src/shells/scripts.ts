import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tell } from '../context.ts';
import type { Context, Environment } from '../context.ts';
import { isUserError } from '../errors.ts';
import { readStateFile, writeStateFile } from '../files/state-files.ts';
import { locateFiles } from '../files/locations.ts';
import { shellWord } from '../text.ts';
import { version } from '../version.ts';
import type { Shell } from './names.ts';
import { rows } from './rows.ts';

/** The folder of the installed package: above a room of `src` as well as above `dist/cli`. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

/** What `hook` prints: the line that loads the shell's script, or with `path` where that script lies. */
export const hookText = ({ shell, path }: { shell: Shell; path: boolean }): string =>
  `${path ? join(packageRoot, rows[shell].script) : hookLine(shell, packageRoot)}\n`;

/** What `completion` prints: the shell's completion script. */
export const completionText = (shell: Shell): string =>
  readFileSync(join(packageRoot, rows[shell].completion), 'utf8');

/**
 * The one line that loads the script which lies under this folder. It sources a file instead of printing it: zsh's
 * script has to find itself, and bash's returns at its top level.
 */
const hookLine = (shell: Shell, folder: string): string => {
  const { quote, source, script } = rows[shell];
  return source(quote(join(folder, script)));
};

/**
 * Says once for each pair of versions that the hook which started this program is a copy of another version; the
 * two work together all the same.
 */
export const noteOtherVersion = (context: Context): void => {
  const hookVersion = context.env['AWS_IAM_LOGIN_HOOK_VERSION'];
  if (hookVersion === undefined || hookVersion === '' || hookVersion === version) return;
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
