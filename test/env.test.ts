import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LocalAws } from './local-aws/server.ts';
import type { SessionHandle, UserHandle } from './local-aws/world.ts';
import { useScene } from './support/fixture.ts';
import {
  type Home,
  run,
  sectionOf,
  sessionLines,
  start,
  until,
  writeCredentials,
} from './support/program.ts';
import { awsVariables, runShell, shells, showVariables, takeUp } from './support/shells.ts';
import { openTerminal } from './support/terminal.ts';

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let session: SessionHandle;
let expiresAt: number;

useScene((scene) => {
  ({ aws, home, jane } = scene);
  session = aws.mintSession(jane, { seconds: 7200 });
  expiresAt = Date.parse(session.expiration) / 1000;
  store('default');
  delete home.env['AWS_ENDPOINT_URL'];
});

const store = (name: string, lines = '', expiration = session.expiration): void =>
  fs.appendFileSync(home.credentials, `${lines}[${name}-sts]\n${sessionLines(session, expiration)}`);

const keyVariables = (): Record<string, string> => ({
  AWS_ACCESS_KEY_ID: session.accessKeyId,
  AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
  AWS_SESSION_TOKEN: session.sessionToken,
  AWS_CREDENTIAL_EXPIRATION: session.expiration,
});

const ownVariables = (as: string, profile = 'default'): Record<string, string> => ({
  AWS_IAM_LOGIN_PROFILE: profile,
  AWS_IAM_LOGIN_EXPIRES_AT: String(expiresAt),
  AWS_IAM_LOGIN_RENEW_AT: String(expiresAt),
  AWS_IAM_LOGIN_AS: as,
});

const regionVariables = (region: string): Record<string, string> => ({
  AWS_REGION: region,
  AWS_DEFAULT_REGION: region,
  AWS_IAM_LOGIN_REGION: region,
});

const stale = { AWS_DEFAULT_PROFILE: 'old', AWS_SECURITY_TOKEN: 'old', AWS_SESSION_TOKEN: 'old' };

