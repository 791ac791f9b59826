import fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { commandNames } from '../src/cli/commands.ts';
import type { LocalAws } from './local-aws/server.ts';
import type { SessionHandle, UserHandle } from './local-aws/world.ts';
import { useScene } from './support/fixture.ts';
import {
  type Ended,
  type Home,
  launcher,
  program,
  run,
  runCommand,
  runProcess,
  sessionLines,
  start,
  startCommand,
  until,
} from './support/program.ts';
import { openTerminal } from './support/terminal.ts';

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let session: SessionHandle;

useScene((scene) => {
  ({ aws, home, jane } = scene);
  session = aws.mintSession(jane, { seconds: 7200 });
  fs.appendFileSync(home.credentials, `[default-sts]\n${sessionLines(session, session.expiration)}`);
});

describe('help', () => {
  test('names every command, both word orders and examples', async () => {
    for (const words of [['--help'], ['-h']]) {
      const { exitCode, stdout, stderr } = await run(home, words);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      for (const name of commandNames) expect(stdout).toMatch(new RegExp(`^ *${name} +\\S`, 'm'));
      expect(stdout).toContain('aws-iam-login <command> [profile] [options]\n');
      expect(stdout).toContain('aws-iam-login <profile> [command] [options]');
      expect(stdout).toContain('\nExamples\n');
    }
  });

  test.each(commandNames)('of %s has its options and examples', async (name) => {
    const { exitCode, stdout } = await run(home, [name, '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/\nOptions[^]*--help[^]*\nExamples\n {2}\S/);
    expect(stdout).toContain(`aws-iam-login ${name}`);
  });

  test('is the same in the origin’s order', async () => {
    const { stdout } = await run(home, ['env', '--help']);
    expect(await run(home, ['default', 'env', '--help'])).toMatchObject({ exitCode: 0, stdout });
  });
});

test('--version is that of package.json', async () => {
  const { version } = JSON.parse(fs.readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  for (const words of [['--version'], ['env', '--version']]) {
    expect(await run(home, words)).toMatchObject({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
  }
});

const withoutTrace = ({ stderr, ...ended }: Ended): Ended => ({
  ...ended,
  stderr: stderr.replaceAll(/^ {4}at .*\n/gm, ''),
});

// All else here runs in the process of the tests.
describe('a process of its own', () => {
  test.each([
    '--version',
    '--help',
    'login nobody --no-input',
    'login --if-needed',
    'env',
    'env nobody --debug',
    'env --format fish nobody',
    'init --wat',
    'init',
    'exec nobody -- true',
    'exec',
    'use',
    'policy',
    'rotate --status',
    'hook bash',
    'hook tcsh',
    'completion fish --wat',
    'frobnicate default',
  ])('says the same of "%s", with the same exit code', async (words) => {
    const ended = await runProcess(home, words.split(' '));
    expect(withoutTrace(ended)).toEqual(withoutTrace(await run(home, words.split(' '))));
  });
});

describe('words', () => {
  test.each([
    ['env default', 'default env'],
    ['env -p default', '--profile=default env'],
    ['env default --as profile', '--as profile default env'],
    ['env', '-p default env --min-ttl 1m'],
  ])('%s and %s mean the same', async (one, other) => {
    const first = await run(home, one.split(' '));
    expect(first).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await run(home, other.split(' '))).toEqual(first);
  });

  test('a profile that is called like a command is named with --profile', async () => {
    fs.appendFileSync(
      home.credentials,
      `[env]\nregion = eu-west-1\n[env-sts]\n${sessionLines(session, session.expiration)}`,
    );
    const { stdout } = await run(home, ['env', '--profile', 'env']);
    expect(stdout).toContain("AWS_IAM_LOGIN_PROFILE='env'");
  });

  test.each([
    [
      ['default', 'enw'],
      /^aws-iam-login: enw is no command; the commands are init, login, env, /,
      /did you mean env\?/,
    ],
    [['envv', 'default'], /^aws-iam-login: default is no command; /, /did you mean env\?/],
    [['default', 'frobnicate'], /^aws-iam-login: frobnicate is no command; /, /--help/],
    [['logn'], /^aws-iam-login: logn is neither a command nor a profile$/m, /did you mean login\?/],
    [['init', 'a', 'b'], /^aws-iam-login: one word too many: b$/m, /--help/],
    [['login', '--wat'], /^aws-iam-login: .*wat/, /--help/],
    [
      ['use'],
      /^aws-iam-login: use changes the current shell, and the shell hook is not loaded here$/m,
      /hook/,
    ],
    [['login', 'env', '--wat'], /^aws-iam-login: .*wat/, /--help/],
  ])('%s is a usage error with a hint', async (words, message, hint) => {
    const { exitCode, stdout, stderr } = await run(home, words);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(hint);
  });

  describe('of a profile that is called like a command', () => {
    beforeEach(() => {
      fs.appendFileSync(home.credentials, `[env]\nregion = eu-west-1\n`);
    });

    test('as an operand get the hint -p', async () => {
      expect(await run(home, ['env', 'rotate'])).toEqual({
        exitCode: 2,
        signal: null,
        stdout: 'false\n',
        stderr:
          'aws-iam-login: env is taken for the command, and there is no profile rotate\n' +
          '  hint: name the profile with -p: aws-iam-login rotate -p env\n',
      });
    });

    test('alone are the command, and the hint -p comes where there is no session', async () => {
      const note = 'aws-iam-login: env is taken for the command: -p env names the profile\n';
      const words = ['env', '--min-ttl', '3h', '--no-input'];
      expect((await run(home, words)).stderr).toMatch(new RegExp(`^${note}`));
      expect((await run(home, [...words, '--quiet'])).stderr).not.toContain(note);
      expect((await run(home, [...words, '-p', 'default'])).stderr).not.toContain(note);
      expect((await run(home, ['policy'])).stderr).toBe('');
    });
  });

  test.each([
    ['env -pdefault', 'env -p default'],
    ['env -qp default', 'env -q -p default'],
    ['env -qp=default', 'env -q -p default'],
    ['env --no-debug', 'env'],
    ['default --no-debug env', 'env default'],
  ])('%s is %s', async (short, long) => {
    const { stdout } = await run(home, long.split(' '));
    expect(await run(home, short.split(' '))).toEqual({ exitCode: 0, signal: null, stdout, stderr: '' });
  });

  test('a value may begin with a dash', async () => {
    const lines = sessionLines(session, session.expiration);
    fs.appendFileSync(home.credentials, `[-dash]\nregion = eu-west-1\n[-dash-sts]\n${lines}`);
    for (const words of [
      ['env', '-p', '-dash'],
      ['env', '--profile', '-dash', '--debug'],
    ]) {
      expect((await run(home, words)).stdout).toContain("AWS_IAM_LOGIN_PROFILE='-dash'");
    }
  });

  test('a word near a profile is no mistyped command', async () => {
    const { exitCode, stderr } = await run(home, ['defautl']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('did you mean default?');
  });
});

describe('streams', () => {
  test('--quiet says nothing but errors', async () => {
    const words = ['--quiet', '--token-code', aws.deviceOf(jane).code()];
    expect(await run(home, ['login', ...words])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    const { stderr } = await run(home, ['login', 'nobody', ...words]);
    expect(stderr).toContain('aws-iam-login: profile nobody is neither in');
  });

  test('a stack trace comes with --debug only', async () => {
    expect((await run(home, ['login', 'nobody'])).stderr).not.toContain('    at ');
    expect((await run(home, ['login', 'nobody', '--debug'])).stderr).toContain('    at ');
    expect((await run(home, ['login', 'nobody', '--debug', '--no-debug'])).stderr).not.toContain('    at ');
  });

  test('without colours, on a terminal neither, where they do not help', async () => {
    const terminal = await openTerminal(home, 'aws-iam-login login nobody 2>&1 | cat -v; echo END');
    expect(await terminal.until(/END/)).not.toContain('^[[');
  });
});

// a variable that a shell may drop keeps the launcher from becoming the command
const forNode = { 'no.identifier': 'x' };

describe.each([
  ['the launcher', {}],
  ['Node', forNode],
])('exec by %s', (_way, env) => {
  const variables = `printenv AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_IAM_LOGIN_PROFILE`;

  test('runs the command with the variables of the session', async () => {
    const { exitCode, stdout } = await runProcess(
      home,
      [
        'exec',
        'default',
        '--',
        'sh',
        '-c',
        `${variables}; printenv AWS_PROFILE; printenv AWS_SECURITY_TOKEN`,
      ],
      { env: { ...env, AWS_PROFILE: 'mine', AWS_SECURITY_TOKEN: 'old' } },
    );
    expect(stdout).toBe(
      `${[session.accessKeyId, session.secretAccessKey, session.sessionToken, 'default'].join('\n')}\n`,
    );
    expect(exitCode).toBe(1);
  });

  test.each([
    [['true'], 0],
    [['sh', '-c', 'exit 42'], 42],
    [['/does/not/exist'], 127],
    [['no-such-command-here'], 127],
    [['/etc'], 126],
    [['/etc/passwd'], 126],
    [['sh', '-c', 'kill -9 $$'], 137],
    [['sh', '-c', 'kill -TERM $$'], 143],
  ])('%s gives a shell exit code %i', async (command, exitCode) => {
    const words = [launcher, 'exec', '--', ...command];
    const shell = ['-c', '"$@"; exit $?', 'sh', ...words];
    expect(await runCommand(home, 'sh', shell, { env })).toMatchObject({ exitCode });
  });

  test('passes stdin, stdout, arguments and the origin’s word order through', async () => {
    const command = ['sh', '-c', 'cat; printf "<%s>" "$@"', 'sh', '--help', '-p', 'a b', '', '--'];
    const { stdout } = await runProcess(home, ['default', 'exec', '--', ...command], { env, input: 'in' });
    expect(stdout).toBe('in<--help><-p><a b><><-->');
  });

  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const)(
    'passes %s on and ends as the command does',
    async (signal) => {
      const script = `trap 'echo got; exit 7' ${signal.slice(3)}; echo ready >&2; while :; do sleep 0.05; done`;
      const { child, ended, says } = start(home, ['exec', '--', 'sh', '-c', script], { env });
      await says('ready');
      child.kill(signal);
      expect(await ended).toMatchObject({ exitCode: 7, stdout: 'got\n' });
    },
  );
});

describe('exec', () => {
  test('gives the command all the time that it needs after a signal', async () => {
    const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
    const ends = signals.map(async (signal) => {
      const script = `trap 'sleep 7; echo saved; exit 7' ${signal.slice(3)}; echo ready >&2; while :; do sleep 0.05; done`;
      const { child, ended, says } = start(home, ['exec', '--', 'sh', '-c', script], { env: forNode });
      await says('ready');
      child.kill(signal);
      return { ...(await ended), signal };
    });
    expect(await Promise.all(ends)).toEqual(
      signals.map((signal) =>
        expect.objectContaining({ signal, exitCode: 7, stdout: 'saved\n', stderr: 'ready\n' }),
      ),
    );
  });

  test('Ctrl-C reaches the command once, and its exit code comes back', async () => {
    const script = `trap 'echo got; exit 7' INT; echo ready; while :; do sleep 0.05; done`;
    const terminal = await openTerminal(
      home,
      `trap : INT; env no.identifier=x aws-iam-login exec -- sh -c "${script}"; echo EXIT$?`,
    );
    await terminal.until(/ready/);
    await terminal.press('C-c');
    const screen = await terminal.until(/EXIT7/);
    expect(screen.match(/got/g)).toHaveLength(1);
  });

  test('Ctrl-C reaches a command that reads a pipe once', async () => {
    // it ends when somebody types, long after a second signal would have come
    const script = `trap 'echo got' INT; echo ready; until read line </dev/tty; do :; done; echo END`;
    const terminal = await openTerminal(
      home,
      `trap : INT; : | env no.identifier=x aws-iam-login exec -- sh -c "${script}"`,
    );
    await terminal.until(/ready/);
    await terminal.press('C-c');
    await terminal.until(/got/);
    await terminal.type('go on');
    await terminal.press('Enter');
    const screen = await terminal.until(/END/);
    expect(screen.match(/got/g)).toHaveLength(1);
  });

  test('fails with 125 and runs nothing when there is no session to run it with', async () => {
    const mark = join(home.folder, 'ran');
    for (const words of [
      ['exec', 'nobody', '--', 'touch', mark],
      ['exec', 'default', '--duration', 'x', '--', 'touch', mark],
      ['exec', 'default', '--min-ttl', '3h', '--no-input', '--', 'touch', mark],
      ['exec', 'default'],
      ['exec', 'default', '--'],
      ['exec', 'env', '--'],
    ]) {
      const { exitCode, stdout, stderr } = await run(home, words);
      expect({ words, exitCode, stdout }).toEqual({ words, exitCode: 125, stdout: '' });
      expect(stderr).toMatch(/^aws-iam-login: .*\n {2}hint: /);
    }
    expect(fs.existsSync(mark)).toBe(false);
  });

  test('takes nothing after -- for an option of its own', async () => {
    const plain = await run(home, ['exec', 'nobody', '--', 'terraform']);
    expect(plain.stderr).toMatch(/^aws-iam-login: profile nobody is neither in [^\n]+\n {2}hint: [^\n]+\n$/);
    for (const words of [
      ['--debug'],
      ['foo', '--hook', '--no-input'],
      ['env', '--format', 'env'],
      ['--help'],
    ]) {
      expect(await run(home, ['exec', 'nobody', '--', 'terraform', ...words])).toEqual(plain);
    }
    const noCode = ['exec', '--no-input', '--min-ttl', '3h', '--', 'foo', '--hook'];
    expect(await run(home, noCode)).toMatchObject({
      exitCode: 125,
      stdout: '',
      stderr: expect.stringContaining('  hint: '),
    });
  });

  test('asks for a code and then runs the command on the same terminal', async () => {
    fs.writeFileSync(
      home.credentials,
      fs.readFileSync(home.credentials, 'utf8').split('[default-sts]')[0] ?? '',
    );
    const terminal = await openTerminal(home, 'aws-iam-login exec -- sh -c "read line; echo heard \\$line"');
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.type(aws.deviceOf(jane).code());
    await terminal.press('Enter');
    await until(() => aws.count('GetSessionToken') === 1);
    await terminal.type('hello');
    await terminal.press('Enter');
    await terminal.until(/heard hello/);
    expect(aws.count('GetSessionToken')).toBe(1);
  });
});

test('a Node that is too old gets one sentence', async () => {
  const old = `Object.defineProperty(process.versions, 'node', { value: '20.18.3' })`;
  fs.writeFileSync(join(home.folder, 'old.cjs'), old);
  const env = { NODE_OPTIONS: `--require=${join(home.folder, 'old.cjs')}` };
  const { exitCode, stdout, stderr } = await runProcess(home, ['env', '--format', 'powershell'], { env });
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'false\n' });
  expect(stderr).toMatch(/^aws-iam-login: Node 20\.18\.3 is too old: aws-iam-login needs 20\.19 or newer\n$/);
});

test.each([
  ['env'],
  ['env', 'default', '--as', 'keys'],
  ['default', 'exec', '--min-ttl=1m', '--', 'printenv'],
])('%s with a live session needs neither yargs nor the SDK', async (...words) => {
  const alone = join(home.folder, 'alone.cjs');
  fs.copyFileSync(program, alone);
  const { exitCode, stdout } = await startCommand(home, process.execPath, [alone, ...words]).ended;
  expect(exitCode).toBe(0);
  expect(stdout).toContain(session.sessionToken);
});
