import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run as runCommandLine } from '../../src/cli/run.ts';
import type { Context } from '../../src/context.ts';
import { shown } from '../../src/text.ts';
import type { LocalAws } from '../local-aws/server.ts';
import type { DeviceHandle, KeyPair, UserHandle } from '../local-aws/world.ts';

/** What `aws-iam-login` on PATH is: the launcher, which answers by itself or becomes the program. */
export const launcher = fileURLToPath(new URL('../../shell/aws-iam-login.sh', import.meta.url));

/** The built program behind the launcher: `npm run build` makes it. */
export const program = fileURLToPath(new URL('../../dist/aws-iam-login.cjs', import.meta.url));

/** A home of its own with AWS's two files, and everything that a process in it may know of its surroundings. */
export type Home = {
  readonly folder: string;
  readonly credentials: string;
  readonly config: string;
  readonly state: string;
  /** Without any variable of whoever runs the tests; change it for one test at will. */
  readonly env: Record<string, string>;
  readonly remove: () => void;
};

/** Makes an empty home that everybody may enter; `AWS_ENDPOINT_URL` and that of Sign-In lead to `url`. */
export const makeHome = (url: string): Home => {
  const folder = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'aws-iam-login-home-')));
  const bin = join(folder, 'bin');
  fs.mkdirSync(bin);
  fs.mkdirSync(join(folder, '.aws'), { mode: 0o700 });
  fs.symlinkSync(launcher, join(bin, 'aws-iam-login'));
  return {
    folder,
    credentials: join(folder, '.aws', 'credentials'),
    config: join(folder, '.aws', 'config'),
    state: join(folder, '.aws', 'aws-iam-login'),
    env: {
      HOME: folder,
      PATH: [bin, dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
      LC_ALL: 'C.UTF-8',
      TERM: 'dumb',
      HISTFILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_PAGER: '',
      AWS_ENDPOINT_URL: url,
      AWS_ENDPOINT_URL_SIGNIN: url,
    },
    remove: () => {
      const closed = ['', '.aws', '.aws/aws-iam-login'].map((name) => join(folder, name));
      for (const path of closed) if (fs.existsSync(path)) fs.chmodSync(path, 0o700);
      removeFolder(folder);
    },
  };
};

/**
 * Removes a folder with all that is in it. A program that has just been ended may still write there, and rmSync tries
 * again without a new look at what there is.
 */
const removeFolder = (folder: string, tries = 50): void => {
  try {
    fs.rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    if (tries === 0) throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    removeFolder(folder, tries - 1);
  }
};

/** A home whose profile `default` holds the user's key and, unless told otherwise, the serial number of the device. */
export const makeHomeOf = (aws: LocalAws, user: UserHandle, serialNumber?: string): Home => {
  const home = makeHome(aws.url);
  const device = serialNumber === undefined ? '' : `mfa_serial = ${serialNumber}\nusername = ${user.name}\n`;
  writeCredentials(home, `[default]\n${keyLines(user)}${device}`);
  return home;
};

