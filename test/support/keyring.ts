import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import type { TestStore } from './key-store.ts';
import type { Home } from './program.ts';

// The real gnome-keyring, on a D-Bus of the test's own, which starts it when it is called and opens it as the login to a
// desktop does. One call in many thousands ends it with SIGTRAP (its issue 190: an OpenSession before its list of clients
// has the sender), and the next one starts it again.

const password = 'correct horse';
const items = ['service', 'aws-iam-login'];
const secretService = 'org.freedesktop.secrets';
const bus = 'org.freedesktop.DBus';

type Variables = Readonly<Record<string, string>>;

/** Starts a bus for the home, and a keyring that is open. */
export const makeKeyring = (home: Home, _options: { readonly locks?: boolean } = {}): TestStore => {
  const runtime = join(home.folder, 'run');
  const data = join(home.folder, 'data');
  fs.mkdirSync(runtime, { mode: 0o700 });
  const keyring = 'gnome-keyring-daemon --foreground --unlock --components=secrets';
  writeService(data, secretService, `printf %s '${password}' | ${keyring}`);
  writeService(data, 'org.gnome.keyring.SystemPrompter', ': >>"$0.called"\nexit 1');
  const place = { XDG_RUNTIME_DIR: runtime, XDG_DATA_HOME: data };
  const [address = '', daemon = ''] = execFileSync(
    'dbus-daemon',
    ['--session', '--fork', '--print-address=1', '--print-pid=1'],
    { env: { ...home.env, ...place }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  ).split('\n');
  const env = { ...place, DBUS_SESSION_BUS_ADDRESS: address };
  const all = { ...home.env, ...env };
  waitUntilOpen(all);
  return {
    env,
    names: () => {
      const { stdout, stderr } = secretTool(all, ['search', '--all', ...items]);
      const found = `${stdout}\n${stderr}`.matchAll(/^attribute\.username = (.*)$/gm);
      return [...found].map(([, name = '']) => name);
    },
    show: (name) => {
      const { status, stdout } = secretTool(all, ['lookup', ...items, 'username', name]);
      return status === 0 ? stdout : undefined;
    },
    remove: (name) => void secretTool(all, ['clear', ...items, 'username', name]),
    hasAsked: () => fs.existsSync(`${servicePath(data, 'org.gnome.keyring.SystemPrompter')}.sh.called`),
    lock: () => {
      const path = defaultKeyring(all);
      const words = ['/org/freedesktop/secrets', 'Secret.Service.Lock', `array:objpath:${path}`] as const;
      if (path === undefined || sendTo(all, secretService, ...words) === undefined)
        throw new Error('the keyring cannot be locked');
    },
    unlock: () => {
      process.kill(keyringProcess(all));
      waitUntilOpen(all);
    },
    // the keyring ends with its bus
    end: () => void process.kill(Number(daemon)),
  };
};

/** What watches the calls to the keyring of these variables. */
export type KeyringWatch = {
  /** How many sessions were opened: one for each call of the program. */
  readonly calls: () => number;
  readonly end: () => void;
};

/** Watches the calls to a keyring, and ends it in the middle of the one with this number, from 1. */
export const watchKeyring = async (env: Variables, endIn?: number): Promise<KeyringWatch> => {
  const pid = keyringProcess(env);
  const monitor = spawn('dbus-monitor', ['--session', '--profile', `destination=${secretService}`], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let seen = '';
  const calls = (): number => seen.split('OpenSession').length - 1;
  const data = monitor.stdout.setEncoding('utf8').on('data', (text: string) => {
    const before = calls();
    seen += text;
    if (endIn !== undefined && before < endIn && calls() >= endIn) process.kill(pid, 'SIGKILL');
  });
  // the first thing that a monitor sees is the loss of its own name
  while (!seen.includes('NameLost')) await once(data, 'data');
  // so that the first one cannot be over before
  if (endIn === 1) process.kill(pid, 'SIGSTOP');
  return { calls, end: () => void monitor.kill() };
};

const servicePath = (data: string, name: string): string =>
  join(data, 'dbus-1', 'services', `${name}.service`);

/** A script that the bus starts when a name that nobody has is called, and that takes the name. */
const writeService = (data: string, name: string, script: string): void => {
  const path = servicePath(data, name);
  fs.mkdirSync(join(path, '..'), { recursive: true });
  fs.writeFileSync(path, `[D-BUS Service]\nName=${name}\nExec=${path}.sh\n`);
  fs.writeFileSync(`${path}.sh`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
};

/** What the method answers, undefined for an error. */
const sendTo = (
  env: Variables,
  name: string,
  path: string,
  method: string,
  ...words: readonly string[]
): string | undefined => {
  const head = ['--session', '--print-reply=literal', `--dest=${name}`];
  const { status, stdout } = spawnSync('dbus-send', [...head, path, `org.freedesktop.${method}`, ...words], {
    env,
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : undefined;
};

const defaultKeyring = (env: Variables): string | undefined => {
  const path = sendTo(
    env,
    secretService,
    '/org/freedesktop/secrets',
    'Secret.Service.ReadAlias',
    'string:default',
  );
  return path === '/' ? undefined : path;
};

const waitUntilOpen = (env: Variables): void => {
  // a look is a process: not one after the other; the first one may meet a keyring that is about to end
  for (let looks = 0; looks < 200; looks += 1) {
    if (defaultKeyring(env) !== undefined) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  }
  throw new Error('the keyring does not open');
};

const keyringProcess = (env: Variables): number => {
  const answer = sendTo(env, bus, '/', 'DBus.GetConnectionUnixProcessID', `string:${secretService}`);
  const pid = Number(/^uint32 (\d+)$/.exec(answer ?? '')?.[1]);
  if (!(pid > 0)) throw new Error('no keyring runs');
  return pid;
};

/** Runs secret-tool, which says on stderr what went wrong: again where the keyring has ended in the middle. */
const secretTool = (
  env: Variables,
  words: readonly string[],
  tries = 2,
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } => {
  const result = spawnSync('secret-tool', words, { env, encoding: 'utf8' });
  if (!/^secret-tool: /m.test(result.stderr)) return result;
  if (tries === 1) throw new Error(result.stderr);
  return secretTool(env, words, tries - 1);
};
