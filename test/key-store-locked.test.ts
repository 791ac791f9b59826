import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Scene, useScene } from './support/fixture.ts';
import { type TestStore, type TestStoreName, putKey, testStores } from './support/key-store.ts';
import { type KeyringWatch, watchKeyring } from './support/keyring.ts';
import { faultyPass, wrapPass } from './support/pass.ts';
import { runProcess, start, writeCredentials } from './support/program.ts';
import { spread } from './support/rotation.ts';
import { atSize } from './support/size.ts';
import { openTerminal } from './support/terminal.ts';

// Stores that are locked, not there, or do not answer.

vi.setConfig({ testTimeout: 120_000 });

let scene: Scene;
let store: TestStore;
useScene((begun) => {
  scene = begun;
});
afterEach(() => store.end());

const names: readonly TestStoreName[] = ['pass', 'system'];
const titles = { pass: 'the password store pass', system: 'the Secret Service' } as const;

const begin = async (name: TestStoreName): Promise<void> => {
  store = testStores[name](scene.home, { locks: true });
  Object.assign(scene.home.env, store.env);
  await putKey(scene.home, name, scene.jane);
  const { accessKeyId, name: username } = scene.jane;
  const device = `mfa_serial = ${scene.phone.serialNumber}\nusername = ${username}\n`;
  const key = `aws_iam_login_key_store = ${name}\naws_iam_login_access_key_id = ${accessKeyId}\n`;
  writeCredentials(scene.home, `[default]\n${device}${key}`);
};

const login = () => ['login', '--token-code', scene.phone.code()];

describe.each(names)('with the key in %s', (name) => {
  beforeEach(() => begin(name));

  test('a login with a locked store says so, sends nothing and asks nobody', async () => {
    store.lock();
    const { exitCode, stdout, stderr } = await runProcess(scene.home, login());
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`^aws-iam-login: ${titles[name]} is locked.*\n {2}hint: unlock it .*\n$`),
    );
    expect(scene.aws.calls).toEqual([]);
    expect(store.hasAsked()).toBe(false);
    store.unlock();
    expect(await runProcess(scene.home, login())).toMatchObject({ exitCode: 0 });
  });

  test('the prompt hook unlocks nothing, and a new code is not asked for first', async () => {
    store.lock();
    const terminal = await openTerminal(scene.home, 'aws-iam-login env --hook; echo "code $?"');
    const shown = await terminal.until(/code \d/);
    expect(shown).toMatch(new RegExp(`aws-iam-login: ${titles[name]} is locked`));
    expect(shown).not.toContain('Enter MFA code');
    expect(store.hasAsked()).toBe(false);
  });

  test('a command that is typed at a terminal lets the store ask', async () => {
    store.lock();
    const terminal = await openTerminal(
      scene.home,
      `${login().join(' ').replace('login', 'aws-iam-login login')}; echo "code $?"`,
    );
    expect(await terminal.until(/code \d/)).toContain(`${titles[name]} is locked`);
    expect(store.hasAsked()).toBe(true);
  });

  test('--no-input keeps it from asking there, too', async () => {
    store.lock();
    const terminal = await openTerminal(
      scene.home,
      'aws-iam-login login --token-code 123456 --no-input; echo "code $?"',
    );
    expect(await terminal.until(/code \d/)).toContain(`${titles[name]} is locked`);
    expect(store.hasAsked()).toBe(false);
  });

  test('a rotation and a move back with a locked store change nothing', async () => {
    store.lock();
    for (const args of [
      ['rotate', 'default'],
      ['init', '--key-store', 'file', '--yes'],
    ]) {
      const { exitCode, stderr } = await runProcess(scene.home, args);
      expect({ args, exitCode, stderr }).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining(`${titles[name]} is locked`),
      });
    }
    expect(scene.aws.count('CreateAccessKey')).toBe(0);
    store.unlock();
    expect(store.names()).toEqual([scene.jane.accessKeyId]);
  });

  test('doctor names the locked store and does not unlock it', async () => {
    store.lock();
    expect((await runProcess(scene.home, ['doctor'])).stdout).toContain(`${titles[name]} is locked`);
    expect(store.hasAsked()).toBe(false);
  });
});

test('without a D-Bus the store of the system is named as not there', async () => {
  await begin('system');
  const { exitCode, stderr } = await runProcess(scene.home, login(), {
    env: { DBUS_SESSION_BUS_ADDRESS: undefined, XDG_RUNTIME_DIR: join(scene.home.folder, 'nowhere') },
  });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    /^aws-iam-login: the Secret Service is not there: nothing answers for it in this session\n {2}hint: .*--key-store pass\n$/,
  );
  expect(scene.aws.calls).toEqual([]);
});

