import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ensureStateFolder } from '../src/files/state-files.ts';
import { tryLock } from '../src/files/lock.ts';
import { joinFlight } from '../src/sessions/single-flight.ts';
import type { LocalAws } from './local-aws/server.ts';
import type { DeviceHandle } from './local-aws/world.ts';
import { useScene } from './support/fixture.ts';
import {
  type Home,
  runCommand,
  runProcess,
  sectionOf,
  snapshot,
  start,
  startCommand,
  until,
  wrongCodes,
} from './support/program.ts';
import { atSize } from './support/size.ts';
import { type Terminal, openTerminal } from './support/terminal.ts';

const many = atSize(4, 50);
const few = atSize(3, 8);
const crowded = atSize(9, 64);

// How many processes the present test starts.
let count = many;

let aws: LocalAws;
let home: Home;
let phone: DeviceHandle;

useScene((scene) => {
  count = many;
  ({ aws, home, phone } = scene);
});

// One job of the terminal: the processes are all in its foreground, each with files of its own.
const crowdOf = (words: string): string =>
  [
    'mkdir -p crowd',
    `for n in $(seq ${count}); do (aws-iam-login ${words} >crowd/$n.out 2>crowd/$n.err; echo $? >crowd/$n.code) & done`,
    'wait',
    'echo ALL DONE',
  ].join('; ');

