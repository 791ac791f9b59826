import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import type { TestStore } from './key-store.ts';
import type { Home } from './program.ts';

// The real gnome-keyring, on a D-Bus of the test's own.

const password = 'correct horse';
const service = ['service', 'aws-iam-login'];

/** Starts a bus and a keyring for the home, with a keyring that is open. */
export const makeKeyring = (home: Home, _options: { readonly locks?: boolean } = {}): TestStore => {
  const runtime = join(home.folder, 'run');
  fs.mkdirSync(runtime, { mode: 0o700 });
  const services = join(home.folder, 'data', 'dbus-1', 'services');
  const prompter = join(runtime, 'prompter');
  fs.mkdirSync(services, { recursive: true });
  fs.writeFileSync(prompter, '#!/bin/sh\n: >>"$0.called"\nexit 1\n', { mode: 0o755 });
  const bus = 'org.gnome.keyring.SystemPrompter';
  fs.writeFileSync(join(services, `${bus}.service`), `[D-BUS Service]\nName=${bus}\nExec=${prompter}\n`);
  const base = {
    ...home.env,
    XDG_RUNTIME_DIR: runtime,
    XDG_DATA_HOME: join(home.folder, 'data'),
  };
  const [address = '', daemon = ''] = execFileSync(
    'dbus-daemon',
    ['--session', '--fork', '--print-address=1', '--print-pid=1'],
    { env: base, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  ).split('\n');
  const env = {
    XDG_RUNTIME_DIR: runtime,
    XDG_DATA_HOME: base.XDG_DATA_HOME,
    DBUS_SESSION_BUS_ADDRESS: address,
  };
  const run = (file: string, words: readonly string[], input = ''): string =>
    execFileSync(file, words, {
      env: { ...base, ...env },
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  const call = (method: string, ...words: string[]): string =>
    run('dbus-send', [
      '--session',
      '--print-reply=literal',
      '--dest=org.freedesktop.secrets',
      '/org/freedesktop/secrets',
      `org.freedesktop.Secret.Service.${method}`,
      ...words,
    ]);
  const unlock = (): void => {
    run('gnome-keyring-daemon', ['--replace', '--unlock', '--components=secrets'], password);
    // a look is a process: not one after the other
    while (call('ReadAlias', 'string:default').trim() === '/')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  };
  unlock();
  return {
    env,
    names: () => {
      const found = execFileSync('sh', ['-c', 'exec secret-tool search --all "$@" 2>&1', 'sh', ...service], {
        env: { ...base, ...env },
        encoding: 'utf8',
      });
      return [...found.matchAll(/^attribute\.username = (.*)$/gm)].map(([, name = '']) => name);
    },
    show: (name) => {
      try {
        return run('secret-tool', ['lookup', ...service, 'username', name]);
      } catch {
        return undefined;
      }
    },
    remove: (name) => void run('secret-tool', ['clear', ...service, 'username', name]),
    hasAsked: () => fs.existsSync(`${prompter}.called`),
    lock: () => void call('Lock', `array:objpath:${call('ReadAlias', 'string:default').trim()}`),
    unlock,
    end: () => {
      // the keyring ends with its bus
      process.kill(Number(daemon));
    },
  };
};
