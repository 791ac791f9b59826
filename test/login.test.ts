import fs from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import type { Context } from '../src/context.ts';
import { login } from '../src/sessions/login.ts';
import { readTokenCode, readUnannouncedCode, runMfaProcess } from '../src/sessions/token-code.ts';
import { type LocalAws, startLocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { useScene } from './support/fixture.ts';
import {
  type Home,
  keyLines,
  run,
  runProcess,
  runCommand,
  sectionOf,
  sessionLines,
  snapshot,
  until,
  wrongCodes,
  writeCredentials,
} from './support/program.ts';
import { openShell } from './support/shells.ts';
import { openTerminal } from './support/terminal.ts';

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;

useScene((scene) => {
  ({ aws, home, jane, phone } = scene);
});

const written = (): Record<string, string> => sectionOf(home, 'default-sts');

const endsAt = (): number => Date.parse((written()['expiration'] ?? '').replace(' ', 'T')) / 1000;

const secondsLeft = (): number => endsAt() - Date.now() / 1000;

const addToProfile = (line: string): void => fs.appendFileSync(home.credentials, `${line}\n`);

const stateText = (): string =>
  fs
    .readdirSync(home.state, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => fs.readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');

describe('a login', () => {
  test('writes the session into [default-sts], in the words of AWS and of the origin', async () => {
    const before = fs.readFileSync(home.credentials, 'utf8');
    const { exitCode, stdout, stderr } = await run(home, ['default', '--token-code', phone.code()]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    expect(stderr).toMatch(/^aws-iam-login: session of default until .*\d\d:\d\d \(1[12] h( \d+ min)?\)\n$/);
    const { aws_access_key_id, aws_secret_access_key, aws_session_token, expiration, ...rest } = written();
    expect(rest).toEqual({});
    expect(aws_access_key_id).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect(aws_secret_access_key).toHaveLength(40);
    expect(aws_session_token).toMatch(/^[\w+/=]{100,}$/);
    expect(expiration).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00$/);
    expect(Math.round(secondsLeft() / 60)).toBe(12 * 60);
    expect(fs.readFileSync(home.credentials, 'utf8').startsWith(before)).toBe(true);
    expect((fs.statSync(home.credentials).mode & 0o777).toString(8)).toBe('600');
    expect((fs.statSync(home.state).mode & 0o777).toString(8)).toBe('700');
    expect(aws.count('GetSessionToken')).toBe(1);
    expect(aws.count()).toBe(1);
  });

  test.each([
    'login',
    'login default',
    'default',
    'default login',
    '--profile default',
    'login -p default',
    '-p=default',
    'default-sts',
    '',
  ])('is what "%s" means', async (words) => {
    const given = [...words.split(' ').filter(Boolean), '--token-code', phone.code()];
    expect(await run(home, given)).toMatchObject({ exitCode: 0 });
    expect(written()['aws_access_key_id']).toMatch(/^ASIA/);
  });

  test.each([
    [{ AWS_IAM_LOGIN_PROFILE: 'work', AWS_PROFILE: 'x', AWS_DEFAULT_PROFILE: 'y' }],
    [{ AWS_IAM_LOGIN_PROFILE: '', AWS_PROFILE: 'work', AWS_DEFAULT_PROFILE: 'y' }],
    [{ AWS_PROFILE: 'work-sts' }],
    [{ AWS_DEFAULT_PROFILE: 'work' }],
  ])('takes the profile from %o', async (env) => {
    fs.writeFileSync(home.credentials, fs.readFileSync(home.credentials, 'utf8').replace('default', 'work'));
    expect(await run(home, ['login', '--token-code', phone.code()], { env })).toMatchObject({ exitCode: 0 });
    expect(sectionOf(home, 'work-sts')['aws_access_key_id']).toMatch(/^ASIA/);
  });

  test('replaces the session in place, the legacy token goes, and every other line stays', async () => {
    const start = fs.readFileSync(home.credentials, 'utf8');
    writeCredentials(
      home,
      `${start}[default-sts]\n# mine\noutput = json\naws_security_token = old\n${sessionLines(aws.mintSession(jane), '2020-01-01T00:00:00Z')}\n[z]\na = b\n`,
    );
    await run(home, ['login', '--token-code', phone.code()]);
    const text = fs.readFileSync(home.credentials, 'utf8');
    expect(text.startsWith(`${start}[default-sts]\n# mine\noutput = json\n`)).toBe(true);
    expect(text.endsWith('\n\n[z]\na = b\n')).toBe(true);
    expect(text).not.toContain('aws_security_token');
    expect(Math.round(secondsLeft() / 3600)).toBe(12);
  });

  test('uses the key of the profile, never AWS_* variables', async () => {
    const session = aws.mintSession(jane);
    const env = {
      AWS_ACCESS_KEY_ID: session.accessKeyId,
      AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
      AWS_SESSION_TOKEN: session.sessionToken,
    };
    expect(await run(home, ['login', '--token-code', phone.code()], { env })).toMatchObject({ exitCode: 0 });
    expect(aws.calls.map(({ accessKeyId }) => accessKeyId)).toEqual([jane.accessKeyId]);
  });

  test('shows neither key nor code of a command of the profile where its library is told to log', async () => {
    const code = phone.code();
    const key = { Version: 1, AccessKeyId: jane.accessKeyId, SecretAccessKey: jane.secretAccessKey };
    const answers = join(home.folder, 'key.json');
    fs.writeFileSync(answers, JSON.stringify(key));
    const commands = `credential_process = cat ${answers}\nmfa_process = cat ${answers}.code\n`;
    fs.writeFileSync(`${answers}.code`, code);
    writeCredentials(home, `[default]\nmfa_serial = ${phone.serialNumber}\n${commands}`);
    const ended = await runProcess(home, ['login', '--debug'], { env: { NODE_DEBUG: 'execa' } });
    expect(ended).toMatchObject({ exitCode: 0, stdout: '' });
    expect([jane.secretAccessKey, code].filter((secret) => ended.stderr.includes(secret))).toEqual([]);
  });

  test('shows nothing of a command of the profile that cannot be started', async () => {
    const { accessKeyId, secretAccessKey } = jane;
    const command = 'mfa_process = oathtool SEED\0\n';
    writeCredentials(
      home,
      `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\nmfa_serial = ${phone.serialNumber}\n${command}`,
    );
    const ended = await run(home, ['login', '--debug']);
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^aws-iam-login: mfa_process of profile default could not be started$/m);
    expect(ended.stderr).not.toContain('SEED');
  });

  test('takes the key from a credential_process, and refuses sessions and itself there', async () => {
    const answers = join(home.folder, 'key.json');
    const device = `mfa_serial = ${phone.serialNumber}\n`;
    writeCredentials(home, `[default]\n${device}credential_process = cat ${answers}\n`);
    const key = { Version: 1, AccessKeyId: jane.accessKeyId, SecretAccessKey: jane.secretAccessKey };
    fs.writeFileSync(answers, JSON.stringify({ ...key, SessionToken: 'token' }));
    const session = await run(home, ['login', '--token-code', phone.code()]);
    expect(session.stderr).toContain('printed a session, and AWS gives no session for a session\n');
    fs.writeFileSync(answers, JSON.stringify(key));
    expect(await run(home, ['login', '--token-code', phone.code()])).toMatchObject({ exitCode: 0 });

    writeCredentials(home, `[default]\n${device}credential_process = aws-iam-login env --format process\n`);
    const loop = await runProcess(home, ['login', '--token-code', phone.codeAt(3)]);
    expect(loop.exitCode).toBe(1);
    expect(loop.stderr).toContain('calls aws-iam-login itself\n');
    expect(aws.count('GetSessionToken')).toBe(1);
  });
});

// moto gives sessions keys that begin as long-term ones do
const storeMoto = (): void => {
  const session = { ...aws.mintSession(jane), accessKeyId: 'AKIAIOSFODNN7EXAMPLE' };
  addToProfile(`[default-sts]\n${sessionLines(session, new Date(Date.now() + 7_200_000).toISOString())}`);
};

describe('a session that moto made', () => {
  test('is printed while it is live', async () => {
    storeMoto();
    expect((await run(home, ['env', 'default-sts'])).stdout).toContain('AKIAIOSFODNN7EXAMPLE');
    expect(aws.count()).toBe(0);
  });

  test('is replaced by the next login', async () => {
    storeMoto();
    expect(await run(home, ['login', '--token-code', phone.code()])).toMatchObject({ exitCode: 0 });
    expect(written()['aws_access_key_id']).toMatch(/^ASIA/);
  });
});

describe('--duration', () => {
  test.each([
    ['15m', 900],
    ['900', 900],
    ['1h30m', 5400],
    ['36h', 129_600],
    ['3600s', 3600],
  ])('%s is %i seconds', async (duration, seconds) => {
    const words = ['login', '--token-code', phone.code(), '--duration', duration, '--min-ttl', '1m'];
    const begun = Math.floor(Date.now() / 1000);
    expect(await run(home, words)).toMatchObject({ exitCode: 0 });
    expect(endsAt()).toBeGreaterThanOrEqual(begun + seconds);
    expect(endsAt()).toBeLessThanOrEqual(Date.now() / 1000 + seconds);
  });
});

const store = (secondsFromNow: number): void => {
  const expiration = new Date(Date.now() + secondsFromNow * 1000).toISOString();
  addToProfile(`[default-sts]\n${sessionLines(aws.mintSession(jane), expiration)}`);
};

describe('--if-needed and --min-ttl', () => {
  test('a live session is kept without a request or a code', async () => {
    store(600);
    const before = snapshot(home);
    const { exitCode, stderr } = await run(home, ['login', '--if-needed']);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^aws-iam-login: session of default until .* \((9|10) min\)\n$/);
    expect(snapshot(home)).toEqual(before);
    expect(aws.count()).toBe(0);
  });

  test.each([
    [600, ['--min-ttl', '15m']],
    [200, []],
    [-10, ['--min-ttl', '0']],
  ])('a session with %i s left is renewed with %s', async (seconds, options) => {
    store(seconds);
    const words = ['login', '--if-needed', ...options, '--token-code', phone.code()];
    expect(await run(home, words)).toMatchObject({ exitCode: 0 });
    expect(aws.count('GetSessionToken')).toBe(1);
    expect(Math.round(secondsLeft() / 3600)).toBe(12);
  });

  test('without it login gets a new session in any case', async () => {
    store(20_000);
    expect(await run(home, ['login', '--token-code', phone.code()])).toMatchObject({ exitCode: 0 });
    expect(aws.count('GetSessionToken')).toBe(1);
  });
});

