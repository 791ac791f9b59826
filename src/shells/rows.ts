import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Environment } from '../context.ts';
import type { Shell } from './names.ts';
import { quoteFish, quotePosix } from './quoting.ts';

/** What is different from shell to shell in loading our script. */
export type Row = {
  /** Where the shell's script lies, in the package as well as in the folder of copies. */
  readonly script: string;
  /** Where the parts of the script lie that it reads when they are needed, each after what it reads itself. */
  readonly sessionScripts: readonly string[];
  readonly completion: string;
  /** The text as one word of this shell. */
  readonly quote: (text: string) => string;
  /** What to type to load the hook into a shell that runs. */
  readonly load: string;
  /** The line that reads the file which this word names. */
  readonly source: (word: string) => string;
  /** The lines that run this line where the file is there. */
  readonly ifReadable: (word: string, line: string) => readonly string[];
  /** The files of which every interactive shell of this kind reads the first that exists. */
  readonly rcFiles: (env: Environment, platform: string) => readonly [string, ...string[]];
  /** The command that makes a shell of this one which has read its rc file. */
  readonly restart: (platform: string) => string;
};

const posix = {
  quote: quotePosix,
  source: (word: string) => `. ${word}`,
  ifReadable: (word: string, line: string) => [`if [ -r ${word} ]; then`, `  ${line}`, 'fi'],
};

const sharedScript = join('shell', 'aws-iam-login-session.sh');

/** A row per shell. */
export const rows: Readonly<Record<Shell, Row>> = {
  bash: {
    script: join('shell', 'aws-iam-login.bash'),
    sessionScripts: [sharedScript, join('shell', 'aws-iam-login-session.bash')],
    completion: join('completions', 'aws-iam-login.bash'),
    ...posix,
    load: 'eval "$(aws-iam-login hook bash)"',
    // Terminals on macOS start login shells.
    rcFiles: (env, platform) =>
      platform === 'darwin'
        ? [
            join(homeOf(env), '.bash_profile'),
            join(homeOf(env), '.bash_login'),
            join(homeOf(env), '.profile'),
          ]
        : [join(homeOf(env), '.bashrc')],
    restart: (platform) => (platform === 'darwin' ? 'exec bash -l' : 'exec bash'),
  },
  zsh: {
    script: join('shell', 'aws-iam-login.zsh'),
    sessionScripts: [sharedScript, join('shell', 'aws-iam-login-session.zsh')],
    completion: join('completions', '_aws-iam-login'),
    ...posix,
    load: 'eval "$(aws-iam-login hook zsh)"',
    rcFiles: (env) => [join(env['ZDOTDIR'] || homeOf(env), '.zshrc')],
    restart: () => 'exec zsh',
  },
  fish: {
    script: join('shell', 'aws-iam-login.fish'),
    sessionScripts: [join('shell', 'aws-iam-login-session.fish')],
    completion: join('completions', 'aws-iam-login.fish'),
    quote: quoteFish,
    load: 'aws-iam-login hook fish | source',
    source: (word) => `source ${word}`,
    ifReadable: (word, line) => [`if test -r ${word}`, `  ${line}`, 'end'],
    rcFiles: (env) => [
      join(xdgFolder(env, 'XDG_CONFIG_HOME', '.config'), 'fish', 'conf.d', 'aws-iam-login.fish'),
    ],
    restart: () => 'exec fish',
  },
};

/** A base folder of the XDG specification, which has relative paths ignored. */
export const xdgFolder = (env: Environment, variable: string, otherwise: string): string => {
  const folder = env[variable] ?? '';
  return isAbsolute(folder) ? folder : join(homeOf(env), otherwise);
};

/** The home folder. */
export const homeOf = (env: Environment): string => env['HOME'] || homedir();
