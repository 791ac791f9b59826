import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