describe('the token code', () => {
  test('comes from stdin with --token-code -', async () => {
    const input = `${phone.code().slice(0, 3)} ${phone.code().slice(3)}\n`;
    expect(await runProcess(home, ['login', '--token-code', '-'], { input })).toMatchObject({ exitCode: 0 });
    expect(aws.count('GetSessionToken')).toBe(1);
  });

  test('that stdin does not end with in time is given up', async () => {
    const stream = new PassThrough();
    stream.write('123456\n');
    await expect(readTokenCode(stream, 100)).rejects.toThrow(
      'stdin did not end within 0.1 s, and holds no token code so far',
    );
    expect(await readUnannouncedCode(stream, 100)).toBeUndefined();
  });

  test('has 60 s to come from stdin', async () => {
    vi.useFakeTimers();
    try {
      const read = readTokenCode(new PassThrough());
      vi.advanceTimersByTime(60_000);
      await expect(read).rejects.toThrow('stdin did not end within 60 s');
    } finally {
      vi.useRealTimers();
    }
  });

  test('is no endless text', async () => {
    const { exitCode, stderr } = await runCommand(home, 'sh', [
      '-c',
      'yes 1 | tr -d "\\n" | aws-iam-login login --token-code -',
    ]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('a token code is six digits\n');
  });

  test.each(['login', 'default', ''])(
    'on stdin is enough for "%s" where no terminal can be asked',
    async (words) => {
      const input = `${phone.code()}\n`;
      expect(await runProcess(home, words.split(' ').filter(Boolean), { input })).toMatchObject({
        exitCode: 0,
      });
      expect(aws.count('GetSessionToken')).toBe(1);
    },
  );

  test.each([
    ['nothing', ''],
    ['an empty line', '\n'],
    ['five digits', '12345'],
    ['seven digits', '1234567'],
    ['two codes', '123456\n654321\n'],
    ['1,000 lines', '123456\n'.repeat(1000)],
    ['10,000 lines', '123456\n'.repeat(10_000)],
  ])('is not taken from a stdin that holds %s, and the hint names --token-code -', async (_name, input) => {
    const { exitCode, stderr } = await runProcess(home, ['login'], { input });
    expect(exitCode).toBe(3);
    expect(stderr).toContain('is needed, and there is no terminal to ask on\n  hint: ');
    expect(stderr).toContain('--token-code - reads it from stdin\n');
    expect(aws.count()).toBe(0);
  });

  test.each([['env'], ['exec', '--', 'cat'], ['login', '--no-input'], ['env', '--hook']])(
    'stays on stdin for %s %s %s',
    async (...words) => {
      const { exitCode } = await runProcess(home, words, { input: `${phone.code()}\n`, openInput: true });
      expect(exitCode).toBe(words[0] === 'exec' ? 125 : 3);
      expect(aws.count()).toBe(0);
    },
  );

  test.each(['', '12345', '1234567', 'abcdef', '12345a', '١٢٣٤٥٦', '123456; id'])(
    '%j is refused before AWS is asked, from the command line and from stdin',
    async (code) => {
      const before = snapshot(home);
      const given = await run(home, ['login', `--token-code=${code}`]);
      const read = await runProcess(home, ['login', '--token-code', '-'], { input: code });
      for (const { exitCode, stderr } of [given, read]) {
        expect(exitCode).toBe(2);
        expect(stderr).toContain('aws-iam-login: ');
        expect(stderr).toMatch(/\n {2}hint: /);
      }
      expect(read.stderr).toContain('a token code is six digits\n');
      expect(snapshot(home)).toEqual(before);
      expect(aws.count()).toBe(0);
    },
  );

  test('is not asked for again when it came from the command line', async () => {
    const before = snapshot(home);
    const { exitCode, stderr } = await run(home, ['login', '--token-code', phone.wrongCode()]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^aws-iam-login: AWS rejected the token code: mistyped, used before, or of another device\n {2}hint: the next code comes in \d+ s\n$/,
    );
    expect(aws.count('GetSessionToken')).toBe(1);
    expect(snapshot(home)).toEqual(before);
  });

  test('of another device of the same user is taken with --serial-number, which is not written', async () => {
    const token = aws.addMfaDevice(jane, { kind: 'hardware', serialNumber: 'GAHT12345678' });
    const words = ['login', '--serial-number', 'GAHT12345678', '--token-code', token.code()];
    expect(await run(home, words)).toMatchObject({ exitCode: 0 });
    expect(sectionOf(home, 'default')['mfa_serial']).toBe(phone.serialNumber);
  });
});

const script = (text: string): void => {
  const path = join(home.folder, 'code.sh');
  fs.writeFileSync(path, text);
  addToProfile(`mfa_process = sh ${path} "$HOME" 'two words'`);
};

// A clock that jumps ahead in place of every wait.
const laterContext = (): { context: Context; waits: number[] } => {
  const waits: number[] = [];
  const waited = (): number => waits.reduce((sum, wait) => sum + wait, 0);
  return {
    waits,
    context: {
      env: home.env,
      now: () => Date.now() + waited(),
      sleep: async (milliseconds) => void waits.push(milliseconds),
      log: () => {},
      print: () => {},
    },
  };
};

describe('mfa_process', () => {
  test('gives the code, run by /bin/sh without AWS credentials, its stderr shown', async () => {
    const log = join(home.folder, 'log');
    script(
      `echo "$1,$2,\${AWS_ACCESS_KEY_ID-none},\${AWS_SECRET_ACCESS_KEY-none},\${AWS_SESSION_TOKEN-none}" >${log}
       echo touch your key >&2
       echo "code of phone 2: ${phone.code()}."`,
    );
    const env = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'token' };
    const { exitCode, stderr } = await runProcess(home, ['login'], { env });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('touch your key\n');
    expect(fs.readFileSync(log, 'utf8')).toBe(`${home.folder},two words,none,none,none\n`);
    expect(aws.count('GetSessionToken')).toBe(1);
  });

  test.each([
    ['echo 123456 654321', 'printed more than one six-digit number'],
    ['echo 12345 1234567', 'printed no six-digit number'],
    [':', 'printed no six-digit number'],
    ['echo 123456; exit 4', 'ended with exit code 4'],
    ['kill -9 $$', 'ended with exit code 137'],
    ['exec /does/not/exist', 'ended with exit code 127'],
  ])('%s is an error: %s', async (text, message) => {
    const before = snapshot(home);
    script(text);
    const { exitCode, stderr } = await run(home, ['login']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`aws-iam-login: mfa_process of profile default ${message}\n  hint: `);
    expect(aws.count()).toBe(0);
    expect(Object.keys(snapshot(home))).toEqual(Object.keys(before));
  });

  test('gives no code when --token-code does', async () => {
    script('exit 1');
    expect(await run(home, ['login', '--token-code', phone.code()])).toMatchObject({ exitCode: 0 });
  });

  test('works without a terminal and with --no-input', async () => {
    script(`echo ${phone.code()}`);
    expect(await run(home, ['login', '--no-input'])).toMatchObject({ exitCode: 0 });
  });

  test.each(['echo $$ >pid; exec sleep 100', 'sleep 100 & echo $! >pid; wait', 'sleep 100 & echo $! >pid'])(
    'is given up when it, or a process that it has left behind, does not end: %s',
    async (command) => {
      const pid = join(home.folder, 'pid');
      const given = runMfaProcess(`cd ${home.folder}; ${command}`, 'default', home.env, 1000);
      await expect(given).rejects.toThrow('mfa_process of profile default did not end within 1 s');
      // On a loaded machine the shell may have ended before it wrote that.
      if (fs.existsSync(pid)) await runCommand(home, 'kill', ['-9', fs.readFileSync(pid, 'utf8').trim()]);
    },
  );

  test('is run once more after the next step when AWS rejects its code, and then no more', async () => {
    const codes = [phone.wrongCode(), phone.code()];
    const log = join(home.folder, 'runs');
    script(`echo >>${log}; sed -n "$(wc -l <${log})p" ${join(home.folder, 'codes')}`);
    fs.writeFileSync(join(home.folder, 'codes'), `${codes.join('\n')}\n`);
    const { context, waits } = laterContext();
    await login({ ...plainOptions, ifNeeded: false }, context);
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThan(0);
    expect(waits[0]).toBeLessThanOrEqual(30_000);
    expect(written()['aws_access_key_id']).toMatch(/^ASIA/);

    const wrong = wrongCodes(phone, 4).slice(1);
    fs.writeFileSync(log, '');
    fs.writeFileSync(join(home.folder, 'codes'), `${wrong.join('\n')}\n`);
    aws.forgetCalls();
    await expect(login({ ...plainOptions, ifNeeded: false }, laterContext().context)).rejects.toThrow(
      'AWS rejected the token code',
    );
    expect(aws.count('GetSessionToken')).toBe(2);
  });

  const plainOptions = { duration: 43_200, minTtl: 300, input: false, hook: false };
});

