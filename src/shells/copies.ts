import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../context.ts';
import { version } from '../version.ts';
import { rows, xdgFolder } from './rows.ts';

/** Where the program is: what the copies need to know to find it again. */
export type Origin = {
  /** The path of Node. */
  readonly node: string;
  /** The path of the program's entry. */
  readonly entry: string;
  /** The package's folder, with the scripts that are copied. */
  readonly packageRoot: string;
};

const stampName = 'stamp';
/** What answers a live session without Node. */
const launcherName = join('shell', 'aws-iam-login.sh');

/** The names of all copies. */
export const copyNames: readonly string[] = [
  launcherName,
  ...new Set(
    Object.values(rows).flatMap(({ script, sessionScripts, completion }) => [
      script,
      ...sessionScripts,
      completion,
    ]),
  ),
  stampName,
];

/**
 * The files of the copy folder. Its scripts are those of the package; the stamp tells them, line by line, their
 * version, and where Node and the program were. It comes last, so that it never tells of copies that are not there.
 */
export const copiesOf = ({ packageRoot, node, entry }: Origin): Array<{ name: string; text: string }> =>
  copyNames.map((name) => ({
    name,
    text:
      name === stampName ? `${version}\n${node}\n${entry}\n` : readFileSync(join(packageRoot, name), 'utf8'),
  }));

/** The folder of the copies. */
export const copyFolder = (env: Environment): string =>
  join(xdgFolder(env, 'XDG_DATA_HOME', join('.local', 'share')), 'aws-iam-login');
