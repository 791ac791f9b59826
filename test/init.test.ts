import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LocalAws } from './local-aws/server.ts';
import type { UserHandle } from './local-aws/world.ts';
import { useScene } from './support/fixture.ts';
import { answerAlways } from './support/http.ts';
import {
  type Home,
  keyLines,
  makeHomeOf,
  run,
  runProcess,
  sectionOf,
  sessionLines,
  snapshot,
  writeCredentials,
} from './support/program.ts';
import { openTerminal } from './support/terminal.ts';

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
const homes: Home[] = [];

useScene((scene) => {
  ({ aws, home, jane } = scene);
  aws.removeMfaDevice(scene.phone.serialNumber);
  writeCredentials(home, `[default]\n${keyLines(jane)}`);
});

afterEach(() => {
  for (const each of homes.splice(0)) each.remove();
});

const newHome = (user: UserHandle): Home => {
  const made = makeHomeOf(aws, user);
  homes.push(made);
  return made;
};

const written = (): Record<string, string> => {
  const { mfa_serial, username } = sectionOf(home, 'default');
  return { mfa_serial: mfa_serial ?? '', username: username ?? '' };
};

test('init writes the user name and the only MFA device, in both word orders, and says so', async () => {
  const { serialNumber } = aws.addMfaDevice(jane, { name: 'phone' });
  for (const words of [['init'], ['default', 'init'], ['init', 'default'], ['init', '-p', 'default']]) {
    writeCredentials(home, `# mine\n[default]\n${keyLines(jane)}`);
    const { exitCode, stdout, stderr } = await run(home, words);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    expect(stderr).toBe(
      `aws-iam-login: profile default is user jane with MFA device arn:aws:iam::123456789012:mfa/phone\n`,
    );
    expect(fs.readFileSync(home.credentials, 'utf8')).toBe(
      `# mine\n[default]\n${keyLines(jane)}mfa_serial = ${serialNumber}\nusername = jane\n`,
    );
  }
});

test('init writes into the section that holds the key and leaves every other byte alone', async () => {
  aws.addMfaDevice(jane);
  const others = '[other]\r\naws_access_key_id = AKIAOTHER\r\n; a comment\r\n\r\n';
  const key = keyLines(jane).replaceAll('\n', '\r\n');
  writeCredentials(home, `${others}[work]\r\n${key}\r\n[last]\r\nregion=eu-west-1`);
  await run(home, ['init', 'work']);
  expect(fs.readFileSync(home.credentials, 'utf8')).toBe(
    `${others}[work]\r\n${key}mfa_serial = arn:aws:iam::123456789012:mfa/jane\r\nusername = jane\r\n\r\n[last]\r\nregion=eu-west-1`,
  );
});

test('init finds user jane behind a path', async () => {
  const teamJane = aws.createUser({ name: 'jane', path: '/team/eu/', account: '210987654321' });
  aws.addMfaDevice(teamJane, { name: 'team/phone' });
  home = newHome(teamJane);
  expect((await run(home, ['init'])).exitCode).toBe(0);
  expect(written()).toEqual({
    mfa_serial: 'arn:aws:iam::210987654321:mfa/team/phone',
    username: 'jane',
  });
});

test('init takes a hardware device with a bare serial number', async () => {
  aws.addMfaDevice(jane, { kind: 'hardware', serialNumber: 'GAHT12345678' });
  expect((await run(home, ['init'])).exitCode).toBe(0);
  expect(written()).toEqual({ mfa_serial: 'GAHT12345678', username: 'jane' });
});

test('init takes the one device with codes and says why the others are left out', async () => {
  aws.addMfaDevice(jane, { kind: 'u2f', name: 'key' });
  aws.addMfaDevice(jane, { kind: 'sms-mfa', name: 'mobile' });
  aws.addMfaDevice(jane, { name: 'phone' });
  const { stderr } = await run(home, ['init']);
  expect(written()['mfa_serial']).toBe('arn:aws:iam::123456789012:mfa/phone');
  expect(stderr).toMatch(/u2f\/user\/jane\/key-\w+ is left out: a security key or passkey has no codes/);
  expect(stderr).toMatch(/sms-mfa\/mobile is left out: AWS has retired codes by SMS/);
});