describe('a code that was used', () => {
  test('is refused for 120 s without a request, with the time of the next one', async () => {
    const code = phone.code();
    await run(home, ['login', '--token-code', code]);
    const before = snapshot(home);
    for (const words of [
      ['login', '--token-code', code],
      ['env', '--duration', '36h', '--min-ttl', '20h', '--token-code', code],
    ]) {
      const { exitCode, stderr } = await run(home, words);
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(
        /^aws-iam-login: this token code was used already, and AWS takes each code once\n {2}hint: the next one comes in \d+ s\n$/,
      );
    }
    expect(aws.count()).toBe(1);
    expect(snapshot(home)).toEqual(before);
    expect(await run(home, ['login', '--token-code', phone.code()])).toMatchObject({ exitCode: 0 });
  });

  test('is remembered as a hash only', async () => {
    const code = phone.code();
    await run(home, ['login', '--token-code', code]);
    expect(stateText()).not.toContain(code);
    expect(stateText()).not.toContain(phone.serialNumber);
  });

  test('may be used again for another device', async () => {
    const twin = aws.addMfaDevice(jane, { name: 'twin', seed: phone.seed });
    const code = phone.code();
    await run(home, ['login', '--token-code', code]);
    const words = ['login', '--serial-number', twin.serialNumber, '--token-code', code];
    expect(await run(home, words)).toMatchObject({ exitCode: 0 });
  });

  test.each(['InvalidClientTokenId', 'Throttling'] as const)(
    'may be used again after %s, where AWS has not looked at it',
    async (fault) => {
      const code = phone.code();
      aws.fault('GetSessionToken', fault);
      expect(await run(home, ['login', '--token-code', code])).toMatchObject({ exitCode: 1 });
      expect(await run(home, ['login', '--token-code', code])).toMatchObject({ exitCode: 0 });
    },
  );

  test('may be used again when nothing was sent', async () => {
    const code = phone.code();
    const env = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' };
    expect(await run(home, ['login', '--token-code', code], { env })).toMatchObject({ exitCode: 1 });
    expect(await run(home, ['login', '--token-code', code])).toMatchObject({ exitCode: 0 });
  });

  test.each(['drop', 'InternalFailure', 'html', 'cut'] as const)(
    'counts as used after %s, where AWS may have looked at it, and is sent once',
    async (fault) => {
      const code = phone.code();
      aws.fault('GetSessionToken', { kind: fault, after: true });
      expect(await run(home, ['login', '--token-code', code])).toMatchObject({ exitCode: 1 });
      expect(aws.count('GetSessionToken')).toBe(1);
      expect((await run(home, ['login', '--token-code', code])).stderr).toContain('was used already');
      expect(aws.count('GetSessionToken')).toBe(1);
    },
  );
});

