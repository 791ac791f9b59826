import fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { LocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { useScene } from './support/fixture.ts';
import {
  type Home,
  keyLines,
  run,
  runProcess,
  sectionOf,
  sessionLines,
  snapshot,
  writeCredentials,
} from './support/program.ts';
import { openTerminal } from './support/terminal.ts';

vi.setConfig({ testTimeout: 120_000 });

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;

useScene((scene) => {
  ({ aws, home, jane, phone } = scene);
});

const writeConfig = (text: string): void => fs.writeFileSync(home.config, text, { mode: 0o600 });

const storeSession = (name = 'default', seconds = 7200, user = jane): void => {
  const session = aws.mintSession(user, { mfa: true, seconds });
  fs.appendFileSync(home.credentials, `[${name}-sts]\n${sessionLines(session, session.expiration)}`);
};

const requests = (): string[] => aws.calls.map(({ action }) => action);

const asked = /Enter MFA code for default \(arn:aws:iam::123456789012:mfa\/phone\):$/m;

describe('a profile that was never initialised', () => {
  beforeEach(() => {
    writeCredentials(home, `[default]\n${keyLines(jane)}`);
  });

  test('is initialised by login, which goes on to the question', async () => {
    const terminal = await openTerminal(home, 'aws-iam-login; echo EXIT$?');
    await terminal.until(asked);
    await terminal.type(phone.code());
    await terminal.press('Enter');
    expect(await terminal.until(/EXIT\d/)).toMatch(
      /^aws-iam-login: profile default is user jane with MFA device arn:aws:iam::123456789012:mfa\/phone\nEnter MFA code for \S+ \(\S+\): \d{6}\naws-iam-login: session of default until [^\n]*\nEXIT0/,
    );
    expect(sectionOf(home, 'default')).toMatchObject({ mfa_serial: phone.serialNumber, username: 'jane' });
    expect(requests()).toEqual(['GetCallerIdentity', 'ListMFADevices', 'GetSessionToken']);
  });

  test.each([['login'], ['env'], ['exec', '--', 'true']])(
    'is initialised by %s with a code, without a terminal',
    async (...words) => {
      const [command = '', ...rest] = words;
      const { exitCode } = await runProcess(home, [command, '--token-code', phone.code(), ...rest]);
      expect(exitCode).toBe(0);
      expect(sectionOf(home, 'default')).toMatchObject({ mfa_serial: phone.serialNumber });
      expect(requests()).toEqual(['GetCallerIdentity', 'ListMFADevices', 'GetSessionToken']);
    },
  );

  test('is initialised by login with a code on stdin, and by mfa_process', async () => {
    expect(await runProcess(home, ['login'], { input: `${phone.code()}\n` })).toMatchObject({ exitCode: 0 });
    phone.skipToNextStep();
    writeCredentials(home, `[default]\n${keyLines(jane)}mfa_process = printf ${phone.code()}\n`);
    expect(await runProcess(home, ['login'])).toMatchObject({ exitCode: 0 });
    expect(sectionOf(home, 'default')).toMatchObject({ mfa_serial: phone.serialNumber });
  });

  test('is initialised by the login of its role, where neither names a device', async () => {
    const { arn } = aws.createRole({ name: 'dev', requireMfa: true });
    writeConfig(`[profile dev]\nrole_arn = ${arn}\nsource_profile = default\n`);
    expect(await run(home, ['login', 'dev', '--token-code', phone.code()])).toMatchObject({ exitCode: 0 });
    expect(sectionOf(home, 'default')).toMatchObject({ mfa_serial: phone.serialNumber });
    expect(requests()).toEqual(['GetCallerIdentity', 'ListMFADevices', 'GetSessionToken', 'AssumeRole']);
  });

  test('stays as it is where nobody can give a code, at the prompt too', async () => {
    const before = snapshot(home);
    for (const words of [['env'], ['login', '--no-input'], ['env', '--hook']]) {
      const { exitCode, stderr } = await runProcess(home, words);
      expect(exitCode).toBe(1);
      expect(stderr).toContain('profile default has no mfa_serial\n');
    }
    expect(snapshot(home)).toEqual(before);
    expect(aws.count()).toBe(0);
  });

  test('of a user with security keys only gets the sign-in that takes them', async () => {
    aws.removeMfaDevice(phone.serialNumber);
    aws.addMfaDevice(jane, { kind: 'u2f', name: 'key' });
    const before = snapshot(home);
    const { exitCode, stderr } = await run(home, ['login', '--token-code', '123456']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('user jane has no MFA device whose codes AWS STS takes\n');
    expect(stderr).toContain('takes security keys and passkeys: aws login --profile NEW-NAME;');
    expect(snapshot(home)).toEqual(before);
  });

  test('with several devices is asked about once, however many logins wait', async () => {
    aws.addMfaDevice(jane, { name: 'tablet' });
    const one = await openTerminal(home, 'aws-iam-login; echo EXIT$?');
    await one.until(/Use which one\? \[1-2\]$/m);
    const other = await openTerminal(home, 'aws-iam-login env >out; echo EXIT$?');
    await other.until(/is getting a session with profile default: waiting for it/);
    await one.type('1');
    await one.press('Enter');
    const asking = await Promise.race([
      one.until(asked).then(() => one),
      other.until(/Enter MFA code for \S+ \(\S+\):$/m).then(() => other),
    ]);
    await asking.type(phone.code());
    await asking.press('Enter');
    for (const terminal of [one, other]) await terminal.until(/EXIT0/);
    expect(await other.screen()).not.toContain('Use which one');
    expect(aws.count('GetSessionToken')).toBe(1);
    expect(aws.count('ListMFADevices')).toBe(1);
  });
});

describe('a question with a live session behind it', () => {
  // after 22:00 it ends tomorrow, which is said
  const live =
    /^session of default until (?:\w{3} \w{3} \d\d )?\d\d:\d\d \(2 h\) is live: Enter keeps it\nEnter MFA code for \S+ \(\S+\):$/m;

  beforeEach(() => {
    storeSession();
  });

  test('says until when, and Enter keeps that session', async () => {
    const before = snapshot(home);
    const terminal = await openTerminal(home, 'TZ=UTC aws-iam-login; echo EXIT$?');
    await terminal.until(live);
    await terminal.press('Enter');
    expect(await terminal.until(/EXIT\d/)).toMatch(/aws-iam-login: session of default until [^\n]*\nEXIT0/);
    expect(snapshot(home)).toEqual(before);
    expect(aws.count()).toBe(0);
  });

  test.each(['C-c', 'C-d'])('is still declined by %s', async (key) => {
    const terminal = await openTerminal(home, 'aws-iam-login; echo EXIT$?');
    await terminal.until(live);
    await terminal.press(key);
    expect(await terminal.until(/EXIT\d/)).toContain('EXIT130');
  });

  test('takes a code for a new session', async () => {
    const before = sectionOf(home, 'default-sts')['aws_access_key_id'];
    const terminal = await openTerminal(home, 'aws-iam-login; echo EXIT$?');
    await terminal.until(live);
    await terminal.type(phone.code());
    await terminal.press('Enter');
    await terminal.until(/EXIT0/);
    expect(sectionOf(home, 'default-sts')['aws_access_key_id']).not.toBe(before);
  });

  test('is asked in each of two terminals, and each may keep it', async () => {
    const one = await openTerminal(home, 'aws-iam-login; echo EXIT$?');
    await one.until(live);
    const other = await openTerminal(home, 'aws-iam-login; echo EXIT$?');
    await other.until(/is asking for the code/);
    await one.press('Enter');
    await one.until(/EXIT0/);
    await other.until(live);
    await other.press('Enter');
    await other.until(/EXIT0/);
    expect(aws.count()).toBe(0);
  });

  test('is not there for an expired one', async () => {
    writeCredentials(
      home,
      fs
        .readFileSync(home.credentials, 'utf8')
        .replace(/^expiration = .*$/m, 'expiration = 2020-01-01 00:00:00+00:00'),
    );
    const terminal = await openTerminal(home, 'aws-iam-login; echo EXIT$?');
    expect(await terminal.until(asked)).not.toContain('Enter keeps');
    await terminal.press('Enter');
    await terminal.until(/EXIT130/);
  });
});

test('a live role session is kept where its user has to be asked', async () => {
  const { arn } = aws.createRole({ name: 'dev', requireMfa: true });
  writeConfig(`[profile dev]\nrole_arn = ${arn}\nsource_profile = default\n`);
  await run(home, ['login', 'dev', '--token-code', phone.code()]);
  writeCredentials(
    home,
    fs
      .readFileSync(home.credentials, 'utf8')
      .replace(/(\[default-sts\][^[]*?expiration = ).*/, '$12020-01-01 00:00:00+00:00'),
  );
  aws.forgetCalls();
  const terminal = await openTerminal(home, 'aws-iam-login dev; echo EXIT$?');
  await terminal.until(/^session of dev until .* is live: Enter keeps it$/m);
  await terminal.press('Enter');
  expect(await terminal.until(/EXIT\d/)).toMatch(/session of dev until [^\n]*\nEXIT0/);
  expect(aws.count()).toBe(0);
});

const longTerm = (): string =>
  `[default-long-term]\n${keyLines(jane)}aws_mfa_device = ${phone.serialNumber}\n`;

describe('the layout of aws-mfa', () => {
  beforeEach(() => {
    const session = aws.mintSession(jane, { mfa: true });
    writeCredentials(
      home,
      `# aws-mfa\n${longTerm()}\n[default]\nassumed_role = False\n${keyLines(session)}aws_session_token = ${session.sessionToken}\naws_security_token = ${session.sessionToken}\nexpiration = 2026-01-01 00:00:00\n`,
    );
  });

  test.each([['default'], ['default-long-term']])(
    'is understood by the login of %s, and stays as it is',
    async (name) => {
      const before = fs.readFileSync(home.credentials, 'utf8');
      expect(await run(home, ['login', name, '--token-code', phone.code()])).toMatchObject({ exitCode: 0 });
      const now = fs.readFileSync(home.credentials, 'utf8');
      expect(now.startsWith(before)).toBe(true);
      expect(now.slice(before.length)).toMatch(/^\n\[default-sts\]\naws_access_key_id = ASIA/);
      expect(requests()).toEqual(['GetSessionToken']);
    },
  );

  test('is understood without [default] as well, and by a role', async () => {
    writeCredentials(home, longTerm());
    const { arn } = aws.createRole({ name: 'dev', requireMfa: true });
    writeConfig(`[profile dev]\nrole_arn = ${arn}\nsource_profile = default\n`);
    expect(await run(home, ['env', 'dev', '--token-code', phone.code()])).toMatchObject({ exitCode: 0 });
    expect(sectionOf(home, 'dev-sts')['assumed_from']).toBe('default');
    expect(fs.readFileSync(home.credentials, 'utf8').startsWith(longTerm())).toBe(true);
  });

  test('is left as it is by init, which says where key and device are', async () => {
    const before = snapshot(home);
    const { exitCode, stderr } = await run(home, ['init', '--force']);
    expect(exitCode).toBe(0);
    expect(stderr).toBe(
      `aws-iam-login: profile default has its key and the MFA device ${phone.serialNumber} in [default-long-term], where they stay\n`,
    );
    expect(snapshot(home)).toEqual(before);
  });

  test('has its key rotated, and nothing else', async () => {
    const before = fs.readFileSync(home.credentials, 'utf8');
    expect(await run(home, ['rotate', 'default', '--yes'])).toMatchObject({ exitCode: 0 });
    const [key] = aws.keys(jane);
    const now = sectionOf(home, 'default-long-term');
    expect(now['aws_access_key_id']).toBe(key?.accessKeyId);
    expect(now['aws_access_key_id']).not.toBe(jane.accessKeyId);
    expect(fs.readFileSync(home.credentials, 'utf8')).toBe(
      before
        .replace(jane.accessKeyId, now['aws_access_key_id'] ?? '')
        .replace(jane.secretAccessKey, now['aws_secret_access_key'] ?? ''),
    );
    expect((await run(home, ['login', '--token-code', phone.code()])).exitCode).toBe(0);
  });

  test('gives the key of [default] itself precedence', async () => {
    writeCredentials(
      home,
      `[default]\n${keyLines(jane)}mfa_serial = ${phone.serialNumber}\n[default-long-term]\naws_access_key_id = AKIAOTHER\naws_secret_access_key = x\naws_mfa_device = x\n`,
    );
    expect(await run(home, ['login', '--token-code', phone.code()])).toMatchObject({ exitCode: 0 });
  });

  test('is what a mistyped name is compared with', async () => {
    writeCredentials(home, longTerm().replace('default', 'customer'));
    const { stderr } = await run(home, ['login', 'custmer']);
    expect(stderr).toContain('hint: did you mean customer?');
  });
});

describe('a profile of somebody else is named as what it is', () => {
  const kinds = [
    ['an SSO profile', 'sso_session = work\nsso_account_id = 1', 'profile theirs is an SSO profile'],
    ['an old SSO profile', 'sso_start_url = https://x', 'profile theirs is an SSO profile'],
    ['one of aws login', 'login_session = arn:x', 'profile theirs is a profile of `aws login`'],
    [
      'a session',
      'aws_access_key_id = ASIAX\naws_secret_access_key = x\naws_session_token = x',
      'profile theirs holds a session, not a long-term access key',
    ],
  ] as const;
  const commands = [
    ['init'],
    ['login', '--token-code', '123456'],
    ['env', '--token-code', '123456'],
    ['exec', '--', 'true'],
    ['rotate'],
  ];

  test.each(kinds)('%s', async (_kind, lines, sentence) => {
    writeConfig(`[profile theirs]\n${lines}\n`);
    const before = snapshot(home);
    for (const [command = '', ...rest] of commands) {
      const { exitCode, stderr } = await runProcess(home, [command, '-p', 'theirs', ...rest]);
      expect(exitCode).toBe(command === 'exec' ? 125 : 1);
      expect(stderr).toContain(`aws-iam-login: ${sentence}`);
      expect(stderr).toMatch(/\n {2}hint: /);
    }
    expect(snapshot(home)).toEqual(before);
    expect(aws.count()).toBe(0);
  });

  test('a credential_process is not run by login before init, and init says what it prints', async () => {
    const ran = join(home.folder, 'ran');
    const answer = '{"Version": 1, "AccessKeyId": "ASIAX", "SecretAccessKey": "x", "SessionToken": "x"}';
    writeConfig(`[profile theirs]\ncredential_process = touch ${ran}; echo '${answer}'\n`);
    for (const words of [
      ['login', 'theirs', '--token-code', '123456'],
      ['env', 'theirs'],
    ]) {
      const { exitCode, stderr } = await runProcess(home, words);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(
        'profile theirs gets its credentials from another program (credential_process)',
      );
    }
    expect(fs.existsSync(ran)).toBe(false);
    const { stderr } = await run(home, ['init', 'theirs']);
    expect(stderr).toContain('credential_process of profile theirs printed a session');
    expect((await run(home, ['rotate', 'theirs'])).stderr).toContain('comes from its credential_process');
  });
});

test('a list of names that is cut says how many more there are', async () => {
  writeCredentials(
    home,
    Array.from({ length: 20 }, (_, index) => `[profile-${index}]\nregion = x\n`).join(''),
  );
  const { stderr } = await run(home, ['login', 'something']);
  expect(stderr).toContain(
    'hint: there are: profile-0, profile-1, profile-2, profile-3, profile-4, profile-5, profile-6, profile-7 and 12 more\n',
  );
  // a session goes by the name of its profile
  writeCredentials(home, '[a]\n[b]\n[b-sts]\n[other-sts]\n');
  expect((await run(home, ['login', 'something'])).stderr).toContain('hint: there are: a, b, other-sts\n');
});

test('a mistyped profile is compared with those of other tools', async () => {
  writeConfig('[profile corporate-sso]\nsso_session = x\n');
  expect((await run(home, ['login', 'corporate-sos'])).stderr).toContain('hint: did you mean corporate-sso?');
});

const hoursLeft = (): number =>
  Math.round((Date.parse(sectionOf(home, 'default-sts')['expiration'] ?? '') - Date.now()) / 3_600_000);
const setDuration = (value: string): void =>
  fs.appendFileSync(home.credentials, `duration_seconds = ${value}\n`);

describe('duration_seconds of a user profile', () => {
  test('is how long a login lasts, --duration comes first', async () => {
    setDuration('28800');
    await run(home, ['login', '--token-code', phone.code()]);
    expect(hoursLeft()).toBe(8);
    phone.skipToNextStep();
    await run(home, ['login', '--duration', '2h', '--token-code', phone.code()]);
    expect(hoursLeft()).toBe(2);
  });

  test('is 12 h where nothing is said', async () => {
    await run(home, ['login', '--token-code', phone.code()]);
    expect(hoursLeft()).toBe(12);
  });

  test('is the one for the session of its roles, too', async () => {
    const { arn } = aws.createRole({ name: 'dev', requireMfa: true });
    writeConfig(`[profile dev]\nrole_arn = ${arn}\nsource_profile = default\nduration_seconds = 900\n`);
    setDuration('129600');
    expect((await run(home, ['env', 'dev', '--token-code', phone.code()])).exitCode).toBe(0);
    expect(hoursLeft()).toBe(36);
  });

  test.each(['899', '129601', '12h', '-1'])('of %s is refused before a code is spent', async (value) => {
    setDuration(value);
    const before = snapshot(home);
    const { exitCode, stderr } = await run(home, ['login', '--token-code', phone.code()]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`duration_seconds of profile default must be 900 to 129600: ${value}\n`);
    expect(snapshot(home)).toEqual(before);
    expect(aws.count()).toBe(0);
    expect((await run(home, ['login', '--duration', '1h', '--token-code', phone.code()])).exitCode).toBe(0);
  });

  test('must be longer than --min-ttl', async () => {
    setDuration('3600');
    const { exitCode, stderr } = await run(home, ['env', '--min-ttl', '1h', '--token-code', phone.code()]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--min-ttl must be shorter than duration_seconds of profile default\n');
  });
});
