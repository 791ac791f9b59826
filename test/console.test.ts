import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { consoleUrl, signInUrl } from '../src/aws/regions.ts';
import { reasonAgainstBrowser } from '../src/terminal/browser.ts';
import { type LocalAws, startLocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { makeAuthority, makeServerCertificate } from './support/certificates.ts';
import { useScene } from './support/fixture.ts';
import { answerAlways } from './support/http.ts';
import { describeOnLinux } from './support/linux.ts';
import { type Ended, type Home, run, runProcess, sectionOf, start, until } from './support/program.ts';

vi.setConfig({ testTimeout: 60_000 });

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;
let roleArn: string;

useScene(async (scene) => {
  ({ aws, home, jane, phone } = scene);
  roleArn = aws.createRole({
    name: 'admin',
    account: '444455556666',
    trusts: [jane.account, '444455556666'],
  }).arn;
  fs.writeFileSync(
    home.config,
    [
      '[default]\nregion = eu-west-1\n',
      `[profile admin]\nrole_arn = ${roleArn}\nsource_profile = default\nregion = eu-central-1\n`,
      `[profile deploy]\nrole_arn = ${roleArn}\nsource_profile = admin\n`,
      '[profile company]\nsso_session = corp\n',
    ].join('\n'),
  );
  await run(home, ['login', '--token-code', phone.code()]);
});

const print = (...words: string[]): Promise<Ended> => run(home, ['console', ...words, '--print']);

const urlIn = ({ stdout }: Ended): URL => new URL(stdout.trim());

const logIn = async (url: URL): Promise<Response> => fetch(url, { redirect: 'manual' });

describe('console --print', () => {
  test('prints a URL that signs in to the console, at the region of the profile', async () => {
    const ended = await print('admin');
    expect(ended).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^https?:\S+\n$/) });
    expect(ended.stderr.split('\n')).toEqual([
      expect.stringMatching(
        /^aws-iam-login: console as role admin of account 444455556666 until .*\d\d:\d\d \(1 h\)$/,
      ),
      'aws-iam-login: for 15 minutes the link signs in whoever has it',
      '',
    ]);
    const answer = await logIn(urlIn(ended));
    expect(answer.status).toBe(302);
    expect(answer.headers.get('location')).toBe(
      'https://console.aws.amazon.com/console/home?region=eu-central-1',
    );
    expect(aws.calls.at(-2)).toMatchObject({
      action: 'getSigninToken',
      service: 'signin',
      caller: 'arn:aws:sts::444455556666:assumed-role/admin/jane',
    });
  });

  test.each([
    [['--service', 's3'], '/s3/home?region=eu-central-1'],
    [['--region', 'us-west-2', '--service', 'ec2'], '/ec2/home?region=us-west-2'],
  ])('with %j leads to %s', async (words, path) => {
    const answer = await logIn(urlIn(await print('admin', ...words)));
    expect(answer.headers.get('location')).toBe(`https://console.aws.amazon.com${path}`);
  });

  test('of a chain of roles without a region leads to the first page', async () => {
    const answer = await logIn(urlIn(await print('deploy')));
    expect(answer.headers.get('location')).toBe('https://console.aws.amazon.com/console/home');
  });

  test('holds no key and no token of the session, in no message and in no URL', async () => {
    const { stdout, stderr } = await print('admin', '--debug');
    const { aws_secret_access_key: secret = '?', aws_session_token: token = '?' } = sectionOf(
      home,
      'admin-sts',
    );
    for (const text of [stdout, decodeURIComponent(stdout), stderr]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(token);
    }
  });

  test('renews a session that would end soon, and takes one that does not', async () => {
    await run(home, ['env', 'admin']);
    const whole = fs.readFileSync(home.credentials, 'utf8');
    const soon = new Date(Date.now() + 40 * 60_000).toISOString().replace(/\.\d+/, '');
    aws.forgetCalls();
    await print('admin');
    expect(aws.count('AssumeRole')).toBe(0);
    const changed = whole.replace(/(\[admin-sts\][^]*?expiration = ).*/, `$1${soon}`);
    fs.writeFileSync(home.credentials, changed);
    await print('admin', '--min-ttl', '10m');
    expect(aws.count('AssumeRole')).toBe(0);
    await print('admin');
    expect(aws.count('AssumeRole')).toBe(1);
  });
});

