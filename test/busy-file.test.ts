import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findPrograms } from './local-aws/clients.ts';
import { type LocalAws, startLocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { type Home, makeHomeOf, run, runCommand, runProcess, sectionOf, until } from './support/program.ts';
import { atSize } from './support/size.ts';

// a busy machine is no failure
vi.setConfig({ testTimeout: 240_000 });

// An edit tries for ten seconds, by a clock that is ten times as fast here, and in programs with these variables.
const hurry = 'const now = performance.now.bind(performance); performance.now = () => 10 * now();';
const inHurry = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hurry)}` };

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;
let ends: (() => Promise<void>)[];

beforeEach(async () => {
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => 10 * now());
  aws = await startLocalAws();
  jane = aws.createUser();
  phone = aws.addMfaDevice(jane, { name: 'phone' });
  home = makeHomeOf(aws, jane, phone.serialNumber);
  ends = [];
});

afterEach(async () => {
  await Promise.all(ends.map((end) => end()));
  await aws.close();
  home.remove();
  vi.restoreAllMocks();
});

const waiting = (): string[] => {
  const folder = join(home.state, 'waiting');
  return fs.existsSync(folder) ? fs.readdirSync(folder) : [];
};

/** A program that writes the file in place without a pause, as it has read it at its start, with a count. */
const writeWithoutPause = async (): Promise<() => Promise<void>> => {
  const text = fs.readFileSync(home.credentials, 'utf8');
  const script = `
    const fs = require('node:fs');
    let count = 0;
    process.on('SIGTERM', () => process.exit());
    const write = () => {
      for (let times = 0; times < 20; times++)
        fs.writeFileSync(process.env.FILE, process.env.TEXT + '# ' + (count += 1) + '\\n');
      setImmediate(write);
    };
    write();`;
  const env = { ...process.env, FILE: home.credentials, TEXT: text };
  const child = spawn(process.execPath, ['-e', script], { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('close', resolve));
  const end = async (): Promise<void> => {
    // it ends between two writes
    child.kill('SIGTERM');
    await ended;
  };
  ends.push(end);
  await until(() => fs.readFileSync(home.credentials, 'utf8').includes('# '));
  return end;
};

describe('while another program writes the file without a pause', () => {
  test('env hands the session out, and the next call writes it with no further code', async () => {
    const end = await writeWithoutPause();
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
    expect((await runProcess(home, command, { env: inHurry })).stdout.trim()).toBe(token.replaceAll("'", ''));
    await end();
    const next = await run(home, ['env', '--no-input']);
    expect(next.stdout).toBe(first.stdout);
    expect(sectionOf(home, 'default-sts')['aws_session_token']).toBe(token.replaceAll("'", ''));
    expect(waiting()).toEqual([]);
    expect(aws.count('GetSessionToken')).toBe(1);
  });

  test('login says so and fails, and run again it writes the session without a code', async () => {
    const end = await writeWithoutPause();
    const first = await run(home, ['login', '--token-code', phone.code()]);
    expect(first.exitCode).toBe(1);
    expect(first.stderr).toContain(
      'the session is kept, and env and exec use it\n  hint: run the command again',
    );
    await end();
    expect(await run(home, ['login', '--no-input'])).toMatchObject({ exitCode: 0 });
    expect(sectionOf(home, 'default-sts')['aws_access_key_id']).toMatch(/^ASIA/);
    expect(waiting()).toEqual([]);
    expect(aws.count('GetSessionToken')).toBe(1);
  });
});

test('a login that waits for a gap has kept its session already, for whoever needs it meanwhile', async () => {
  const end = await writeWithoutPause();
  const login = runCommand(home, 'aws-iam-login', ['login', '--token-code', phone.code()], { env: inHurry });
  let isOver = false;
  void login.then(() => (isOver = true));
  await until(() => isOver || waiting().length > 0);
  const env = await run(home, ['env', '--no-input', '--quiet']);
  expect(env.stdout).toMatch(/AWS_SESSION_TOKEN=/);
  await end();
  await login;
  expect(aws.count('GetSessionToken')).toBe(1);
});

test('a newer session in the file is not replaced by one that has waited', async () => {
  const end = await writeWithoutPause();
  await run(home, ['env', '--token-code', phone.code(), '--duration', '1h']);
  expect(waiting()).toHaveLength(1);
  await end();
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
    expect(await run(home, ['login', '--token-code', code])).toMatchObject({ exitCode: 0 });
    expect(sectionOf(home, 'default')['aws_access_key_id']).toBe(jane.accessKeyId);
    expect(sectionOf(home, 'default-sts')['aws_access_key_id']).toMatch(/^ASIA/);
  }
  expect(count).toBeGreaterThan(0);
  expect(sectionOf(home, 'other')['aws_access_key_id']).toMatch(/^v/);
});
