import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Shell } from '../cli/commands.ts';
import type { Context, Environment } from '../context.ts';
import { isUserError } from '../errors.ts';
import { readStateFile, writeStateFile } from '../files/edit.ts';
import { locateFiles } from '../files/locations.ts';
import { shellWord } from '../text.ts';
import { version } from '../version.ts';
import { quoteFish, quotePosix } from './quoting.ts';

/** The folder of the installed package: above a room of `src` as well as above `dist/cli`. */
export const packageRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Prints the line that loads the shell's script, or with `path` where that script lies. */
export const hook = async (options: { shell: Shell; path: boolean }, context: Context): Promise<void> => {
  context.print(
    `${options.path ? join(packageRoot, scriptOf(options.shell)) : hookLine(options.shell, packageRoot)}\n`,
  );
};

/** Prints the shell's completion script. */
export const completion = async (options: { shell: Shell }, context: Context): Promise<void> => {
  context.print(readFileSync(join(packageRoot, completionOf(options.shell)), 'utf8'));
};

/**
 * The one line that loads the script which lies under this folder. It sources a file instead of printing it: zsh's
 * script has to find itself, and bash's returns at its top level.
 */
export const hookLine = (shell: Shell, folder: string): string => {
  const path = join(folder, scriptOf(shell));
  return shell === 'fish' ? `source ${quoteFish(path)}` : `. ${quotePosix(path)}`;
};

/** Where the shell's script lies, in the package as well as in the folder of copies. */
export const scriptOf = (shell: Shell): string => join('shell', `aws-iam-login.${shell}`);

/** Where the part of the script lies that it reads when it is needed. */
export const sessionScriptOf = (shell: Shell): string => join('shell', `aws-iam-login-session.${shell}`);

/** Where the shell's completion lies, likewise. */
export const completionOf = (shell: Shell): string =>
  join('completions', shell === 'zsh' ? '_aws-iam-login' : `aws-iam-login.${shell}`);

/**
 * Says once for each pair of versions that the hook which started this program is a copy of another version; the
 * two work together all the same.
 */
export const noteOtherVersion = (context: Context): void => {
  const hookVersion = context.env['AWS_IAM_LOGIN_HOOK_VERSION'];
  if (hookVersion === undefined || hookVersion === '' || hookVersion === version) return;
  if (!rememberVersions(hookVersion, context.env)) return;
  context.log(
    `aws-iam-login: the shell hook is of version ${shellWord(hookVersion)}, the program of ${version}: 'aws-iam-login setup' renews the hook`,
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
