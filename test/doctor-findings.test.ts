import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { examine } from '../src/doctor/doctor.ts';
import { tryLock } from '../src/files/lock.ts';
import { makePrivateFolder } from '../src/files/private-folder.ts';
import { version } from '../src/version.ts';
import type { LocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { type Env, doctorOf, line } from './support/doctor.ts';
import { useScene } from './support/fixture.ts';
import { type Home, keyLines, run, writeCredentials } from './support/program.ts';

vi.setConfig({ testTimeout: 60_000 });

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;

/** What is printed may hold none of these. */
let secrets: string[];

useScene((scene) => {
  ({ aws, home, jane, phone } = scene);
  secrets = [jane.secretAccessKey, 'pssst', 'hush'];
  fs.writeFileSync(home.config, '[default]\nregion = eu-west-1\n');
});

const { findings, found, offline } = doctorOf(
  () => home,
  () => secrets,
);

const addSection = (text: string): void => fs.appendFileSync(home.credentials, `${text}\n`);

const role = (name: string): string => `arn:aws:iam::444455556666:role/${name}`;

const session = { AWS_ACCESS_KEY_ID: 'ASIAX', AWS_SECRET_ACCESS_KEY: 'pssst', AWS_SESSION_TOKEN: 'hush' };

describe('doctor finds in the shell', () => {
  test.each([
    [
      { AWS_PROFILE: 'default', ...session },
      'AWS_PROFILE and AWS_ACCESS_KEY_ID are both set',
      'unset AWS_PROFILE',
    ],
    [
      { AWS_PROFILE: 'default', AWS_DEFAULT_PROFILE: 'x' },
      'AWS_DEFAULT_PROFILE x, which boto3 takes first',
      'unset AWS_DEFAULT_PROFILE',
    ],
    [{ AWS_PROFILE: '' }, 'AWS_PROFILE is set and empty', 'unset AWS_PROFILE'],
    [{ AWS_PROFILE: 'gone' }, 'AWS_PROFILE names gone, and there is no such profile', 'unset AWS_PROFILE'],
    [{ ...session, AWS_SECURITY_TOKEN: 'hush2' }, 'AWS_SECURITY_TOKEN is set', 'unset AWS_SECURITY_TOKEN'],
    [{ AWS_ACCESS_KEY_ID: 'AKIAX' }, 'AWS_SECRET_ACCESS_KEY is missing', 'unset AWS_ACCESS_KEY_ID'],
    [{ ...session, AWS_SESSION_TOKEN: undefined }, 'AWS_SESSION_TOKEN is not set', 'unset AWS_ACCESS_KEY_ID'],
    [
      { AWS_REGION: 'a', AWS_DEFAULT_REGION: 'b' },
      'AWS_REGION is a and AWS_DEFAULT_REGION b',
      'export AWS_DEFAULT_REGION=a',
    ],
    [
      { AWS_CONFIG_FILE: '/nowhere' },
      'AWS_CONFIG_FILE names /nowhere, which is not there',
      'unset AWS_CONFIG_FILE',
    ],
  ])('that %j shadow each other', async (env: Env, text, mend) => {
    const lines = await found('variables', ['default', '--offline'], env);
    expect(lines.map(({ Text }) => Text)).toEqual([expect.stringContaining(text)]);
    expect(lines[0]?.Mend).toContain(mend);
  });

  const own = { ...session, AWS_IAM_LOGIN_PROFILE: 'default', AWS_IAM_LOGIN_AS: 'keys' };

  test.each([
    [
      { ...own, AWS_IAM_LOGIN_EXPIRES_AT: '1000' },
      'problem',
      'in this shell has expired',
      'aws-iam-login use default',
    ],
    [session, 'warning', 'keys of somebody else', 'unset AWS_ACCESS_KEY_ID'],
    [
      { ...session, AWS_CREDENTIAL_EXPIRATION: '2020-01-01T00:00:00Z' },
      'problem',
      'boto3 refuses them',
      'unset',
    ],
  ])('a session that is no good: %j', async (env, state, text, mend) => {
    const [first, ...others] = await offline('shell-session', env);
    expect(others).toEqual([]);
    expect(first).toMatchObject({ State: state, Text: expect.stringContaining(text) });
    expect(first?.Mend).toContain(mend);
  });

  test('the hook, not installed, of another version, and not loaded', async () => {
    const shell = { SHELL: '/bin/bash' };
    expect(await offline('hook', { AWS_IAM_LOGIN_HOOK_VERSION: undefined })).toMatchObject([
      line('warning', /^the hook is not installed/, 'aws-iam-login setup'),
    ]);
    expect(await offline('hook', { AWS_IAM_LOGIN_HOOK_VERSION: '0.9' })).toMatchObject([
      line('warning', `the hook in this shell is of version 0.9, the program of ${version}`, /setup/),
    ]);
    expect(await run(home, ['setup', 'bash', '--yes'], { env: shell })).toMatchObject({ exitCode: 0 });
    expect(await offline('hook', { ...shell, AWS_IAM_LOGIN_HOOK_VERSION: undefined })).toMatchObject([
      line('warning', /this shell/, /exec bash|setup/),
    ]);
    expect(await offline('copies')).toEqual([]);
    const rcFile = join(home.folder, '.bashrc');
    const whole = fs.readFileSync(rcFile, 'utf8');
    fs.writeFileSync(rcFile, whole.split('\n').slice(0, 2).join('\n'));
    expect(await offline('hook', { ...shell, AWS_IAM_LOGIN_HOOK_VERSION: undefined })).toMatchObject([
      line('problem', /^~\/\.bashrc holds the first line of our block, but not the last one/, /by hand/),
    ]);
    fs.writeFileSync(rcFile, whole);
    const stamp = join(home.folder, '.local/share/aws-iam-login/stamp');
    fs.writeFileSync(stamp, fs.readFileSync(stamp, 'utf8').replace(version, '0.9.0'));
    expect(await offline('copies')).toMatchObject([
      line('warning', /^hook and completion in ~\/\.local.* are of version 0\.9\.0/, 'aws-iam-login setup'),
    ]);
  });
});

test.each([
  [
    '20.20.0',
    '2026-11-26',
    'warning',
    /^Node 20\.20\.0 has had no security updates since 2026-04-30; what is released from 2027-01-01 on needs Node 22, this version keeps working$/,
  ],
  ['22.11.0', '2027-05-02', 'warning', /^Node 22\.11\.0 has had no security updates since 2027-04-30$/],
  ['20.20.0', '2026-04-01', 'warning', /^Node 20\.20\.0 is old; what is released/],
  ['24.1.0', '2026-11-26', 'ok', /^Node 24\.1\.0 is maintained$/],
])('Node %s on %s', async (nodeVersion, day, level, text) => {
  const context = {
    env: home.env,
    now: () => Date.parse(day),
    sleep: async () => {},
    log: () => {},
    print: () => {},
  };
  const options = { profile: undefined, maxKeyAge: 90, offline: true };
  const { lines } = await examine(options, context, { nodeVersion, platform: 'linux' });
  const [node] = lines.filter(({ check }) => check === 'node');
  expect(node).toMatchObject({ level, text: expect.stringMatching(text) });
});

describe('doctor asks AWS, and finds', () => {
  test('a key that is inactive, of a root user, and no way to AWS', async () => {
    aws.setKeyStatus(jane.accessKeyId, 'Inactive');
    expect(await findings()).toMatchObject([
      { Check: 'aws', ...line('problem', /AWS does not know the access key/, /IAM console/) },
    ]);
    expect(await findings([], { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' })).toMatchObject([
      { Check: 'aws', ...line('problem', /could not reach/, /check the network/) },
    ]);
    const root = aws.createRootKey();
    secrets.push(root.secretAccessKey);
    writeCredentials(home, `[default]\n${keyLines(root)}mfa_serial = ${phone.serialNumber}\n`);
    expect(await found('aws')).toMatchObject([line('problem', /:root, which is no IAM user/, /./)]);
  });

  test.each([
    [-40, 'warning', /^the clock of this machine is (?:39|40|41) s ahead of that of AWS$/],
    [600, 'problem', /^the clock of this machine is (?:599|600|601) s behind that of AWS$/],
    [3600, 'problem', /s behind/],
  ])('a clock that is off by %i s', async (seconds, state, text) => {
    aws.setClockOffset(seconds);
    expect(await found('clock')).toMatchObject([line(state, text, /sudo (?:timedatectl|sntp)/)]);
  });

  test('two keys, the old one of a rotation, and a key that is too old', async () => {
    const other = aws.addAccessKey(jane);
    expect(await found('keys')).toMatchObject([
      line('warning', /second active access key/, 'aws-iam-login rotate default --delete-other'),
    ]);
    aws.setKeyStatus(other.accessKeyId, 'Inactive');
    expect(await found('keys')).toMatchObject([
      line(
        'warning',
        /an old access key, ….{4} \(inactive\)/,
        `aws iam delete-access-key --user-name jane --access-key-id ${other.accessKeyId} --profile default-sts`,
      ),
    ]);
    const later = Date.now() + 61 * 86_400_000;
    vi.spyOn(Date, 'now').mockImplementation(() => later);
    try {
      expect(await offline('key-age')).toEqual([]);
      const old = line(
        'warning',
        'the access key of profile default is 61 days old, and 60 is the limit',
        'aws-iam-login rotate default',
      );
      expect(await found('key-age', ['--offline', '--max-key-age', '60'])).toMatchObject([old]);
      expect(await offline('key-age', { AWS_IAM_LOGIN_MAX_KEY_AGE: '60' })).toMatchObject([old]);
      expect(
        await found('key-age', ['--offline', '--max-key-age', '365'], { AWS_IAM_LOGIN_MAX_KEY_AGE: '60' }),
      ).toEqual([]);
    } finally {
      vi.restoreAllMocks();
    }
  });

  test('another MFA device than the profile names, security keys only, and none', async () => {
    aws.removeMfaDevice(phone.serialNumber);
    expect(await found('aws-devices')).toMatchObject([
      line('problem', 'the user has no MFA device', /authenticator app/),
    ]);
    aws.addMfaDevice(jane, { kind: 'u2f', name: 'key' });
    expect(await found('aws-devices')).toMatchObject([
      line('problem', /no MFA device with codes/, /authenticator/),
    ]);
    aws.addMfaDevice(jane, { name: 'new' });
    expect(await found('aws-devices')).toMatchObject([
      line('problem', /no MFA device .*mfa\/phone, but .*mfa\/new$/, 'aws-iam-login init default --force'),
    ]);
  });

  test('what a policy hides from the key, and not from the live session', async () => {
    aws.denyWithoutMfa(jane, ['sts:GetSessionToken']);
    expect(await findings()).toMatchObject([
      {
        Check: 'keys',
        ...line('warning', /list the access keys/, /^aws-iam-login login default, then doctor again/),
      },
      { Check: 'aws-devices', State: 'warning' },
    ]);
    await run(home, ['login', '--token-code', phone.code()]);
    expect(await findings()).toEqual([]);
  });
});

describe('doctor finds what was left', () => {
  test('temporary files, private folders, a session that waits, an unfinished rotation', async () => {
    const stray = join(home.folder, '.aws', '.credentials.aws-iam-login.999999999.0123abcd.tmp');
    fs.writeFileSync(stray, 'pssst');
    fs.mkdirSync(join(home.state, 'waiting'), { recursive: true, mode: 0o700 });
    fs.chmodSync(home.state, 0o700);
    fs.writeFileSync(join(home.state, 'waiting', 'x.ini'), 'pssst');
    fs.mkdirSync(join(home.state, 'exec', 'run-x'), { recursive: true });
    fs.utimesSync(join(home.state, 'exec', 'run-x'), 1000, 1000);
    makePrivateFolder(join(home.folder, 'other')).remove();
    fs.mkdirSync(join(home.state, 'rotations'), { mode: 0o700 });
    fs.writeFileSync(join(home.state, 'rotations', 'x.ini'), 'pssst');
    const name = `~/.aws/.credentials.aws-iam-login.999999999.0123abcd.tmp`;
    expect(await findings(['--offline'])).toMatchObject([
      { Check: 'rotation', ...line('problem', /could not understand the rotation journal/, /./) },
      { Check: 'temporary-files', ...line('warning', `a process that has ended left ${name}`, `rm ${name}`) },
      { Check: 'private-folders', ...line('warning', /run-x$/, 'rm -r ~/.aws/aws-iam-login/exec/run-x') },
      { Check: 'waiting-sessions', ...line('warning', /waits/, 'aws-iam-login login --if-needed') },
    ]);
  });

  test('a rotation that was interrupted', async () => {
    aws.fault('UpdateAccessKey', { kind: 'error', status: 503, code: 'ServiceUnavailable' }, { times: 50 });
    expect((await run(home, ['rotate', 'default', '--yes'])).exitCode).not.toBe(0);
    expect(await offline('rotation')).toMatchObject([
      line(
        'problem',
        'a rotation of user jane (profile default) is unfinished',
        'aws-iam-login rotate default --resume',
      ),
    ]);
  });

  test('a process that holds a lock and is stopped, and no lock that is free', async () => {
    const path = join(home.state, 'locks', 'x');
    fs.mkdirSync(path, { recursive: true, mode: 0o700 });
    fs.chmodSync(home.state, 0o700);
    const { lock } = tryLock(path);
    const [name = ''] = fs.readdirSync(path);
    fs.utimesSync(join(path, name), Date.now() / 1000 - 60, Date.now() / 1000 - 60);
    expect(await offline('locks')).toMatchObject([
      line(
        'warning',
        `process ${process.pid} holds a lock and has given no sign of life for 10 s: it is stopped`,
        `kill ${process.pid}`,
      ),
    ]);
    lock?.release();
    fs.writeFileSync(`${path}.outcome.0123`, 'exit_code = 1\n');
    expect(await offline('locks')).toEqual([]);
  });

  test('sessions of other tools, of roles that are gone, and of aws-mfa', async () => {
    const over = `aws_access_key_id = ASIAX\naws_secret_access_key = pssst\naws_session_token = hush\nexpiration = 2020-01-01 00:00:00+00:00`;
    addSection(
      `[saml]\n${over}\n[gone-sts]\n${over}\nassumed_role_arn = ${role('x')}\nassumed_from = default`,
    );
    addSection(`[old]\n${over}\n[old-long-term]\n${keyLines(jane)}aws_mfa_device = ${phone.serialNumber}`);
    expect(await offline('other-tools')).toMatchObject([
      line(
        'warning',
        'expired sessions of roles whose profile is not there: gone-sts',
        'aws-iam-login logout --all',
      ),
      line('warning', 'another tool has left expired sessions: saml', /remove these sections/),
      line('warning', 'aws-mfa has left its session in old, and nobody renews it', 'aws-iam-login use old'),
    ]);
  });
});