describe('the clock', () => {
  test.each([
    [3600, '1 h behind'],
    [-3600, '1 h ahead'],
    [1200, '20 min behind'],
  ])('%i s away from AWS costs one more request and is named', async (offset, text) => {
    aws.setClockOffset(offset);
    const { exitCode, stderr } = await run(home, ['login', '--token-code', phone.code()]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(`the clock of this machine is ${text}`);
    expect(aws.calls.map(({ status }) => status)).toEqual([403, 200]);
    expect(written()['aws_access_key_id']).toMatch(/^ASIA/);
  });

  test('so far ahead that the new session is over already is an error that names it', async () => {
    const before = snapshot(home);
    aws.setClockOffset(-13 * 3600);
    const { exitCode, stderr } = await run(home, ['login', '--token-code', phone.code()]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'aws-iam-login: the new session has expired already by the clock of this machine\n',
    );
    expect(stderr).toMatch(/\n {2}hint: .*set the clock\n/);
    expect(snapshot(home)).toEqual(before);
  });

  test('ten minutes away means one request, and is named where AWS rejects the code', async () => {
    aws.setClockOffset(600);
    const { exitCode, stderr } = await run(home, ['login', '--token-code', phone.wrongCode()]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/of another device, or the clock of this machine is 10 min behind\n/);
    expect(aws.count()).toBe(1);
  });
});

const signedFor = (): (string | undefined)[] => aws.calls.map(({ region }) => region);

describe('the region', () => {
  test('of the profile is asked and goes along into [default-sts]', async () => {
    addToProfile('region = eu-central-1');
    await run(home, ['login', '--token-code', phone.code()], { env: { AWS_REGION: 'us-west-2' } });
    expect(signedFor()).toEqual(['eu-central-1']);
    expect(written()['region']).toBe('eu-central-1');
  });

  test('of the profile in the config file does too', async () => {
    fs.writeFileSync(home.config, '[default]\nregion = eu-north-1\n');
    await run(home, ['login', '--token-code', phone.code()]);
    expect(signedFor()).toEqual(['eu-north-1']);
    expect(written()['region']).toBe('eu-north-1');
  });

  test('of --region is asked and not written', async () => {
    addToProfile('region = eu-central-1');
    await run(home, ['login', '--token-code', phone.code(), '--region', 'eu-west-1']);
    expect(signedFor()).toEqual(['eu-west-1']);
    expect(written()['region']).toBe('eu-central-1');
  });

  test('in [default-sts] follows the profile at each login', async () => {
    for (const region of ['eu-central-1', 'us-west-1']) {
      fs.writeFileSync(home.config, `[default]\nregion = ${region}\n`);
      await run(home, ['login', '--token-code', phone.code()]);
      expect(written()['region']).toBe(region);
    }
    // what somebody wrote there for a profile without one stays
    fs.writeFileSync(home.config, '');
    await run(home, ['login', '--token-code', phone.code()]);
    expect(written()['region']).toBe('us-west-1');
  });

  test('goes from [default-sts] where the config file has its own for it', async () => {
    addToProfile('region = eu-central-1');
    await run(home, ['login', '--token-code', phone.code()]);
    expect(written()['region']).toBe('eu-central-1');
    fs.writeFileSync(home.config, '[profile default-sts]\nregion = ap-south-1\n');
    await run(home, ['login', '--token-code', phone.code()]);
    expect(written()['region']).toBeUndefined();
    expect(fs.readFileSync(home.config, 'utf8')).toBe('[profile default-sts]\nregion = ap-south-1\n');
  });

  test('is us-east-1 where nothing says otherwise', async () => {
    await run(home, ['login', '--token-code', phone.code()]);
    expect(signedFor()).toEqual(['us-east-1']);
  });
});

describe('a credentials file that others may read', () => {
  test.each([0o644, 0o640, 0o604])('is named once per login, with the chmod: %i', async (mode) => {
    fs.chmodSync(home.credentials, mode);
    const { exitCode, stderr } = await run(home, ['login', '--token-code', phone.code()]);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(
      new RegExp(
        `^aws-iam-login: ~/.aws/credentials can be read by other users \\(mode 0${mode.toString(8)}\\)\n {2}hint: chmod 600 ~/.aws/credentials\n[^\n]*session of default[^\n]*\n$`,
      ),
    );
    expect(await run(home, ['env'])).toMatchObject({ exitCode: 0, stderr: '' });
    expect(fs.statSync(home.credentials).mode & 0o777).toBe(mode);
  });

  test('is a thing to warn of, and --quiet takes that away', async () => {
    fs.chmodSync(home.credentials, 0o644);
    const words = ['login', '--quiet', '--token-code', phone.code()];
    expect(await run(home, words)).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

describe('the endpoint', () => {
  const dead = 'http://127.0.0.1:9';
  test.each([
    ['the variable of the service', () => ({ AWS_ENDPOINT_URL_STS: aws.url, AWS_ENDPOINT_URL: dead }), ''],
    ['the variable', () => ({ AWS_ENDPOINT_URL: aws.url }), `endpoint_url = ${dead}`],
    [
      'the services section',
      () => ({ AWS_ENDPOINT_URL: undefined }),
      `services = local\nendpoint_url = ${dead}\n[services local]\nsts =\n  endpoint_url = URL`,
    ],
    ['endpoint_url of the profile', () => ({ AWS_ENDPOINT_URL: '' }), 'endpoint_url = URL'],
  ])('comes from %s', async (_name, env, config) => {
    fs.writeFileSync(
      home.config,
      `[default]\n${config.replace('URL', aws.url)}\n[profile other]\nendpoint_url = ${dead}\n`,
    );
    const words = ['login', 'default', '--token-code', phone.code()];
    const result = await run(home, words, { env: { ...env(), AWS_PROFILE: 'other' } });
    expect(result).toMatchObject({ exitCode: 0 });
  });

  test('may have a path', async () => {
    const server = await startLocalAws({ basePath: '/aws' });
    const user = server.createUser();
    const device = server.addMfaDevice(user);
    writeCredentials(home, `[default]\n${keyLines(user)}mfa_serial = ${device.serialNumber}\n`);
    const env = { AWS_ENDPOINT_URL: server.url };
    expect(await run(home, ['login', '--token-code', device.code()], { env })).toMatchObject({ exitCode: 0 });
    await server.close();
  });
});

describe('on a terminal', () => {
  const asked = String.raw`Enter MFA code for default \(arn:aws:iam::123456789012:mfa/phone\): `;

  test('the code is asked for, shown while it is typed, and can be corrected with Backspace', async () => {
    const terminal = await openTerminal(home, 'aws-iam-login; echo EXIT$?');
    await terminal.until(/mfa\/phone\):$/m);
    const code = phone.code();
    await terminal.type(`99${code.slice(0, 3)}x`);
    await terminal.until(new RegExp(`${asked}99${code.slice(0, 3)}x$`, 'm'));
    for (let times = 0; times < 8; times += 1) await terminal.press('BSpace');
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.type(code);
    await terminal.until(new RegExp(`${asked}${code}$`, 'm'));
    await terminal.press('Enter');
    const screen = await terminal.until(/EXIT0/);
    expect(screen).toMatch(/session of default until/);
    expect(written()['aws_access_key_id']).toMatch(/^ASIA/);
  });

  test('it is asked for although stdin, stdout and stderr are none', async () => {
    const terminal = await openTerminal(
      home,
      'aws-iam-login env </dev/null >out 2>err; echo "EXIT$?"; cat err',
    );
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.type(phone.code());
    await terminal.press('Enter');
    await terminal.until(/EXIT0/);
    expect(fs.readFileSync(join(home.folder, 'out'), 'utf8')).toMatch(/AWS_SESSION_TOKEN='/);
    expect(fs.readFileSync(join(home.folder, 'err'), 'utf8')).toBe('');
  });

  test.each(['Enter', 'C-c', 'C-d'])('%s ends it with 130 and changes nothing', async (key) => {
    const before = snapshot(home);
    const terminal = await openTerminal(home, 'aws-iam-login; echo EXIT$?; stty -a');
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.press(key);
    const screen = await terminal.until(/EXIT\d+[^]* icanon /);
    expect(screen).toContain('EXIT130');
    expect(screen).toMatch(/[^-]icanon/);
    expect(screen).toMatch(/[^-]echo /);
    expect(snapshot(home)).toEqual(before);
    expect(aws.count()).toBe(0);
  });

  test('Ctrl-C after some digits ends it with 130 too', async () => {
    const terminal = await openTerminal(home, 'aws-iam-login; echo EXIT$?');
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.type('123');
    await terminal.press('C-d');
    await terminal.until(/phone\): 123$/m);
    await terminal.press('C-c');
    expect(await terminal.until(/EXIT\d+/)).toContain('EXIT130');
    expect(aws.count()).toBe(0);
  });

  test('what is no code is asked for again without a request', async () => {
    const terminal = await openTerminal(home, 'aws-iam-login; echo EXIT$?');
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.type('12345');
    await terminal.press('Enter');
    await terminal.until(/a token code is six digits\n[^]*mfa\/phone\):$/);
    await terminal.type(phone.code());
    await terminal.press('Enter');
    await terminal.until(/EXIT0/);
    expect(aws.count()).toBe(1);
  });

  test('a wrong code is asked for again, and the next one is taken', async () => {
    const terminal = await openTerminal(home, 'aws-iam-login; echo EXIT$?');
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.type(phone.wrongCode());
    await terminal.press('Enter');
    await terminal.until(/rejected the token code[^]*the next code comes in \d+ s[^]*mfa\/phone\):$/);
    await terminal.type(phone.code());
    await terminal.press('Enter');
    await terminal.until(/EXIT0/);
    expect(aws.count('GetSessionToken')).toBe(2);
  });

  test('the third wrong code ends it with 1, and a code that was used counts', async () => {
    const before = snapshot(home);
    const terminal = await openTerminal(home, 'aws-iam-login; echo EXIT$?');
    const [wrong = '', other = ''] = wrongCodes(phone, 2);
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.type(wrong);
    await terminal.press('Enter');
    await terminal.until(/rejected the token code[^]*mfa\/phone\):$/);
    await terminal.type(wrong);
    await terminal.press('Enter');
    await terminal.until(/was used already[^]*mfa\/phone\):$/);
    await terminal.type(other);
    await terminal.press('Enter');
    await terminal.until(/EXIT1\b/);
    expect(aws.count('GetSessionToken')).toBe(2);
    expect(snapshot(home)).toEqual(before);
  });

  test('a wrong serial number is not asked about again', async () => {
    aws.removeMfaDevice(phone.serialNumber);
    const terminal = await openTerminal(home, 'aws-iam-login; echo EXIT$?');
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.type('123456');
    await terminal.press('Enter');
    const screen = await terminal.until(/EXIT1\b/);
    expect(screen).toMatch(
      /AWS does not know the MFA device [^]*hint: run: aws-iam-login init default --force/,
    );
  });

  test('a code on stdin is not taken where the terminal can be asked', async () => {
    const terminal = await openTerminal(home, `echo ${phone.code()} | aws-iam-login; echo EXIT$?`);
    await terminal.until(/mfa\/phone\):$/m);
    expect(aws.count()).toBe(0);
  });

  test('--no-input does not ask', async () => {
    const terminal = await openTerminal(home, 'aws-iam-login --no-input; echo EXIT$?');
    const screen = await terminal.until(/EXIT\d/);
    expect(screen).toContain('EXIT3');
    expect(screen).toMatch(
      /--no-input forbids to ask[^]*hint: give it with --token-code, or let mfa_process/,
    );
    expect(screen).not.toContain('Enter MFA code');
  });

  test('a terminal that goes away ends the question', async () => {
    const exit = join(home.folder, 'exit');
    const terminal = await openTerminal(home, `trap '' HUP; aws-iam-login; echo $? >${exit}`);
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.close();
    expect(await until(() => fs.existsSync(exit) && fs.readFileSync(exit, 'utf8'))).toBe('3\n');
    expect(aws.count()).toBe(0);
  });
});