describe.each(shells)('%s', (shell) => {
  const evaluate = async (options: string, env: Record<string, string> = {}) => {
    const script = `${takeUp(shell, options)}; ${showVariables}`;
    const { stdout, stderr } = await runShell(home, shell, script, { env });
    expect(stderr).toBe('');
    return awsVariables(stdout);
  };

  test('gets the keys, and neither AWS_PROFILE nor older tokens stay', async () => {
    expect(await evaluate('default', stale)).toEqual({ ...keyVariables(), ...ownVariables('keys') });
    expect(await evaluate('default', { AWS_PROFILE: 'mine' })).toEqual({
      ...keyVariables(),
      ...ownVariables('keys'),
      AWS_IAM_LOGIN_OLD_PROFILE: 'mine',
    });
  });

  test("gets the profile's region, and --region instead", async () => {
    fs.writeFileSync(home.config, '[default]\nregion = eu-west-1\n');
    expect(await evaluate('')).toMatchObject(regionVariables('eu-west-1'));
    expect(await evaluate('--region us-east-2')).toMatchObject(regionVariables('us-east-2'));
  });

  test('gets AWS_PROFILE with --as profile, and no secret', async () => {
    fs.writeFileSync(home.config, '[default]\nregion = eu-west-1\n');
    expect(
      await evaluate('--as profile default', { ...stale, ...keyVariables(), AWS_PROFILE: 'mine' }),
    ).toEqual({
      AWS_PROFILE: 'default-sts',
      ...regionVariables('eu-west-1'),
      ...ownVariables('profile'),
      AWS_IAM_LOGIN_OLD_PROFILE: 'mine',
    });
  });

  test('gets only our own variables with --as watch', async () => {
    fs.writeFileSync(home.config, '[default]\nregion = eu-west-1\n');
    expect(await evaluate('--as watch default', { AWS_PROFILE: 'mine' })).toEqual({
      AWS_PROFILE: 'mine',
      ...ownVariables('watch'),
    });
  });

  test.each([
    `a'b"c`,
    '$(touch PWNED)',
    '`touch PWNED`;touch PWNED&',
    '$HOME\\b\\',
    "\\'ü → 東京 !!",
    '-n *',
  ])('executes nothing of a profile named %s', async (name) => {
    store(name, `[${name}]\nmfa_serial = arn:aws:iam::123456789012:mfa/jane\n`);
    expect(await evaluate('', { AWS_IAM_LOGIN_PROFILE: name, AWS_PROFILE: `x${name}` })).toEqual({
      ...keyVariables(),
      ...ownVariables('keys', name),
      AWS_IAM_LOGIN_OLD_PROFILE: `x${name}`,
    });
    expect(await evaluate('--as profile', { AWS_IAM_LOGIN_PROFILE: name })).toMatchObject({
      AWS_PROFILE: `${name}-sts`,
    });
    expect(fs.existsSync(join(home.folder, 'PWNED'))).toBe(false);
  });

  test('executes nothing of a session token', async () => {
    const hostile = `a'$(touch PWNED)"b\`touch PWNED\`\\`;
    writeCredentials(
      home,
      `[default-sts]\n${sessionLines({ ...session, sessionToken: hostile }, session.expiration)}`,
    );
    expect(await evaluate('')).toMatchObject({ AWS_SESSION_TOKEN: hostile });
    expect(fs.existsSync(join(home.folder, 'PWNED'))).toBe(false);
  });

  test.each(['keys', 'profile', 'watch'])('is as it was after --as %s and --unset', async (as) => {
    fs.writeFileSync(home.config, '[default]\nregion = eu-west-1\n');
    const unset = takeUp(shell, '--unset');
    const script = `${takeUp(shell, `default --as ${as}`)}; ${unset}; ${showVariables}`;
    for (const env of [{}, { AWS_PROFILE: 'mine' }, { AWS_PROFILE: 'default-sts' }]) {
      const { stdout, stderr } = await runShell(home, shell, script, { env });
      expect(stderr).toBe('');
      expect(awsVariables(stdout)).toEqual(env);
    }
  });

  test('keeps with --unset what the user has changed since', async () => {
    fs.writeFileSync(home.config, '[default]\nregion = eu-west-1\n');
    const assign = shell === 'fish' ? 'set -gx AWS_REGION us-west-2' : 'export AWS_REGION=us-west-2';
    const script = `${takeUp(shell)}; ${assign}; ${takeUp(shell, '--unset')}; ${showVariables}`;
    const { stdout } = await runShell(home, shell, script);
    expect(awsVariables(stdout)).toEqual({ AWS_REGION: 'us-west-2' });
  });

  test('brings back the first AWS_PROFILE after several profiles and forms', async () => {
    store('work', `[work]\nregion = ap-south-1\n`);
    const steps = ['default', 'work --as profile', 'default --as watch', 'work', 'default --as profile'];
    const script = [
      ...steps.map((step) => takeUp(shell, step)),
      takeUp(shell, '--unset'),
      showVariables,
    ].join('; ');
    const { stdout } = await runShell(home, shell, script, { env: { AWS_PROFILE: 'mine' } });
    expect(awsVariables(stdout)).toEqual({ AWS_PROFILE: 'mine' });
  });

  test('is not touched by --unset without a login before', async () => {
    const env = { AWS_PROFILE: 'mine', AWS_ACCESS_KEY_ID: 'AKIAMINE', AWS_REGION: 'eu-west-1' };
    const { stdout } = await runShell(home, shell, `${takeUp(shell, '--unset')}; ${showVariables}`, { env });
    expect(awsVariables(stdout)).toEqual(env);
  });
});

const variablesOf = async (format: string, env: Record<string, string>): Promise<[string, unknown][]> =>
  Object.entries(JSON.parse(await print(format, env)));