test('init fails and changes nothing when no device gives codes, and says what to do', async () => {
  const before = snapshot(home);
  const none = await run(home, ['init']);
  aws.addMfaDevice(jane, { kind: 'u2f', name: 'key' });
  const onlyKey = await run(home, ['init']);
  for (const { exitCode, stderr } of [none, onlyKey]) {
    expect(exitCode).toBe(1);
    expect(stderr).toContain('aws-iam-login: user jane has no MFA device whose codes AWS STS takes\n');
    expect(stderr).toMatch(/\n? {2}hint: .*add an authenticator app .* then run init again\n$/);
  }
  expect(none.stderr).not.toContain('aws login');
  expect(onlyKey.stderr).toContain('is left out');
  expect(onlyKey.stderr).toContain(
    'takes security keys and passkeys: aws login --profile NEW-NAME; or add an',
  );
  expect(snapshot(home)).toEqual(before);
});

describe('with eight devices', () => {
  const names = Array.from({ length: 7 }, (_, index) => `device-${index + 1}`);

  beforeEach(() => {
    for (const name of names) aws.addMfaDevice(jane, { name });
    aws.addMfaDevice(jane, { kind: 'hardware', serialNumber: 'GAHT12345678' });
  });

  test('init without a terminal exits 3 and names them all, however many pages AWS makes of them', async () => {
    aws.setPageSize(3);
    const before = snapshot(home);
    const { exitCode, stderr } = await runProcess(home, ['init']);
    expect(exitCode).toBe(3);
    expect(stderr).toContain('user jane has 8 MFA devices, and there is no terminal to ask on\n');
    for (const name of names) expect(stderr).toContain(`arn:aws:iam::123456789012:mfa/${name}`);
    expect(stderr).toContain('GAHT12345678');
    expect(stderr).toContain('  hint: choose one with --serial-number: ');
    expect(aws.count('ListMFADevices')).toBe(3);
    expect(snapshot(home)).toEqual(before);
  });

  test('init without a terminal takes the one that is named like the user, and says so', async () => {
    aws.removeMfaDevice('arn:aws:iam::123456789012:mfa/device-4');
    const { serialNumber } = aws.addMfaDevice(jane, { name: 'team/jane' });
    const { exitCode, stderr } = await runProcess(home, ['init']);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      `of 8 MFA devices ${serialNumber} is taken, which is named like the user (--serial-number names another)\n`,
    );
    expect(written()['mfa_serial']).toBe(serialNumber);
  });

  test('--serial-number takes one of them', async () => {
    expect((await run(home, ['init', '--serial-number', 'GAHT12345678'])).exitCode).toBe(0);
    expect(written()['mfa_serial']).toBe('GAHT12345678');
  });

  test('--serial-number of another device is refused with the list', async () => {
    const before = snapshot(home);
    const { exitCode, stderr } = await run(home, ['init', '--serial-number', 'GAHT00000000']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'aws-iam-login: user jane has no usable MFA device GAHT00000000\n  hint: there is: ',
    );
    expect(stderr).toContain('GAHT12345678');
    expect(snapshot(home)).toEqual(before);
  });

  test('the terminal shows them with numbers, asks again for what is none, and takes the chosen one', async () => {
    const terminal = await openTerminal(home, 'aws-iam-login init; echo EXIT$?');
    const question = await terminal.until(/Use which one\? \[1-8\]$/);
    expect(question).toContain('User jane has 8 MFA devices:');
    expect(question).toMatch(/^ +3 +arn:aws:iam::123456789012:mfa\/device-3$/m);
    await terminal.type('9');
    await terminal.press('Enter');
    await terminal.until(/Use which one\? \[1-8\] 9\n[^]*Use which one\? \[1-8\]$/);
    await terminal.type('3');
    await terminal.press('Enter');
    await terminal.until(/EXIT0/);
    expect(written()['mfa_serial']).toBe('arn:aws:iam::123456789012:mfa/device-3');
  });

  test.each(['Enter', 'C-c', 'C-d'])('%s at the question exits 130 and changes nothing', async (key) => {
    const before = snapshot(home);
    const terminal = await openTerminal(home, 'aws-iam-login init; echo EXIT$?');
    await terminal.until(/Use which one\? \[1-8\]$/);
    await terminal.press(key);
    await terminal.until(/EXIT130/);
    expect(snapshot(home)).toEqual(before);
  });

  test('--no-input asks nobody, on a terminal neither', async () => {
    const terminal = await openTerminal(home, 'aws-iam-login init --no-input; echo EXIT$?');
    expect(await terminal.until(/EXIT\d/)).toContain('EXIT3');
  });
});