/** The text of a file that may be gone at any moment: the processes make and remove them. */
const textOf = (path: string): string => {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const read = (kind: 'code' | 'err' | 'out'): string[] =>
  Array.from({ length: count }, (_, index) => textOf(join(home.folder, 'crowd', `${index + 1}.${kind}`)));

const codes = (): string[] => read('code').map((text) => text.trim());

const allOf = (value: string): string[] => Array.from({ length: count }, () => value);

/** Waits until this many others say that they wait for one process; returns its id. */
const untilWaiting = (waiting: number, text = 'is asking for the code of'): Promise<number> =>
  until(() => {
    const pids = read('err').flatMap((err) => [
      ...new Set([...err.matchAll(new RegExp(`process (\\d+) ${text}`, 'g'))].map((match) => match[1])),
    ]);
    const found = [...new Set(pids)].find((pid) => pids.filter((each) => each === pid).length === waiting);
    return found === undefined ? undefined : Number(found);
  });

// A crowd takes as long as the machine needs for it: only the limit of the test counts.
const crowdShows = async (terminal: Terminal, pattern: RegExp): Promise<void> => {
  while (!pattern.test(await terminal.screen())) await new Promise((resolve) => setTimeout(resolve, 20));
};

const openCrowd = async (words: string): Promise<Terminal> => {
  const terminal = await openTerminal(home, crowdOf(words));
  await crowdShows(terminal, /Enter MFA code for /);
  return terminal;
};

const answer = async (terminal: Terminal, code: string): Promise<void> => {
  await terminal.type(code);
  await terminal.press('Enter');
};

const questions = async (terminal: Terminal): Promise<number> =>
  (await terminal.screen()).split('Enter MFA code for ').length - 1;

describe('processes in one terminal', () => {
  test.each([
    ['env default', many],
    ['login default', few],
  ])('%s: one question, one request, one answer for all %i', async (words, processes) => {
    count = processes;
    const terminal = await openCrowd(words);
    await untilWaiting(count - 1);
    expect(aws.count()).toBe(0);
    await answer(terminal, phone.code());
    await crowdShows(terminal, /ALL DONE/);
    expect(codes()).toEqual(allOf('0'));
    expect(new Set(read('out')).size).toBe(1);
    const token = words.startsWith('env') ? sectionOf(home, 'default-sts')['aws_session_token'] : '';
    expect(read('out')[0]).toContain(token);
    expect(await questions(terminal)).toBe(1);
    expect(aws.count('GetSessionToken')).toBe(1);
  });

  test(`a cancel ends all ${many} with 130, and nothing has changed`, async () => {
    const before = snapshot(home);
    const terminal = await openCrowd('env default');
    await untilWaiting(count - 1);
    await terminal.press('C-c');
    await crowdShows(terminal, /ALL DONE/);
    expect(codes()).toEqual(allOf('130'));
    expect(read('out')).toEqual(allOf('false\n'));
    expect(await questions(terminal)).toBe(1);
    expect(aws.count()).toBe(0);
    expect(snapshot(home)).toEqual(before);
  });

  test(`three wrong codes end all ${many} with 1`, async () => {
    const terminal = await openCrowd('env default');
    await untilWaiting(count - 1);
    for (const [index, code] of wrongCodes(phone, 3).entries()) {
      await crowdShows(terminal, new RegExp(`(Enter MFA code for [^]*){${index + 1}}`));
      await answer(terminal, code);
    }
    await crowdShows(terminal, /ALL DONE/);
    expect(codes()).toEqual(allOf('1'));
    expect(read('out')).toEqual(allOf('false\n'));
    for (const err of read('err')) expect(err).toContain('AWS rejected the token code');
    expect(aws.count('GetSessionToken')).toBe(3);
  });

  test('a wrong code and then the right one serve all', async () => {
    count = few;
    const terminal = await openCrowd('env default');
    await untilWaiting(count - 1);
    await answer(terminal, phone.wrongCode());
    await crowdShows(terminal, /(Enter MFA code for [^]*){2}/);
    await answer(terminal, phone.code());
    await crowdShows(terminal, /ALL DONE/);
    expect(codes()).toEqual(allOf('0'));
    expect(new Set(read('out')).size).toBe(1);
    expect(aws.count('GetSessionToken')).toBe(2);
  });

  test(`of ${many}: when the one that asks is killed, another one asks`, async () => {
    const terminal = await openCrowd('env default');
    const asker = await untilWaiting(count - 1);
    process.kill(asker, 'SIGKILL');
    await crowdShows(terminal, /(Enter MFA code for [^]*){2}/);
    await untilWaiting(count - 2);
    await answer(terminal, phone.code());
    await crowdShows(terminal, /ALL DONE/);
    expect(codes().sort()).toEqual([...allOf('0').slice(1), '137']);
    expect(new Set(read('out').filter((out) => out !== '')).size).toBe(1);
    expect(aws.count('GetSessionToken')).toBe(1);
  });

  test(`of ${many}: when the one that asks is stopped, another one asks, and it takes the session when it goes on`, async () => {
    const terminal = await openCrowd('env default');
    const asker = await untilWaiting(count - 1);
    process.kill(asker, 'SIGSTOP');
    await crowdShows(terminal, /(Enter MFA code for [^]*){2}/);
    await untilWaiting(count - 2);
    await answer(terminal, phone.code());
    await until(() => codes().filter((code) => code === '0').length === count - 1);
    process.kill(asker, 'SIGCONT');
    await crowdShows(terminal, /ALL DONE/);
    expect(codes()).toEqual(allOf('0'));
    expect(new Set(read('out')).size).toBe(1);
    expect(aws.count('GetSessionToken')).toBe(1);
  });

  test('Ctrl-C at one that waits ends that one only', async () => {
    count = few;
    const terminal = await openCrowd('env default');
    const asker = await untilWaiting(count - 1);
    const { stdout } = await runCommand(home, 'ps', ['-o', 'pid=,tty=,args=', '-e']);
    const processes = stdout.split('\n').map((line) => line.trim().split(/\s+/));
    const terminalOf = processes.find(([pid]) => Number(pid) === asker)?.[1];
    const [waiting] = processes
      .filter(
        ([, tty, ...words]) =>
          tty === terminalOf && words.join(' ').endsWith('aws-iam-login.cjs env default'),
      )
      .map(([pid]) => Number(pid))
      .filter((pid) => pid > 0 && pid !== asker);
    assert(waiting !== undefined);
    process.kill(waiting, 'SIGINT');
    await until(() => codes().filter((code) => code === '130').length === 1);
    await answer(terminal, phone.code());
    await crowdShows(terminal, /ALL DONE/);
    expect(codes().sort()).toEqual([...allOf('0').slice(1), '130']);
    expect(aws.count('GetSessionToken')).toBe(1);
  });
});

describe('processes that need roles', () => {
  const names = Array.from({ length: 8 }, (_, index) => `role${index}`);

  beforeEach(() => {
    for (const name of names) {
      const { arn } = aws.createRole({ name, requireMfa: true });
      fs.appendFileSync(home.config, `[profile ${name}]\nrole_arn = ${arn}\nsource_profile = default\n`);
    }
  });

  test(`${crowded} with eight roles between them: one question, one GetSessionToken, eight AssumeRole`, async () => {
    count = crowded;
    const terminal = await openCrowd('env role$((n % 8))');
    await untilWaiting(count - 1);
    await answer(terminal, phone.code());
    await crowdShows(terminal, /ALL DONE/);
    expect(codes()).toEqual(allOf('0'));
    expect(new Set(read('out')).size).toBe(8);
    expect(await questions(terminal)).toBe(1);
    expect(aws.count('GetSessionToken')).toBe(1);
    expect(aws.count('AssumeRole')).toBe(8);
    for (const [index, out] of read('out').entries()) {
      const name = `role${(index + 1) % 8}`;
      expect(out).toContain(`AWS_IAM_LOGIN_PROFILE='${name}'`);
      expect(out).toContain(sectionOf(home, `${name}-sts`)['aws_session_token']);
    }
  });

  test('when the one that assumes the role is killed, another one does', async () => {
    await runProcess(home, ['login', '--token-code', phone.code()]);
    aws.fault('AssumeRole', 'hold', { times: 2 });
    const running = Array.from({ length: few }, () => start(home, ['env', 'role0']));
    await aws.untilHeld();
    const [pid] = await until(() => {
      const locks = join(home.state, 'locks');
      const pids = fs
        .readdirSync(locks, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /^\d+$/.test(entry.name))
        .map((entry) => textOf(join(entry.parentPath, entry.name)))
        .flatMap((text) => (text.startsWith('+') ? [Number(/"pid":(\d+)/.exec(text)?.[1])] : []));
      return pids.length > 0 && pids;
    });
    assert(pid !== undefined && pid > 0);
    process.kill(pid, 'SIGKILL');
    await aws.untilHeld(2);
    aws.release();
    const ended = await Promise.all(running.map((each) => each.ended));
    expect(ended.map(({ signal }) => signal).filter((signal) => signal !== null)).toEqual(['SIGKILL']);
    expect(ended.filter(({ exitCode }) => exitCode === 0)).toHaveLength(few - 1);
    expect(aws.count('AssumeRole')).toBe(2);
  });

  test('when AWS refuses the role, all that wait for it end with that, and others go on', async () => {
    await runProcess(home, ['login', '--token-code', phone.code()]);
    aws.deleteRole('arn:aws:iam::123456789012:role/role0');
    aws.fault('AssumeRole', 'hold');
    const running = Array.from({ length: few }, () => start(home, ['env', 'role0']));
    await aws.untilHeld();
    expect(await runProcess(home, ['env', 'role1'])).toMatchObject({ exitCode: 0 });
    aws.release();
    for (const { exitCode, stdout, stderr } of await Promise.all(running.map((each) => each.ended))) {
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'false\n' });
      expect(stderr).toContain('could not assume');
    }
    expect(sectionOf(home, 'role0-sts')).toEqual({});
  });
});