/** The two lines of a key pair in a credentials file. */
export const keyLines = ({ accessKeyId, secretAccessKey }: KeyPair): string =>
  `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;

/** The section of a session as login writes it; `expiration` as it stands in the file. */
export const sessionLines = (session: KeyPair & { sessionToken: string }, expiration: string): string =>
  `${keyLines(session)}aws_session_token = ${session.sessionToken}\nexpiration = ${expiration}\n`;

/** Writes the credentials file, 0600. */
export const writeCredentials = (home: Home, text: string): void =>
  fs.writeFileSync(home.credentials, text, { mode: 0o600 });

/** The keys of one section of the credentials file, read as simply as can be: one `key = value` a line. */
export const sectionOf = (home: Home, name: string): Record<string, string> => {
  const lines = fs.readFileSync(home.credentials, 'utf8').split(/\r?\n/);
  const start = lines.indexOf(`[${name}]`) + 1;
  if (start === 0) return {};
  const end = lines.findIndex((line, index) => index >= start && line.startsWith('['));
  return Object.fromEntries(
    lines.slice(start, end < 0 ? undefined : end).flatMap((line) => {
      const [, key = '', value = ''] = /^(\w+) = (.*)$/.exec(line) ?? [];
      return key === '' ? [] : [[key, value]];
    }),
  );
};

/** Different codes that AWS surely rejects, the first being the device's `wrongCode`. */
export const wrongCodes = (device: DeviceHandle, count: number): string[] => {
  const right = new Set(Array.from({ length: 41 }, (_, index) => device.codeAt(index - 20)));
  const start = Number(device.wrongCode());
  return Array.from({ length: count + right.size }, (_, index) =>
    String((start + index) % 1_000_000).padStart(6, '0'),
  )
    .filter((code) => !right.has(code))
    .slice(0, count);
};

/** Every file below the home's `.aws` with mode and content, to see whether anything has changed; not our own state. */
export const snapshot = (home: Home, folder = join(home.folder, '.aws')): Record<string, string> =>
  Object.fromEntries(
    fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry): [string, string][] => {
      const path = join(folder, entry.name);
      if (path.startsWith(home.state)) return [];
      if (entry.isDirectory()) return Object.entries(snapshot(home, path));
      return entry.isFile() ? [[path, modeAndContent(path)]] : [];
    }),
  );

// Only root reads what a test has closed to its owner: for the look it is opened.
const modeAndContent = (path: string): string => {
  const { mode } = fs.statSync(path);
  const isClosed = (mode & 0o400) === 0;
  if (isClosed) fs.chmodSync(path, mode | 0o400);
  try {
    return `${mode.toString(8)} ${fs.readFileSync(path, 'latin1')}`;
  } finally {
    if (isClosed) fs.chmodSync(path, mode);
  }
};

export type Ended = {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type RunOptions = {
  /** What comes on stdin; without it stdin is empty. */
  readonly input?: string | undefined;
  /** Whether stdin stays open after that. */
  readonly openInput?: boolean | undefined;
  /** Variables on top of the home's; undefined takes one away. */
  readonly env?: Record<string, string | undefined> | undefined;
  readonly cwd?: string | undefined;
};

export type Running = {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when stderr holds this text, rejects when the process ends without it. */
  readonly says: (text: string) => Promise<void>;
};

/** Starts the program without a controlling terminal, in a session of its own. */
export const start = (home: Home, args: readonly string[], options: RunOptions = {}): Running =>
  startCommand(home, join(home.folder, 'bin', 'aws-iam-login'), args, options);

/**
 * Runs a command line in this process, which costs a tenth of starting one. For whatever depends on stdin, signals, the
 * terminal (this process may have one) or the user, and for what the command's own children print: `runProcess`.
 */
export const run = async (
  home: Home,
  args: readonly string[],
  options: Pick<RunOptions, 'env'> = {},
): Promise<Ended> => {
  const texts = { stdout: '', stderr: '' };
  const context: Context = {
    env: { ...home.env, ...options.env },
    now: Date.now,
    sleep: async (milliseconds) => {
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
    },
    log: (line) => void (texts.stderr += `${shown(line)}\n`),
    print: (text) => void (texts.stdout += text),
  };
  const exitCode = await runCommandLine(args, context);
  return { exitCode, signal: null, ...texts };
};

/** Runs the program in a process of its own, without a controlling terminal. */
export const runProcess = (home: Home, args: readonly string[], options: RunOptions = {}): Promise<Ended> =>
  start(home, args, options).ended;

/** Runs any command without a controlling terminal. */
export const runCommand = (
  home: Home,
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ended> => startCommand(home, command, args, options).ended;

/** Starts any command without a controlling terminal. */
export const startCommand = (
  home: Home,
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Running => {
  const env = Object.entries({ ...home.env, ...options.env }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const child = spawn(command, args, {
    env: Object.fromEntries(env),
    cwd: options.cwd ?? home.folder,
    detached: true,
    stdio: 'pipe',
  });
  const texts = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  const collect = (name: 'stdout' | 'stderr') => (chunk: string) => {
    texts[name] += chunk;
    for (const listener of listeners) listener();
  };
  child.stdout.setEncoding('utf8').on('data', collect('stdout'));
  child.stderr.setEncoding('utf8').on('data', collect('stderr'));
  child.stdin.on('error', () => {});
  child.stdin.write(options.input ?? '');
  if (options.openInput !== true) child.stdin.end();
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode, signal) => resolve({ exitCode, signal, ...texts }));
  });
  const says = async (text: string): Promise<void> => {
    const heard = new Promise<true>((resolve) => {
      const listener = (): void => {
        if (texts.stderr.includes(text)) resolve(true);
      };
      listeners.add(listener);
      listener();
    });
    if ((await Promise.race([heard, ended])) === true || texts.stderr.includes(text)) return;
    throw new Error(`the program ended without saying ${text}: ${texts.stderr}`);
  };
  return { child, ended, says };
};

/** Waits until `look` gives something, however long the test runs. */
export const until = async <Found>(look: () => Found | undefined | false): Promise<Found> => {
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
