import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { quickAnswer } from '../../src/cli/quick.ts';
import type { Case } from './launcher-cases.ts';
import { launcher } from './program.ts';
import { binaryOf } from './shells.ts';

/** Every kind of awk and of shell that the launcher has to work with, as commands. */
export const awks = ['gawk', 'mawk', 'original-awk', 'busybox awk'] as const;
export const posixCommands = [
  'dash',
  'busybox sh',
  `${binaryOf('bash')} --posix`,
  'ksh',
  'mksh',
  `${binaryOf('zsh')} --emulate sh`,
] as const;
export type Awk = (typeof awks)[number];

/** What came out: `handed over` when Node was started, or `--stored` said that only the program can tell. */
export type Answer = 'handed over' | { readonly stdout: string; readonly code: number };

export const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** The awk program in the launcher. */
export const awkProgram = (): string => {
  const [, text] = /command "\$ail_awk" '\n([^']+)'/.exec(fs.readFileSync(launcher, 'utf8')) ?? [];
  if (text === undefined) throw new Error('the launcher holds no awk program');
  return text;
};

/**
 * A folder for PATH with this awk, in which the time stands still where `now` is given: the awk there runs the
 * launcher's program with that number in the place of its clock. Node is a script that says that it was called, and
 * `show` one that says its words and its environment.
 */
export const makePath = (folder: string, awk: Awk, now?: number): string => {
  fs.mkdirSync(folder, { recursive: true });
  const [before = '', after, more] = awkProgram().split('now = machine_clock()');
  if (after === undefined || more !== undefined) throw new Error('the launcher reads its clock elsewhere');
  const frozen = join(folder, 'frozen.awk');
  fs.writeFileSync(frozen, `${before}now = ${now}${after}`);
  // the launcher prefers mawk
  for (const name of ['awk', 'mawk'])
    write(
      join(folder, name),
      now === undefined ? `exec ${where(awk)} "$@"` : `shift\nexec ${where(awk)} -f ${quoted(frozen)} "$@"`,
    );
  write(join(folder, 'node'), 'echo "handed over"');
  write(join(folder, 'show'), `for word in "$@"; do echo "<$word>"; done\nexec env`);
  return `${folder}:/usr/bin:/bin`;
};

// The command with its place: the folder has others of that name.
const where = (awk: Awk): string => {
  const [name = '', ...words] = awk.split(' ');
  const found = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name]).stdout.toString().trim();
  return [found, ...words].join(' ');
};

const write = (path: string, script: string): void => {
  fs.writeFileSync(path, `#!/bin/sh\n${script}\n`);
  fs.chmodSync(path, 0o755);
};

const filesOf = (folder: string, index: number) => ({
  AWS_SHARED_CREDENTIALS_FILE: join(folder, `${index}.credentials`),
  AWS_CONFIG_FILE: join(folder, `${index}.config`),
});

/** Writes the files of all cases into a folder. */
export const writeCases = (folder: string, cases: readonly Case[]): void => {
  fs.mkdirSync(folder, { recursive: true });
  for (const [index, { credentials, config }] of cases.entries()) {
    const files = filesOf(folder, index);
    if (credentials !== undefined) fs.writeFileSync(files.AWS_SHARED_CREDENTIALS_FILE, credentials);
    if (config !== undefined) fs.writeFileSync(files.AWS_CONFIG_FILE, config);
  }
};

/**
 * The launcher's answers to the cases at these places, all from one shell script whose stdout is a pipe: whatever would be
 * started for each of them, too, would cost more than the launcher.
 */
export const askLauncher = async (
  folder: string,
  cases: readonly Case[],
  places: readonly number[],
  shell: string,
  path: string,
): Promise<Answer[]> => {
  const out = fs.mkdtempSync(join(folder, 'answers-'));
  const script = places.map((place) => {
    const { argv, env } = cases[place] ?? { argv: [], env: {} };
    const variables = Object.entries({ ...env, ...filesOf(folder, place) });
    const exported = variables.map(([name, value]) => `export ${name}=${quoted(value)}`).join('\n');
    const command = `exec ${shell} ${quoted(launcher)} ${argv.map(quoted).join(' ')}`;
    return `(\n${exported}\n${command}\n)\nprintf '\\036%s\\037' $?\nprintf '\\037' >&2`;
  });
  fs.writeFileSync(join(out, 'script'), script.join('\n'));
  const child = spawn('sh', ['-c', 'dash script </dev/null 2>stderr | cat >stdout'], {
    cwd: out,
    stdio: 'ignore',
    env: { PATH: path, HOME: folder, LC_ALL: 'C.UTF-8' },
  });
  await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  const [stdouts = [], stderrs = []] = ['stdout', 'stderr'].map((name) =>
    fs.readFileSync(join(out, name), 'utf8').split('\u001F').slice(0, -1),
  );
  if (stdouts.length !== places.length || stderrs.length !== places.length)
    throw new Error(`the script answered ${stdouts.length} of ${places.length} cases`);
  return places.map((place, index): Answer => {
    const [stdout = '', code = ''] = stdouts[index]?.split('\u001E') ?? [];
    const isStored = cases[place]?.argv.includes('--stored') === true;
    const isOver = stdout === 'handed over\n' || (isStored && code === '2' && stdout === '');
    const said = `${isExec(cases[place]) ? seen(stdout) : stdout}${stderrs[index] ?? ''}`;
    return isOver ? 'handed over' : { stdout: said, code: Number(code) };
  });
};

const isExec = (each: Case | undefined): boolean => each?.kind.endsWith(' exec') === true;

/** What a command shows of its words and of the variables that matter here, in an order of ours. */
const seen = (text: string): string =>
  text
    .split('\n')
    .filter((line) => /^(<|HOME=|AWS_)/.test(line))
    .toSorted()
    .join('\n');

/** The core's answer, in this process; undefined when it would go on to log in, to help or to complain. */
export const askCore = (folder: string, cases: readonly Case[], place: number): Answer | undefined => {
  const { argv = [], env = {}, now = 0 } = cases[place] ?? {};
  const answer = quickAnswer(argv, {
    env: { PATH: '/usr/bin:/bin', HOME: folder, ...env, ...filesOf(folder, place) },
    now: () => now * 1000 + 999,
    sleep: async () => {},
    log: () => {},
    print: () => {},
  });
  if (answer === undefined) return undefined;
  if ('text' in answer) return { stdout: answer.text, code: answer.exitCode };
  const [name = '', ...words] = answer.command;
  const shown = name === 'show' ? words.map((word) => `<${word}>`) : [];
  const variables = Object.entries(answer.env).map(([variable, value = '']) => `${variable}=${value}`);
  return { stdout: seen([...shown, ...variables].join('\n')), code: 0 };
};

/** Whether a command is on this machine. */
export const isInstalled = (command: string): boolean =>
  spawnSync('sh', ['-c', 'command -v "$1"', 'sh', command.split(' ')[0] ?? '']).status === 0;