describe('while a shell draws its prompt', () => {
  // A hook as small as can be: the product's own comes with the shell scripts.
  const hooks = {
    bash: `hook() { PROMPT_COMMAND=; trap : INT; out=$(aws-iam-login env); rc=$?; trap - INT; eval "$out"; echo "HOOK$rc"; }; PROMPT_COMMAND=hook`,
    fish: `function hook --on-event fish_prompt; functions -e hook; set -l out (aws-iam-login env --format fish); set -l rc $status; string join \\n -- $out | source; echo "HOOK$rc"; end`,
  };

  test.each(['bash', 'fish'] as const)('%s gets the session', async (shell) => {
    const terminal = await openShell(home, shell);
    await terminal.until(/^R0>$/m);
    await terminal.type(hooks[shell]);
    await terminal.press('Enter');
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.type(phone.code());
    await terminal.press('Enter');
    await terminal.until(/HOOK0\n[^]*R0>$/);
    await terminal.type('echo "KEY=$AWS_ACCESS_KEY_ID"');
    await terminal.press('Enter');
    expect(await terminal.until(/KEY=ASIA/)).toContain(`KEY=${written()['aws_access_key_id']}`);
  });

  test.each([
    ['bash', 'C-c'],
    ['bash', 'Enter'],
    ['bash', 'C-d'],
    ['fish', 'C-c'],
    ['fish', 'Enter'],
    ['fish', 'C-d'],
  ] as const)('%s goes on after %s, and nothing is asked again', async (shell, key) => {
    const terminal = await openShell(home, shell);
    await terminal.until(/^R0>$/m);
    await terminal.type(hooks[shell]);
    await terminal.press('Enter');
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.press(key);
    await terminal.until(/HOOK130\n[^]*R\d>$/);
    await terminal.type(`echo still ${shell === 'fish' ? '(math 1 + 1)' : '$((1 + 1))'} here`);
    await terminal.press('Enter');
    const screen = await terminal.until(/still 2 here/);
    expect(screen.match(/Enter MFA code/g)).toHaveLength(1);
  });
});