describe('console refuses', () => {
  test('a user profile, says why, and names the role profiles that would do', async () => {
    aws.forgetCalls();
    for (const name of ['default', 'default-sts']) {
      expect(await print(name)).toEqual({
        exitCode: 1,
        signal: null,
        stdout: '',
        stderr:
          'aws-iam-login: profile default is a user, and AWS lets only roles into the console\n' +
          '  hint: aws-iam-login console admin; roles of default: admin, deploy\n',
      });
    }
    fs.writeFileSync(home.config, '');
    expect(await print()).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("or sign in with the user's password"),
    });
    expect(aws.count()).toBe(0);
  });

  test.each([
    [['company'], 1, 'profile company is an SSO profile'],
    [['admin', '--region', 'cn-north-1'], 2, 'of partition aws-cn, and the role of aws\n'],
    [['admin', '--service', '../x'], 2, 'is no service of the console'],
    [['admin', '--browser', 'x'], 2, '--print and --browser do not go together'],
  ])('%j with exit code %i', async (words, exitCode, text) => {
    aws.forgetCalls();
    expect(await print(...words)).toMatchObject({
      exitCode,
      stdout: '',
      stderr: expect.stringContaining(text),
    });
    expect(aws.count()).toBe(0);
  });

  test('a session that AWS Sign-In does not take', async () => {
    await run(home, ['env', 'admin']);
    aws.deleteRole(roleArn);
    expect(await print('admin')).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('AWS Sign-In does not take the session: it may have been revoked\n'),
    });
  });

  test.each([
    ['html', 'answered something that is no answer of AWS'],
    ['redirect', 'answered something that is no answer of AWS'],
    ['drop', 'did not answer: the connection was closed'],
    ['cut', 'did not answer'],
  ] as const)('an answer that is none: %s', async (kind, text) => {
    aws.fault('getSigninToken', { kind });
    expect(await print('admin')).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining(text),
    });
  });

  test('an answer of more than a megabyte', async () => {
    const endless = await answerAlways(JSON.stringify({ SigninToken: 'x'.repeat(2_000_000) }));
    const ended = await run(home, ['console', 'admin', '--print'], {
      env: { AWS_ENDPOINT_URL_SIGNIN: endless.url },
    });
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ended.stderr).toContain('no answer of AWS');
    await endless.close();
  });
});

