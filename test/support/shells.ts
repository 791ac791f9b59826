import { type Ended, type Home, type RunOptions, runCommand } from './program.ts';
import { type Terminal, openTerminal } from './terminal.ts';

/** The shells that evaluate what `env` prints. */
export const posixShells = ['bash', 'zsh', 'dash'] as const;
export const shells = [...posixShells, 'fish'] as const;
export type Shell = (typeof shells)[number];

/** The command of a shell: BASH_BIN, ZSH_BIN and FISH_BIN choose other builds, by absolute path. */
export const binaryOf = (shell: string): string => process.env[`${shell.toUpperCase()}_BIN`] ?? shell;

const commands: Readonly<Record<Shell, readonly string[]>> = {
  bash: [binaryOf('bash'), '--noprofile', '--norc', '-c'],
  zsh: [binaryOf('zsh'), '-f', '-c'],
  dash: ['dash', '-c'],
  fish: [binaryOf('fish'), '--no-config', '-c'],
};

/** Runs a script in a shell without the user's start files and without a terminal. */
export const runShell = (
  home: Home,
  shell: Shell,
  script: string,
  options: RunOptions = {},
): Promise<Ended> => {
  const [command = '', ...args] = commands[shell];
  return runCommand(home, command, [...args, script], options);
};

/** A shell that a user sits in front of; its prompt is `R` and the last exit status, then `> `. */
export const openShell = (
  home: Home,
  shell: InteractiveShell,
  env: Record<string, string> = {},
): Promise<Terminal> => openTerminal(home, interactive[shell], env);

/** The shells that the hook serves. */
export type InteractiveShell = 'bash' | 'fish' | 'zsh';

const interactive: Readonly<Record<InteractiveShell, string>> = {
  bash: `PS1='R$?> ' exec ${binaryOf('bash')} --noprofile --norc -i`,
  zsh: `PS1='R%?> ' exec ${binaryOf('zsh')} -f -i`,
  fish: `exec ${binaryOf('fish')} --no-config -i -C 'function fish_prompt; echo "R$status> "; end; function fish_greeting; end; set -g fish_autosuggestion_enabled 0'`,
};

/** How a user takes up the variables in this shell. */
export const takeUp = (shell: Shell, options = ''): string =>
  shell === 'fish'
    ? `aws-iam-login env ${options} --format fish | source`
    : `eval "$(aws-iam-login env ${options})"`;

/** Prints all exported variables so that `readVariables` finds them. */
export const showVariables = `printf '\\n@@variables@@'; env -0`;

/** The exported variables of the shell, as the last `showVariables` printed them, without the shell's own. */
export const readVariables = (stdout: string): Record<string, string> =>
  Object.fromEntries(
    (stdout.split('@@variables@@').at(-1) ?? '')
      .split('\0')
      .filter((entry) => entry.includes('='))
      .map((entry): [string, string] => [
        entry.slice(0, entry.indexOf('=')),
        entry.slice(entry.indexOf('=') + 1),
      ])
      .filter(([name]) => !['_', 'SHLVL', 'PWD', 'OLDPWD'].includes(name)),
  );

/** Only what has to do with AWS. */
export const awsVariables = (stdout: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(readVariables(stdout)).filter(
      ([name]) =>
        name.startsWith('AWS_') &&
        !['AWS_EC2_METADATA_DISABLED', 'AWS_ENDPOINT_URL_SIGNIN', 'AWS_PAGER'].includes(name),
    ),
  );