const startCrowd = (code: string) =>
  startCommand(home, 'sh', ['-c', crowdOf(`env default --token-code ${code}`)]).ended;

describe('processes with one --token-code', () => {
  test(`send it once, and all ${many} get the session`, async () => {
    aws.fault('GetSessionToken', 'hold');
    const ended = startCrowd(phone.code());
    await aws.untilHeld();
    await untilWaiting(count - 1, 'is getting a session with');
    aws.release();
    await ended;
    expect(codes()).toEqual(allOf('0'));
    expect(new Set(read('out')).size).toBe(1);
    expect(aws.count('GetSessionToken')).toBe(1);
  });

  test('send a wrong one once, and all end with 1', async () => {
    count = few;
    aws.fault('GetSessionToken', 'hold');
    const ended = startCrowd(phone.wrongCode());
    await aws.untilHeld();
    await untilWaiting(count - 1, 'is getting a session with');
    aws.release();
    await ended;
    expect(codes()).toEqual(allOf('1'));
    expect(read('out')).toEqual(allOf('false\n'));
    expect(aws.count('GetSessionToken')).toBe(1);
  });

  test('need no crowd at the start: whoever comes later finds the session', async () => {
    count = few;
    await startCrowd(phone.code());
    expect(codes()).toEqual(allOf('0'));
    expect(new Set(read('out')).size).toBe(1);
    expect(aws.count('GetSessionToken')).toBe(1);
  });
});

describe('who brings a code of his own', () => {
  test('does not wait for a question, and whoever is asked takes the session without a code of his own', async () => {
    const terminal = await openTerminal(home, 'aws-iam-login env >out 2>err; echo EXIT$?');
    await terminal.until(/Enter MFA code for /);
    expect(await runProcess(home, ['login', '--token-code', phone.code()])).toMatchObject({ exitCode: 0 });
    await answer(terminal, phone.code());
    await terminal.until(/EXIT0/);
    expect(fs.readFileSync(join(home.folder, 'out'), 'utf8')).toContain(
      sectionOf(home, 'default-sts')['aws_session_token'],
    );
    expect(aws.count('GetSessionToken')).toBe(1);
  });

  test('does not wait for a stdin that never ends', async () => {
    const endless = start(home, ['login', '--token-code', '-'], { openInput: true });
    await until(() => fs.existsSync(join(home.state, 'locks')));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { exitCode } = await runProcess(home, ['login', '--token-code', phone.code()]);
    endless.child.kill('SIGKILL');
    expect(exitCode).toBe(0);
  });

  test('uses it after a wrong one of somebody else', async () => {
    aws.fault('GetSessionToken', 'hold');
    const wrong = start(home, ['env', '--token-code', phone.wrongCode()]);
    await aws.untilHeld();
    const right = start(home, ['env', '--token-code', phone.code()]);
    await right.says('is getting a session with');
    aws.release();
    expect((await wrong.ended).exitCode).toBe(1);
    expect((await right.ended).exitCode).toBe(0);
    expect(aws.count('GetSessionToken')).toBe(2);
  });
});