describe('a user that may not list its devices', () => {
  beforeEach(() => aws.deny(jane, 'iam:ListMFADevices'));

  test('gets the serial number of its name, and is told that it is a guess', async () => {
    const { exitCode, stderr } = await run(home, ['init']);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      "this user may not list its MFA devices: arn:aws:iam::123456789012:mfa/jane is a guess from the user's name",
    );
    expect(written()['mfa_serial']).toBe('arn:aws:iam::123456789012:mfa/jane');
  });

  test('gets the one it names', async () => {
    const { exitCode, stderr } = await run(home, ['init', '--serial-number', 'GAHT12345678']);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('GAHT12345678 is taken as given');
    expect(written()['mfa_serial']).toBe('GAHT12345678');
  });

  test('gets no name that cannot be a serial number', async () => {
    const before = snapshot(home);
    for (const name of ['short', 'with blank 123', "quote'12345", 'line\n1234567']) {
      const { exitCode, stderr } = await run(home, ['init', `--serial-number=${name}`]);
      expect(exitCode).toBe(2);
      expect(stderr).toContain('is no serial number of an MFA device\n');
    }
    const { stderr } = await run(home, [
      'init',
      '--serial-number',
      'arn:aws:iam::123456789012:u2f/user/jane/a',
    ]);
    expect(stderr).toContain('has no codes, and AWS STS takes only codes\n');
    expect(snapshot(home)).toEqual(before);
  });

  test('with a path gets the serial number without the path', async () => {
    const teamJane = aws.createUser({ name: 'ann', path: '/team/' });
    aws.deny(teamJane, 'iam:ListMFADevices');
    home = newHome(teamJane);
    await run(home, ['init']);
    expect(written()).toEqual({ mfa_serial: 'arn:aws:iam::123456789012:mfa/ann', username: 'ann' });
  });
});

// What init says, after it has failed and changed nothing.
const refusal = async (): Promise<string> => {
  const before = snapshot(home);
  const { exitCode, stdout, stderr } = await run(home, ['init']);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toMatch(/\n {2}hint: /);
  expect(snapshot(home)).toEqual(before);
  return stderr;
};