test('a second item for the key is named, and the move back comes to its end without it', async () => {
  await begin('system');
  const { accessKeyId } = scene.jane;
  const item = ['service', 'aws-iam-login', 'username', accessKeyId];
  const env = { ...scene.home.env, ...store.env };
  const words = ['store', '--collection=session', '--label=x', ...item];
  execFileSync('secret-tool', words, { env, input: store.show(accessKeyId) ?? '' });
  const { exitCode, stderr } = await runProcess(scene.home, ['init', '--key-store', 'file', '--yes']);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(
    `aws-iam-login: the Secret Service has more than one item for …${accessKeyId.slice(-4)}\n  hint: leave one of them there, `,
  );
  store.remove(accessKeyId);
  expect(await runProcess(scene.home, ['init', '--key-store', 'file', '--yes'])).toMatchObject({
    exitCode: 0,
  });
  expect(await runProcess(scene.home, login())).toMatchObject({ exitCode: 0 });
});

test('a process for the Secret Service that is killed, as by a torn package, is named', async () => {
  await begin('system');
  const path = join(scene.home.folder, 'mute');
  const bus = createServer().listen(path);
  await once(bus, 'listening');
  const { child, ended } = start(scene.home, login(), {
    env: { DBUS_SESSION_BUS_ADDRESS: `unix:path=${path}` },
  });
  await once(bus, 'connection');
  const asking = fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
  process.kill(Number(asking), 'SIGBUS');
  const { exitCode, stderr } = await ended;
  bus.close();
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: expect.stringMatching(
      /^aws-iam-login: the Secret Service could not be asked: the process for that was killed\n {2}hint: try again; .*\n$/,
    ),
  });
});

const watch = (endIn?: number): Promise<KeyringWatch> =>
  watchKeyring({ ...scene.home.env, ...store.env }, endIn);
const rotate = () => ['rotate', 'default', '--yes', '--token-code', scene.phone.code()];

describe('a Secret Service that ends in the middle of a call is asked once more', () => {
  beforeEach(() => begin('system'));

  test('by a login', async () => {
    const { end } = await watch(1);
    expect(await runProcess(scene.home, login())).toMatchObject({ exitCode: 0 });
    end();
  });

  test('by a rotation, whichever call it is', async () => {
    const whole = await watch();
    expect(await runProcess(scene.home, rotate())).toMatchObject({ exitCode: 0 });
    whole.end();
    const all = Array.from({ length: whole.calls() }, (_, index) => index + 1);
    expect(all.length).toBeGreaterThan(3);
    for (const call of spread(all, atSize(3, all.length))) {
      const { calls, end } = await watch(call);
      const { exitCode, stderr } = await runProcess(scene.home, rotate());
      expect({ call, exitCode, stderr }).toEqual({ call, exitCode: 0, stderr: expect.any(String) });
      end();
      expect(calls()).toBeGreaterThanOrEqual(call);
      expect(store.names()).toHaveLength(1);
    }
  });
});

// Its seconds pass ten times as fast.
const hurry =
  'const wait = setTimeout; globalThis.setTimeout = (work, ms, ...rest) => wait(work, ms / 10, ...rest);';
const inHurry = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hurry)}` };

test('a store that never answers is named, and then given up', async () => {
  await begin('pass');
  wrapPass(scene.home);
  const env = { ...inHurry, ...faultyPass('hang', 1) };
  const { exitCode, stderr } = await runProcess(scene.home, login(), { env });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(
    /^aws-iam-login: waiting for the password store pass\naws-iam-login: the password store pass did not answer within 15 s\n {2}hint: .*\n$/,
  );
});

describe.each(['', ' </dev/null'])('at a terminal, with%s', (input) => {
  test.each([
    ['', true],
    ['stty -echo <"$GPG_TTY"\n', false],
  ])('a wait is told unless a passphrase is asked there: %j %j', async (asking, isTold) => {
    await begin('pass');
    const path = join(scene.home.folder, 'bin', 'pass');
    fs.writeFileSync(path, `#!/bin/sh\n${asking}exec sleep 1000\n`, { mode: 0o755 });
    const command = `export GPG_TTY="$(tty)"; aws-iam-login ${login().join(' ')}${input}; echo "code $?"`;
    const terminal = await openTerminal(scene.home, command, inHurry);
    const shown = await terminal.until(/code \d/);
    expect(shown).toContain('the password store pass did not answer within 50 s');
    expect(shown.includes('waiting for the password store pass')).toBe(isTold);
  });
});

test('the prompt hook waits two seconds for it at most', async () => {
  await begin('pass');
  wrapPass(scene.home);
  const { stderr } = await runProcess(scene.home, ['env', '--hook', '--token-code', scene.phone.code()], {
    env: faultyPass('hang', 1),
  });
  expect(stderr).toContain('aws-iam-login: the password store pass did not answer within 2 s\n');
});
