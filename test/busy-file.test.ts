import fs from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findPrograms } from './local-aws/clients.ts';
import { type LocalAws, startLocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { type Home, makeHomeOf, run, runCommand, runProcess, sectionOf, until } from './support/program.ts';
import { atSize } from './support/size.ts';

vi.setConfig({ testTimeout: atSize(240_000, 1_800_000) });

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;
let ends: (() => Promise<void>)[];

beforeEach(async () => {
  aws = await startLocalAws();
  jane = aws.createUser();
  phone = aws.addMfaDevice(jane, { name: 'phone' });
  home = makeHomeOf(aws, jane, phone.serialNumber);
  ends = [];
});

afterEach(async () => {
  await Promise.all(ends.map((end) => end()));
  busy.disarm();
  await aws.close();
  home.remove();
});

const waiting = (): string[] => {
  const folder = join(home.state, 'waiting');
  return fs.existsSync(folder) ? fs.readdirSync(folder) : [];
};

const preload = fileURLToPath(new URL('support/busy-file.cjs', import.meta.url));
const busy: { arm: (file: string, mark: string) => void; disarm: () => void } = createRequire(
  import.meta.url,
)(preload);

/** Lets another program write the file in place without a pause, as it is now, with a count. */
const writeWithoutPause = (): { end: () => void; env: Record<string, string> } => {
  const mark = join(home.folder, 'busy');
  fs.writeFileSync(mark, '');
  busy.arm(home.credentials, mark);
  const env = { NODE_OPTIONS: `--require=${preload}`, BUSY_FILE: home.credentials, BUSY_WHILE: mark };
  return { env, end: () => fs.rmSync(mark) };
};

describe('while another program writes the file without a pause', () => {
  test('env hands the session out, and the next call writes it with no further code', async () => {
    const { end, env } = writeWithoutPause();
    const first = await run(home, ['env', '--token-code', phone.code()]);
    expect(first.stderr).toContain(
      'other programs keep changing it; the session is kept, and the next call writes it\n',
    );
    expect(first).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/AWS_SESSION_TOKEN=/) });
    const [name = '', ...more] = waiting();
    expect(more).toEqual([]);
    expect(fs.statSync(join(home.state, 'waiting', name)).mode & 0o777).toBe(0o600);
    expect(fs.statSync(join(home.state, 'waiting')).mode & 0o777).toBe(0o700);

    const token = /AWS_SESSION_TOKEN=(\S+)/.exec(first.stdout)?.[1] ?? 'none';
    const command = ['exec', '--', 'printenv', 'AWS_SESSION_TOKEN'];
    expect((await runProcess(home, command, { env })).stdout.trim()).toBe(token.replaceAll("'", ''));
    end();
    const next = await run(home, ['env', '--no-input']);
    expect(next.stdout).toBe(first.stdout);
    expect(sectionOf(home, 'default-sts')['aws_session_token']).toBe(token.replaceAll("'", ''));
    expect(waiting()).toEqual([]);
    expect(aws.count('GetSessionToken')).toBe(1);
  });

  test('login says so and fails, and run again it writes the session without a code', async () => {
    const { end } = writeWithoutPause();
    const first = await run(home, ['login', '--token-code', phone.code()]);
    expect(first.exitCode).toBe(1);
    expect(first.stderr).toContain(
      'the session is kept, and env and exec use it\n  hint: run the command again',
    );
    end();
    expect(await run(home, ['login', '--no-input'])).toMatchObject({ exitCode: 0 });
    expect(sectionOf(home, 'default-sts')['aws_access_key_id']).toMatch(/^ASIA/);
    expect(waiting()).toEqual([]);
    expect(aws.count('GetSessionToken')).toBe(1);
  });
});

test('a login that waits for a gap has kept its session already, for whoever needs it meanwhile', async () => {
  const { end, env } = writeWithoutPause();
  const login = runCommand(home, 'aws-iam-login', ['login', '--token-code', phone.code()], { env });
  let isOver = false;
  void login.then(() => (isOver = true));
  await until(() => isOver || waiting().length > 0);
  const served = await run(home, ['env', '--no-input', '--quiet']);
  expect(served.stdout).toMatch(/AWS_SESSION_TOKEN=/);
  end();
  await login;
  expect(aws.count('GetSessionToken')).toBe(1);
});

test('a newer session in the file is not replaced by one that has waited', async () => {
  const { end } = writeWithoutPause();
  await run(home, ['env', '--token-code', phone.code(), '--duration', '1h']);
  expect(waiting()).toHaveLength(1);
  end();
  const newer = aws.mintSession(jane);
  const lines = [
    '[default-sts]',
    `aws_access_key_id = ${newer.accessKeyId}`,
    `aws_secret_access_key = ${newer.secretAccessKey}`,
    `aws_session_token = ${newer.sessionToken}`,
    `expiration = ${new Date(Date.now() + 6 * 3_600_000).toISOString()}`,
  ];
  fs.appendFileSync(home.credentials, `\n${lines.join('\n')}\n`);
  expect((await run(home, ['env', '--no-input'])).stdout).toContain(newer.sessionToken);
  expect(sectionOf(home, 'default-sts')['aws_session_token']).toBe(newer.sessionToken);
});

test('logins succeed while aws configure set runs in loops, and lose nothing that it writes', async () => {
  const cli = findPrograms('aws')[0] ?? 'aws';
  const over = new AbortController();
  let count = 0;
  const loop = async (setting: string): Promise<void> => {
    while (!over.signal.aborted) {
      await runCommand(home, cli, ['configure', 'set', setting, `v${(count += 1)}`, '--profile', 'other']);
      // a login needs a gap as long as the disk takes for a sync
      await setTimeout(300);
    }
  };
  fs.appendFileSync(home.credentials, '\n[other]\naws_access_key_id = v0\naws_secret_access_key = v0\n');
  const loops = Promise.all([loop('aws_access_key_id'), loop('aws_secret_access_key')]);
  ends.push(async () => {
    over.abort();
    await loops;
  });
  for (let times = 0; times < atSize(3, 9); times += 1) {
    const code = phone.code();
    const { exitCode, stderr } = await run(home, ['login', '--token-code', code]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr });
    expect(sectionOf(home, 'default')['aws_access_key_id']).toBe(jane.accessKeyId);
    expect(sectionOf(home, 'default-sts')['aws_access_key_id']).toMatch(/^ASIA/);
  }
  expect(count).toBeGreaterThan(0);
  expect(sectionOf(home, 'other')['aws_access_key_id']).toMatch(/^v/);
});