describe('keys that are no user', () => {
  test('a root key is refused with the reason', async () => {
    home = newHome(aws.createRootKey());
    expect(await refusal()).toContain(
      'aws-iam-login: the key of profile default is a root key: AWS gives it sessions of one hour',
    );
  });

  test('credentials of a role and of a federated user are refused with the reason, before AWS is asked', async () => {
    const { arn } = aws.createRole({ name: 'admin' });
    for (const session of [aws.mintRoleSession(arn), aws.mintFederatedSession(jane)]) {
      writeCredentials(home, `[default]\n${sessionLines(session, session.expiration)}`);
      expect(await refusal()).toContain(
        'aws-iam-login: profile default holds a session, not a long-term access key\n',
      );
    }
    expect(aws.count()).toBe(0);
  });

  test.each([
    ['arn:aws:sts::123456789012:assumed-role/admin/me', 'belongs to a role session'],
    ['arn:aws:sts::123456789012:federated-user/guest', 'belongs to a federated user'],
    ['arn:aws:sts::123456789012:something/else', 'which is no IAM user'],
  ])('%s is refused with the reason when AWS says so', async (arn, reason) => {
    // A credential_process may hide the session token; what AWS answers decides.
    const key = aws.createUser({ name: arn.replaceAll(/[:/]/g, '_').slice(-40) });
    const answer = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>${arn}</Arn><UserId>AROA:me</UserId><Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>`;
    const server = await answerAlways(answer);
    home = newHome(key);
    home.env['AWS_ENDPOINT_URL'] = server.url;
    expect(await refusal()).toContain(reason);
    await server.close();
  });
});

describe('a profile that is initialised', () => {
  beforeEach(async () => {
    aws.addMfaDevice(jane, { name: 'phone' });
    await run(home, ['init']);
    aws.forgetCalls();
  });

  test('stays as it is without a request, and init says so', async () => {
    const before = snapshot(home);
    const { exitCode, stderr } = await run(home, ['init']);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      'profile default is initialised already: user jane, MFA device arn:aws:iam::123456789012:mfa/phone (--force asks AWS again)',
    );
    expect(snapshot(home)).toEqual(before);
    expect(aws.count()).toBe(0);
  });

  test('gets the new device with --force', async () => {
    aws.removeMfaDevice('arn:aws:iam::123456789012:mfa/phone');
    aws.addMfaDevice(jane, { name: 'new-phone' });
    expect((await run(home, ['init', '--force'])).exitCode).toBe(0);
    expect(written()['mfa_serial']).toBe('arn:aws:iam::123456789012:mfa/new-phone');
  });

  test('says with --force that nothing has changed when nothing has', async () => {
    const before = snapshot(home);
    const { exitCode, stderr } = await run(home, ['init', '--force']);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('profile default is user jane with MFA device');
    expect(stderr).not.toContain('--force');
    expect(snapshot(home)).toEqual(before);
  });

  test('gets another device that --serial-number names', async () => {
    aws.addMfaDevice(jane, { kind: 'hardware', serialNumber: 'GAHT12345678' });
    expect((await run(home, ['init', '--serial-number', 'GAHT12345678'])).exitCode).toBe(0);
    expect(written()['mfa_serial']).toBe('GAHT12345678');
  });

  test('gets the half that is missing', async () => {
    writeCredentials(home, `[default]\n${keyLines(jane)}mfa_serial = arn:aws:iam::123456789012:mfa/old\n`);
    expect((await run(home, ['init'])).exitCode).toBe(0);
    expect(written()).toEqual({ mfa_serial: 'arn:aws:iam::123456789012:mfa/phone', username: 'jane' });
  });
});

const regionsOf = (action: string): (string | undefined)[] =>
  aws.calls.filter((call) => call.action === action).map(({ region }) => region);

const partitionOfRegion = (region: string): string =>
  region.startsWith('cn-')
    ? 'aws-cn'
    : region.startsWith('us-gov-')
      ? 'aws-us-gov'
      : region.startsWith('eusc-')
        ? 'aws-eusc'
        : 'aws';

describe('partitions', () => {
  test.each([
    ['aws', 'us-east-1', 'us-east-1', []],
    ['aws', 'eu-west-1', 'us-east-1', ['--region', 'eu-west-1']],
    ['aws-cn', 'cn-north-1', 'cn-north-1', ['--region', 'cn-north-1']],
    ['aws-cn', 'cn-northwest-1', 'cn-north-1', ['--region', 'cn-northwest-1']],
    ['aws-us-gov', 'us-gov-east-1', 'us-gov-west-1', ['--region', 'us-gov-east-1']],
    ['aws-eusc', 'eusc-de-east-1', 'eusc-de-east-1', ['--region', 'eusc-de-east-1']],
  ])('init and login of %s sign for %s (IAM: %s)', async (partition, sts, iam, options) => {
    const user = aws.createUser({ name: 'li', partition });
    const device = aws.addMfaDevice(user);
    home = newHome(user);
    expect(await run(home, ['init', ...options])).toMatchObject({ exitCode: 0 });
    expect(written()['mfa_serial']).toBe(`arn:${partition}:iam::123456789012:mfa/li`);
    expect(regionsOf('GetCallerIdentity')).toEqual([sts]);
    // With a custom endpoint the SDK takes the region of the client, AWS's own endpoints of IAM have one of their own.
    expect([[sts], [iam]]).toContainEqual(regionsOf('ListMFADevices'));

    // From now on the partition is known by the serial number.
    const login = await run(home, ['login', '--token-code', device.code()]);
    expect(login).toMatchObject({ exitCode: 0 });
    expect(partitionOfRegion(regionsOf('GetSessionToken')[0] ?? '')).toBe(partition);
    expect(sectionOf(home, 'default-sts')['region']).toBeUndefined();
  });

  test("the profile's region decides, and AWS_REGION does not", async () => {
    aws.addMfaDevice(jane);
    fs.writeFileSync(home.config, '[default]\nregion = eu-central-1\n');
    await run(home, ['init'], { env: { AWS_REGION: 'us-west-2', AWS_DEFAULT_REGION: 'us-west-2' } });
    expect(regionsOf('GetCallerIdentity')).toEqual(['eu-central-1']);
  });

  test('a key that is not known says which region was tried', async () => {
    aws.setKeyStatus(jane.accessKeyId, 'Deleted');
    const { exitCode, stderr } = await run(home, ['init', '--region', 'eu-west-3']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/does not know the access key …\w{4} in eu-west-3 \(partition aws\)/);
  });
});

test('init uses the key of the profile, never AWS_* variables', async () => {
  aws.addMfaDevice(jane);
  const session = aws.mintSession(jane);
  const { exitCode } = await run(home, ['init'], {
    env: {
      AWS_ACCESS_KEY_ID: session.accessKeyId,
      AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
      AWS_SESSION_TOKEN: session.sessionToken,
    },
  });
  expect(exitCode).toBe(0);
  expect(new Set(aws.calls.map(({ accessKeyId }) => accessKeyId))).toEqual(new Set([jane.accessKeyId]));
});