const print = async (format: string, env: Record<string, string> = {}): Promise<string> => {
  const { exitCode, stdout, stderr } = await run(home, ['env', '--format', format], { env });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return stdout;
};

describe('the formats', () => {
  test.each(['env-no-export', 'dotenv'])('%s is plain lines of what is set', async (format) => {
    const lines = (await print(format, { AWS_PROFILE: 'default' })).split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.filter((line) => !/^AWS_[A-Z_]+=[^'"\s]+$/.test(line))).toEqual([]);
    expect(Object.fromEntries(lines.map((line) => line.split(/=(.*)/s)))).toEqual(
      Object.fromEntries(
        [...(await variablesOf('json', { AWS_PROFILE: 'default' }))].filter(([, value]) => value !== null),
      ),
    );
    expect(lines).toContain(`AWS_SESSION_TOKEN=${session.sessionToken}`);
  });

  test.each(['env-no-export', 'dotenv'])('%s has nothing to say where nothing is set', async (format) => {
    const words = ['env', '--unset', '--format', format];
    expect(await run(home, words)).toMatchObject({ exitCode: 0, stdout: '' });
    const env = { AWS_IAM_LOGIN_AS: 'keys', AWS_IAM_LOGIN_OLD_PROFILE: 'mine' };
    expect(await run(home, words, { env })).toMatchObject({ exitCode: 0, stdout: 'AWS_PROFILE=mine\n' });
  });

  test.each(['a b', 'a;b', "a'b", 'a$b', '#a', '~a', 'a&b', 'a`b'])(
    'a plain line cannot carry %s, and then nothing is printed',
    async (value) => {
      const words = ['env', 'default', '--format', 'dotenv'];
      const { exitCode, stdout, stderr } = await run(home, words, { env: { AWS_PROFILE: value } });
      expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
      expect(stderr).toContain('AWS_IAM_LOGIN_OLD_PROFILE holds blanks or signs that a plain line cannot');
      expect(
        (await run(home, [...words.slice(0, 3), 'json'], { env: { AWS_PROFILE: value } })).exitCode,
      ).toBe(0);
    },
  );

  test('json is one object with null for what is to be unset', async () => {
    const variables = await variablesOf('json', { AWS_IAM_LOGIN_AS: 'profile', AWS_REGION: 'x' });
    expect(Object.fromEntries(variables)).toMatchObject({
      AWS_ACCESS_KEY_ID: session.accessKeyId,
      AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
      AWS_SESSION_TOKEN: session.sessionToken,
      AWS_CREDENTIAL_EXPIRATION: session.expiration,
      AWS_PROFILE: null,
      AWS_DEFAULT_PROFILE: null,
      AWS_SECURITY_TOKEN: null,
      AWS_IAM_LOGIN_PROFILE: 'default',
    });
  });

  test.each(['env-no-export', 'dotenv', 'json', 'process'])(
    '%s prints nothing when there is no session',
    async (format) => {
      for (const words of [
        ['env', 'nobody', '--format', format],
        ['env', '--format', format, '--wat'],
        ['env', '--min-ttl', '3h', '--no-input', `--format=${format}`],
      ]) {
        expect((await run(home, words)).exitCode).toBeGreaterThan(0);
        expect(await run(home, words)).toMatchObject({ stdout: '' });
      }
    },
  );

  test.each([
    ['env', /^ {2}hint: type: eval "\$\(aws-iam-login env default\)"$/m],
    ['fish', /^ {2}hint: type: aws-iam-login env default --format fish \| source$/m],
    ['powershell', /Invoke-Expression$/m],
    ['dotenv', /--env-file/],
    ['json', /load-env$/m],
    ['process', /credential_process = aws-iam-login credential-process default$/m],
  ])('%s on a terminal says that these are secrets, and what to type instead', async (format, hint) => {
    const command = `aws-iam-login env --format ${format}`;
    const terminal = await openTerminal(home, `${command} 2>err; ${command} -q 2>quiet; echo END`);
    const screen = await terminal.until(/END/);
    expect(screen.replaceAll('\n', '')).toContain(session.sessionToken);
    const [said, quiet] = ['err', 'quiet'].map((name) => fs.readFileSync(join(home.folder, name), 'utf8'));
    expect(said).toMatch(/^aws-iam-login: these are secrets, and nothing has taken them up\n/);
    expect(said).toMatch(hint);
    expect(quiet).toBe('');
  });

  test('on a terminal there is nothing to warn of in a form without secrets', async () => {
    const terminal = await openTerminal(home, 'aws-iam-login env --as profile 2>err; echo END');
    await terminal.until(/END/);
    expect(fs.readFileSync(join(home.folder, 'err'), 'utf8')).toBe('');
  });

  test('process is the JSON of a credential_process', async () => {
    expect(JSON.parse(await print('process'))).toEqual({
      Version: 1,
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: session.expiration,
    });
  });

  test('powershell names every variable', async () => {
    const powershell = await print('powershell');
    expect(powershell).toContain(`$Env:AWS_SECRET_ACCESS_KEY = '${session.secretAccessKey}'`);
    expect(powershell).toContain('Remove-Item -ErrorAction SilentlyContinue Env:AWS_PROFILE');
  });

  test('windows-cmd is no format: native Windows is not supported', async () => {
    const { exitCode, stdout, stderr } = await run(home, ['env', '--format', 'windows-cmd']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: 'false\n' });
    expect(stderr).toContain('windows-cmd');
    const { os } = JSON.parse(fs.readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    expect(os).toEqual(['!win32']);
  });

  test.each(['env', 'fish'])('%s is one command, its first line without a secret', async (format) => {
    const text = await print(format);
    expect(text).toMatch(/^[^\n]+ &&\n[^\n]+\n$/);
    const [first = ''] = text.split('\n');
    for (const secret of [session.accessKeyId, session.secretAccessKey, session.sessionToken])
      expect(first).not.toContain(secret);
  });

  test.each([
    ['env', 'a\nb'],
    ['env', 'a\u001b[31mb'],
    ['fish', 'a\tb'],
    ['powershell', 'a\rb'],
  ])('%s refuses what it cannot quote: %j', async (format, value) => {
    const words = ['env', 'default', '--format', format];
    const { exitCode, stdout, stderr } = await run(home, words, { env: { AWS_PROFILE: value } });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'false\n' });
    expect(stderr).toContain('aws-iam-login: the value of AWS_IAM_LOGIN_OLD_PROFILE holds ');
  });
});