test('the request takes AWS_ENDPOINT_URL_SIGNIN and the proxy that the environment names', async () => {
  const other = await startLocalAws();
  const ended = await run(home, ['console', 'admin', '--print'], {
    env: { AWS_ENDPOINT_URL_SIGNIN: other.url },
  });
  expect(ended).toMatchObject({ exitCode: 1 });
  expect(other.count('getSigninToken')).toBe(1);
  await other.close();
  const dead = await run(home, ['console', 'admin', '--print'], {
    env: { AWS_ENDPOINT_URL_SIGNIN: 'http://signin.example.com', HTTP_PROXY: 'http://127.0.0.1:9' },
  });
  expect(dead).toMatchObject({ exitCode: 1 });
  expect(dead.stderr).toMatch(/could not reach .*\n.*the proxy 127\.0\.0\.1:9 \(HTTP_PROXY/);
});

test('only what names Sign-In leads the session elsewhere', async () => {
  const other = await startLocalAws();
  const env = { AWS_ENDPOINT_URL: other.url, AWS_ENDPOINT_URL_STS: aws.url };
  fs.appendFileSync(home.config, `endpoint_url = ${other.url}\n`);
  expect(await run(home, ['console', 'admin', '--print'], { env })).toMatchObject({ exitCode: 0 });
  const straight = { ...env, AWS_ENDPOINT_URL_SIGNIN: undefined, HTTPS_PROXY: 'http://127.0.0.1:9' };
  const ended = await run(home, ['console', 'admin', '--print'], { env: straight });
  expect(ended.stderr).toMatch(/could not reach AWS Sign-In in /);
  expect(other.count()).toBe(0);
  await other.close();
});

test('the server of the sign-in is trusted by AWS_CA_BUNDLE', async () => {
  const authority = makeAuthority(home.folder, 'authority');
  const tls = makeServerCertificate(home.folder, 'server', ['IP:127.0.0.1'], authority);
  const secure = await startLocalAws({ tls });
  const env = { AWS_ENDPOINT_URL_SIGNIN: secure.url, AWS_ENDPOINT_URL_STS: aws.url };
  const untrusted = await run(home, ['console', 'admin', '--print'], { env });
  expect(untrusted.stderr).toContain(
    'the certificate of a proxy that inspects TLS belongs into AWS_CA_BUNDLE',
  );
  expect(secure.count()).toBe(0);
  const bundle = { ...env, AWS_CA_BUNDLE: authority.path };
  expect((await run(home, ['console', 'admin', '--print'], { env: bundle })).stderr).toContain(
    'does not take',
  );
  expect(secure.count('getSigninToken')).toBe(1);
  await secure.close();
});

test.each([
  ['eu-west-1', 'https://signin.aws.amazon.com', 'https://console.aws.amazon.com'],
  ['cn-north-1', 'https://signin.amazonaws.cn', 'https://console.amazonaws.cn'],
  ['us-gov-west-1', 'https://signin.amazonaws-us-gov.com', 'https://console.amazonaws-us-gov.com'],
])('in %s people sign in at %s and work at %s', (region, signIn, page) => {
  expect([signInUrl(region), consoleUrl(region)]).toEqual([signIn, page]);
});

test('where no console is public, none is guessed', () => {
  expect(() => consoleUrl('us-iso-east-1')).toThrow('partition aws-iso');
});

/** A program that notes what it is called with. */
const addBrowser = (name: string, ending = ''): string => {
  const note = join(home.folder, `${name}.txt`);
  const path = join(home.folder, 'bin', name);
  fs.writeFileSync(
    path,
    `#!/bin/sh\nprintf '%s\\n' "$@" >'${note}.new'\nmv '${note}.new' '${note}'\n${ending}\n`,
    {
      mode: 0o755,
    },
  );
  return note;
};

const inFrontOfScreen = { DISPLAY: ':9', PATH: '' };

const openedWith = async (words: string[], env: Record<string, string | undefined> = {}): Promise<Ended> =>
  runProcess(home, ['console', 'admin', ...words], {
    env: { ...inFrontOfScreen, PATH: home.env['PATH'], ...env },
  });

describeOnLinux('the browser', () => {
  const running: ReturnType<typeof start>[] = [];
  afterEach(() => {
    for (const { child } of running.splice(0)) child.kill();
  });

  test('is the system’s, and gets nothing but the URL', async () => {
    const note = addBrowser('xdg-open');
    const ended = await openedWith([]);
    expect(ended).toMatchObject({ exitCode: 0, stdout: '' });
    expect(ended.stderr).toMatch(/^aws-iam-login: console as role admin .*\n$/);
    const [url = '', ...others] = (await until(() => fs.existsSync(note) && fs.readFileSync(note, 'utf8')))
      .trim()
      .split('\n');
    expect(others).toEqual([]);
    expect((await logIn(new URL(url))).status).toBe(302);
    const { aws_session_token: token = '?' } = sectionOf(home, 'admin-sts');
    expect(decodeURIComponent(url)).not.toContain(token);
  });

  test('is the named one, by the name of its program or as people call it', async () => {
    for (const [name, program] of [
      ['my-browser', 'my-browser'],
      ['chrome', 'chromium'],
    ] as const) {
      const note = addBrowser(program);
      expect(
        await openedWith(['--browser', name], { DISPLAY: undefined, SSH_TTY: '/dev/pts/1' }),
      ).toMatchObject({
        exitCode: 0,
        stdout: '',
      });
      await until(() => fs.existsSync(note));
    }
  });

  test('that is not there is told before AWS is asked', async () => {
    aws.forgetCalls();
    expect(await openedWith(['--browser', 'no-such-browser'])).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('there is no browser no-such-browser here'),
    });
    expect(aws.count()).toBe(0);
  });

  test('that the library does not know how to open leaves the URL on stdout', async () => {
    // one of its own words, behind which it looks for a default browser that it knows
    addBrowser('browser');
    addBrowser('xdg-mime', 'echo odd.desktop');
    const ended = await openedWith(['--browser', 'browser']);
    expect(ended).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('no browser could be opened ('),
    });
    expect((await logIn(urlIn(ended))).status).toBe(302);
  });

  test.each([
    ['exit 3', 'no browser could be opened (exit code 3): use this link'],
    [undefined, 'no browser could be opened (ENOENT): use this link'],
  ])('that cannot be opened (%s) leaves the URL on stdout', async (ending, text) => {
    if (ending !== undefined) addBrowser('xdg-open', ending);
    fs.symlinkSync(process.execPath, join(home.folder, 'bin', 'node'));
    for (const tool of ['sh', 'awk', 'env', 'mv', 'dirname', 'readlink', 'ls'])
      if (fs.existsSync(`/usr/bin/${tool}`))
        fs.symlinkSync(`/usr/bin/${tool}`, join(home.folder, 'bin', tool));
    const ended = await openedWith([], { PATH: join(home.folder, 'bin') });
    expect(ended.exitCode).toBe(0);
    expect(ended.stderr).toContain(text);
    expect((await logIn(urlIn(ended))).status).toBe(302);
  });

  test.each([
    [{ SSH_CONNECTION: '1 2 3 4' }, 'over ssh no browser is opened'],
    [{ DISPLAY: undefined }, 'without a display no browser is opened'],
  ])('is not opened with %j: the URL is printed', async (env, text) => {
    const note = addBrowser('xdg-open');
    const ended = await openedWith([], env);
    expect(ended).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(text) });
    expect((await logIn(urlIn(ended))).status).toBe(302);
    expect(fs.existsSync(note)).toBe(false);
  });
});

test('a Mac needs no display', () => {
  expect(reasonAgainstBrowser({}, 'darwin')).toBeUndefined();
  expect(reasonAgainstBrowser({ WAYLAND_DISPLAY: 'wayland-0' }, 'linux')).toBeUndefined();
  expect(reasonAgainstBrowser({ SSH_CLIENT: '1 2 3' }, 'darwin')).toBe('over ssh');
});
