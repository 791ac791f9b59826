import fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Scene, useScene } from './support/fixture.ts';
import { type TestStore, type TestStoreName, testStores } from './support/key-store.ts';
import { wrapPass } from './support/pass.ts';
import { type Ended, runProcess, sectionOf, start } from './support/program.ts';
import { filesWith } from './support/rotation.ts';

// A day with the key in a store, while every process of the machine is looked at.

vi.setConfig({ testTimeout: 120_000 });

let scene: Scene;
let store: TestStore;
useScene((begun) => {
  scene = begun;
});
afterEach(() => store.end());

const processes = (): string[] => fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));

/** Looks at the arguments and variables of all processes that were not there before, again and again. */
const watchProcesses = () => {
  const seen = new Set<string>();
  const over = new AbortController();
  const before = new Set(processes());
  const look = (): void => {
    for (const pid of processes().filter((name) => !before.has(name))) {
      for (const file of ['cmdline', 'environ']) {
        try {
          seen.add(fs.readFileSync(join('/proc', pid, file), 'latin1'));
        } catch {
          // it has ended
        }
      }
    }
  };
  const watching = (async () => {
    for (; !over.signal.aborted; await setTimeout(5)) look();
  })();
  return {
    seen,
    end: async () => {
      over.abort();
      await watching;
    },
  };
};

const names: readonly TestStoreName[] = ['pass', 'system'];
const helpers = { pass: /pass\0show\0aws-iam-login\/AKIA/, system: /system-key-store\.cjs/ } as const;

describe.each(names)('with the key in %s', (name) => {
  test('move, login, role, rotation and back show no secret in arguments, variables, files, journal and output', async () => {
    const { home, jane, aws, phone } = scene;
    if (name === 'pass') wrapPass(home);
    store = testStores[name](home);
    Object.assign(home.env, store.env, { PASS_LOOK: '1' });
    aws.createRole({ name: 'admin', account: jane.account, trusts: [jane.account], requireMfa: true });
    fs.writeFileSync(
      home.config,
      `[profile admin]\nrole_arn = arn:aws:iam::${jane.account}:role/admin\nsource_profile = default\n`,
    );
    const watch = watchProcesses();
    let output = '';
    const step = async (...args: string[]): Promise<Ended> => {
      const ended = await runProcess(home, args);
      output += ended.stdout + ended.stderr;
      expect({ args, ...ended }).toMatchObject({ exitCode: 0 });
      return ended;
    };
    const secrets = (): string[] => [
      jane.secretAccessKey,
      ...store.names().map((id) => /"SecretAccessKey":"([^"]+)"/.exec(store.show(id) ?? '')?.[1] ?? ''),
    ];

    await step('init', 'default', '--key-store', name, '--yes');
    expect(filesWith(home.folder, secrets())).toEqual([]);
    await step('login', '--token-code', phone.code());
    expect(filesWith(home.folder, secrets())).toEqual([]);
    await step('exec', 'admin', '--', 'true');
    await step('list', '--json');
    await step('doctor', '--json');

    aws.fault('UpdateAccessKey', { kind: 'hold' });
    const rotating = start(home, ['rotate', 'default', '--debug']);
    await aws.untilHeld();
    // both keys are there, and so is the journal
    expect(fs.readdirSync(join(home.state, 'rotations'))).toHaveLength(1);
    expect(store.names()).toHaveLength(2);
    const all = secrets();
    expect(filesWith(home.folder, all)).toEqual([]);
    aws.clearFaults();
    aws.release();
    const rotated = await rotating.ended;
    expect(rotated).toMatchObject({ exitCode: 0 });
    output += rotated.stderr;
    expect(store.names()).toHaveLength(1);
    expect(store.names()).not.toContain(jane.accessKeyId);
    expect(filesWith(home.folder, all)).toEqual([]);

    await watch.end();
    expect(all.filter((secret) => secret.length < 30 || output.includes(secret))).toEqual([]);
    const texts = [...watch.seen];
    if (name === 'pass') texts.push(fs.readFileSync(join(home.folder, 'processes.log'), 'latin1'));
    expect(texts.some((text) => helpers[name].test(text))).toBe(true);
    expect(texts.filter((text) => all.some((secret) => text.includes(secret)))).toEqual([]);

    await step('init', 'default', '--key-store', 'file', '--yes');
    expect(store.names()).toEqual([]);
    expect(all).toContain(sectionOf(home, 'default')['aws_secret_access_key']);
  });
});