test('who waits for one at work says so, and again when that one asks', async () => {
  ensureStateFolder(home.state);
  const plan = {
    path: join(home.state, 'flight'),
    goal: 'it',
    subject: 'profile default',
    canAsk: () => true,
  };
  const { lock } = tryLock(plan.path, { phase: 'working', goal: plan.goal });
  const lines: string[] = [];
  let time = 0;
  const context = {
    env: {},
    now: () => time,
    sleep: async (milliseconds: number) => {
      time += milliseconds;
      if (time > 60_000) throw new Error(`a minute has gone by: ${lines.join()}`);
      if (lines.length === 1) lock?.update({ phase: 'asking', goal: plan.goal });
      if (lines.length === 2) lock?.release();
    },
    log: (line: string) => void lines.push(line),
    print: () => {},
  };
  expect(
    await joinFlight<unknown>(
      plan,
      context,
      () => undefined,
      async () => 'its own',
    ),
  ).toBe('its own');
  expect(lines).toEqual([
    `aws-iam-login: process ${process.pid} is getting a session with profile default: waiting for it`,
    `aws-iam-login: process ${process.pid} is asking for the code of profile default: waiting for it`,
  ]);
});

test('who has no terminal exits 3 at once while another one is asking', async () => {
  const terminal = await openTerminal(home, 'aws-iam-login env >out 2>err; echo EXIT$?');
  await terminal.until(/Enter MFA code for /);
  const { exitCode, stdout, stderr } = await runProcess(home, ['env']);
  expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: 'false\n' });
  expect(stderr).toMatch(
    /^aws-iam-login: process \d+ is asking for the code of \S+, and there is no terminal to wait on\n {2}hint: /,
  );
  await answer(terminal, phone.code());
  await terminal.until(/EXIT0/);
});

test('two questions on one terminal come one after the other', async () => {
  const joe = aws.createUser({ name: 'joe' });
  const token = aws.addMfaDevice(joe, { kind: 'hardware', serialNumber: 'GAHT12345678' });
  fs.appendFileSync(
    home.credentials,
    `[joe]\naws_access_key_id = ${joe.accessKeyId}\naws_secret_access_key = ${joe.secretAccessKey}\nmfa_serial = GAHT12345678\n`,
  );
  const terminal = await openTerminal(
    home,
    '(aws-iam-login default 2>one; echo ONE$?) & (aws-iam-login joe 2>two; echo TWO$?) & wait',
  );
  const first = await terminal.until(/Enter MFA code for /);
  const files = ['one', 'two'].map((name) => join(home.folder, name));
  await until(() =>
    files.some((path) =>
      fs.readFileSync(path, 'utf8').includes('is asking on this terminal: waiting for it'),
    ),
  );
  expect(await questions(terminal)).toBe(1);
  const order = first.includes('GAHT') ? [token, phone] : [phone, token];
  await answer(terminal, order[0]?.code() ?? '');
  await terminal.until(/(Enter MFA code for [^]*){2}/);
  await answer(terminal, order[1]?.code() ?? '');
  const screen = await terminal.until(/(ONE|TWO)[^]*(ONE|TWO)/);
  expect(screen).toContain('ONE0');
  expect(screen).toContain('TWO0');
});

test('init, setup and login ask on one terminal one after the other', async () => {
  aws.addMfaDevice('jane', { name: 'tablet' });
  const commands = ['login', 'init --force', 'setup bash'];
  const terminal = await openTerminal(
    home,
    `${commands.map((words, index) => `(aws-iam-login ${words} 2>err${index}; echo "ENDED $?") &`).join(' ')} wait; echo ALL DONE`,
  );
  const waiting = (): string[] =>
    commands
      .map((_, index) => join(home.folder, `err${index}`))
      .filter(
        (path) => fs.existsSync(path) && fs.readFileSync(path, 'utf8').includes('is asking on this terminal'),
      );
  const question = /Enter MFA code for|Use which one|Go on\?/g;
  for (const asked of [1, 2, 3]) {
    await until(() => waiting().length >= 2 || asked > 1);
    const screen = await terminal.until(new RegExp(`(?:(?:${question.source})[^]*){${asked}}`));
    expect(screen.match(question)).toHaveLength(asked);
    expect(screen.match(/ENDED/g) ?? []).toHaveLength(asked - 1);
    await terminal.press('C-c');
    await terminal.until(new RegExp(`(?:ENDED 130[^]*){${asked}}`));
  }
  await terminal.until(/ALL DONE/);
});