const replaceExpiration = (expiration: string): void =>
  writeCredentials(
    home,
    fs.readFileSync(home.credentials, 'utf8').replace(/(?<=expiration = ).*/, expiration),
  );

describe('the session in the file', () => {
  const inTwoHours = new Date(Math.floor(Date.now() / 1000 + 7200) * 1000);
  const iso = inTwoHours.toISOString().slice(0, 19);
  const east = new Date(inTwoHours.getTime() + 5.5 * 3_600_000).toISOString().slice(0, 19);

  test.each([
    `${iso}Z`,
    `${iso}+00:00`,
    `${iso.replace('T', ' ')}+00:00`,
    `${iso.replace('T', ' ')} UTC`,
    iso.replace('T', ' '),
    iso,
    `${iso}.123456+00:00`,
    `${iso}.1Z`,
    `${east}+05:30`,
    `${east.replace('T', ' ')}+0530`,
  ])('is found live with the expiration %s, without a request', async (expiration) => {
    replaceExpiration(expiration);
    const { exitCode, stdout } = await run(home, ['env', '--no-input']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`AWS_IAM_LOGIN_EXPIRES_AT='${inTwoHours.getTime() / 1000}'`);
    expect(aws.count()).toBe(0);
  });

  test.each(['tomorrow', '', '2026-13-45 99:99:99', '1893456000', `${iso}Z junk`])(
    'counts for nothing with the expiration %j',
    async (expiration) => {
      replaceExpiration(expiration);
      expect(await run(home, ['env', '--no-input'])).toMatchObject({ exitCode: 3, stdout: 'false\n' });
    },
  );

  test.each([
    [[], 299, 3],
    [[], 330, 0],
    [['--min-ttl', '1h'], 3500, 3],
    [['--min-ttl', '1h'], 3700, 0],
    [['--min-ttl', '0'], 60, 0],
    [['--min-ttl=0'], -1, 3],
  ])('is used according to --min-ttl: %s, %i s left, exit code %i', async (options, seconds, exitCode) => {
    replaceExpiration(new Date(Date.now() + seconds * 1000).toISOString());
    expect(await run(home, ['env', '--no-input', ...options])).toMatchObject({ exitCode });
  });

  test('is renewed with a code when it is over', async () => {
    replaceExpiration('2020-01-01T00:00:00Z');
    const env = { AWS_ENDPOINT_URL: aws.url };
    const words = ['env', '--token-code', aws.deviceOf(jane).code()];
    const { exitCode, stdout, stderr } = await run(home, words, { env });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`AWS_SESSION_TOKEN='${sectionOf(home, 'default-sts')['aws_session_token']}'`);
  });
});

test('with mfa_process the variables say that renewal is silent, --min-ttl before the end', async () => {
  fs.writeFileSync(home.config, '[default]\nmfa_process = echo 123456\n');
  const { stdout } = await run(home, ['env', '--min-ttl', '10m']);
  expect(stdout).toContain(
    `AWS_IAM_LOGIN_EXPIRES_AT='${expiresAt}' AWS_IAM_LOGIN_RENEW_AT='${expiresAt - 600}'`,
  );
});

test('env of a role whose source is missing is a clear error', async () => {
  fs.writeFileSync(
    home.config,
    '[profile admin]\nrole_arn = arn:aws:iam::123456789012:role/a\nsource_profile = defualt\n',
  );
  const { exitCode, stdout, stderr } = await run(home, ['env', 'admin']);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'false\n' });
  expect(stderr).toContain('aws-iam-login: source_profile defualt of profile admin is neither in ');
  expect(stderr).toContain('\n  hint: did you mean default?\n');
});

test.each([
  ['SIGINT', 130, null],
  ['SIGTERM', 143, null],
  ['SIGHUP', null, 'SIGHUP'],
] as const)('%s during a login leaves nothing but false on stdout', async (signal, exitCode, endedBy) => {
  writeCredentials(home, fs.readFileSync(home.credentials, 'utf8').split('[default-sts]')[0] ?? '');
  aws.fault('GetSessionToken', 'hang');
  const words = ['env', '--token-code', aws.deviceOf(jane).code()];
  const { child, ended } = start(home, words, { env: { AWS_ENDPOINT_URL: aws.url } });
  await until(() => aws.count('GetSessionToken') === 1);
  child.kill(signal);
  expect(await ended).toEqual({ exitCode, signal: endedBy, stdout: 'false\n', stderr: '' });
  expect(sectionOf(home, 'default-sts')).toEqual({});
});

test('a reader that closes stdout early is no error', async () => {
  const { stdout, stderr } = await runShell(
    home,
    'bash',
    'aws-iam-login env | head -c 1; echo ":${PIPESTATUS[*]}"',
  );
  expect(stdout).toBe('t:0 0\n');
  expect(stderr).toBe('');
});

test('a stdout that takes no more, as on a full disk, is an error', async () => {
  const script = '(ulimit -f 0; aws-iam-login env >full); echo "EXIT$?"';
  const { stdout, stderr } = await runShell(home, 'bash', script);
  expect(stdout).toBe('EXIT1\n');
  expect(stderr).toContain('aws-iam-login: could not write to stdout: ');
});
