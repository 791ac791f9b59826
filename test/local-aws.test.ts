import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect, test } from 'vitest';
import {
  type Client,
  type ClientCredentials,
  type ClientParameters,
  type Outcome,
  botoClient,
  cliClient,
  curlClient,
  findPrograms,
  sdkClient,
} from './local-aws/clients.ts';
import { askingOf, credentialsOf, valueOf } from './local-aws/asking.ts';
import { accountOf } from './local-aws/identifiers.ts';
import { aws, device, jane, now, useLocalAws } from './local-aws/scene.ts';
import { startLocalAws } from './local-aws/server.ts';
import { atSize } from './support/size.ts';

const folder = mkdtempSync(join(tmpdir(), 'local-aws-test-'));
for (const name of ['config', 'credentials']) writeFileSync(join(folder, name), '');

const pythons = await Promise.all(findPrograms('python3').map((python) => botoClient(python, folder)));
const botos = pythons.filter((client) => client !== undefined);
const commandLines = findPrograms('aws')
  .slice(0, atSize(1, Infinity))
  .map((program) => cliClient(program, folder));

const quickClients: [string, Client][] = [
  ['the JS SDK', sdkClient()],
  ['curl', curlClient(folder)],
  ...named('boto3', botos),
];
const clients: [string, Client][] = [...quickClients, ...named('AWS CLI', commandLines)];

useLocalAws();

afterAll(async () => {
  await Promise.all(clients.map(([, client]) => client.close()));
  rmSync(folder, { recursive: true });
});

test('boto3 and an AWS CLI are on this machine', () => {
  expect(botos).not.toEqual([]);
  expect(commandLines).not.toEqual([]);
});

describe.each(clients)('%s', { timeout: 60_000 }, (_name, client) => {
  test('is told who it is, and is refused with a wrong secret and an inactive key', async () => {
    const answered = await call(client, 'GetCallerIdentity', {}, jane);
    expect(answered).toMatchObject({ code: undefined });
    expect(answered.value('Arn')).toBe('arn:aws:iam::123456789012:user/jane');
    expect(answered.value('Account')).toBe('123456789012');

    const wrong = { ...jane, secretAccessKey: 'A'.repeat(40) };
    expect(await call(client, 'GetCallerIdentity', {}, wrong)).toMatchObject({
      code: 'SignatureDoesNotMatch',
    });
    aws.setKeyStatus(jane.accessKeyId, 'Inactive');
    expect(await call(client, 'GetCallerIdentity', {}, wrong)).toMatchObject({
      code: 'InvalidClientTokenId',
      message: 'The security token included in the request is invalid.',
    });
  });

  test('gets one session for one code, and is refused once that has expired', async () => {
    const { serialNumber: SerialNumber } = device;
    const TokenCode = device.code();
    const rejected = {
      code: 'AccessDenied',
      message: expect.stringContaining('invalid MFA one time pass code'),
    };
    expect(
      await call(client, 'GetSessionToken', { SerialNumber, TokenCode: device.wrongCode() }, jane),
    ).toMatchObject(rejected);
    const session = credentialsOf(
      await call(client, 'GetSessionToken', { SerialNumber, TokenCode, DurationSeconds: 900 }, jane),
    );
    expect(session.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    expect(await call(client, 'GetSessionToken', { SerialNumber, TokenCode }, jane)).toMatchObject(rejected);

    const devices = await call(client, 'ListMFADevices', {}, session);
    expect(devices.value('SerialNumber')).toBe(SerialNumber);
    aws.expireSession(session.accessKeyId);
    expect(await call(client, 'GetCallerIdentity', {}, session)).toMatchObject({
      code: 'ExpiredToken',
      message: 'The security token included in the request is expired',
    });
  });
});

describe.each(atSize(quickClients, clients))('%s', { timeout: 60_000 }, (_name, client) => {
  test('is refused when a session token is missing or belongs to another session', async () => {
    const session = aws.mintSession(jane);
    const { sessionToken } = aws.mintSession(jane);
    const invalid = { code: 'InvalidClientTokenId' };
    expect(
      await call(client, 'GetCallerIdentity', {}, { ...session, sessionToken: undefined }),
    ).toMatchObject(invalid);
    expect(await call(client, 'GetCallerIdentity', {}, { ...session, sessionToken })).toMatchObject(invalid);
  });

  test('is refused when its clock is more than 15 minutes off', async () => {
    aws.setClockOffset(1000);
    expect(await call(client, 'GetCallerIdentity', {}, jane)).toMatchObject({
      code: 'SignatureDoesNotMatch',
      message: expect.stringMatching(
        /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 15 min\.\)$/,
      ),
    });
    aws.setClockOffset(-1000);
    expect(await call(client, 'GetCallerIdentity', {}, jane)).toMatchObject({
      code: 'SignatureDoesNotMatch',
      message: expect.stringMatching(
        /^Signature not yet current: \d{8}T\d{6}Z is still later than \d{8}T\d{6}Z \(\d{8}T\d{6}Z \+ 15 min\.\)$/,
      ),
    });
  });
});

describe.each(quickClients)('%s', { timeout: 30_000 }, (_name, client) => {
  test('makes, deactivates and deletes keys, two at most', async () => {
    const UserName = 'jane';
    const made = await call(client, 'CreateAccessKey', { UserName }, jane);
    const fresh = {
      accessKeyId: valueOf(made, 'AccessKeyId'),
      secretAccessKey: valueOf(made, 'SecretAccessKey'),
    };
    expect(await call(client, 'GetCallerIdentity', {}, fresh)).toMatchObject({ code: undefined });

    const old = { UserName, AccessKeyId: jane.accessKeyId };
    const deactivated = await call(client, 'UpdateAccessKey', { ...old, Status: 'Inactive' }, fresh);
    expect(deactivated).toMatchObject({ code: undefined });
    expect(await call(client, 'CreateAccessKey', { UserName }, fresh)).toMatchObject({
      code: expect.stringMatching(/^LimitExceeded/),
      message: 'Cannot exceed quota for AccessKeysPerUser: 2',
    });
    expect((await call(client, 'ListAccessKeys', { UserName }, fresh)).text).toContain('Inactive');
    const lastUsed = await call(client, 'GetAccessKeyLastUsed', { AccessKeyId: jane.accessKeyId }, fresh);
    expect(lastUsed.value('ServiceName')).toBe('iam');

    expect(await call(client, 'DeleteAccessKey', old, fresh)).toMatchObject({ code: undefined });
    expect(await call(client, 'DeleteAccessKey', old, fresh)).toMatchObject({
      code: expect.stringMatching(/^NoSuchEntity/),
      message: `The Access Key with id ${jane.accessKeyId} cannot be found.`,
    });
    expect(aws.keys(jane)).toEqual([{ accessKeyId: fresh.accessKeyId, status: 'Active' }]);
  });

  test('assumes a role that demands MFA with a session that has it, for an hour at most', async () => {
    const role = aws.createRole({
      name: 'admin',
      path: '/team/',
      requireMfa: true,
      maxSessionDuration: 43_200,
    });
    const parameters = { RoleArn: role.arn, RoleSessionName: 'jane' };
    const assumed = await call(client, 'AssumeRole', parameters, aws.mintSession(jane));
    expect(assumed.value('Arn')).toBe('arn:aws:sts::123456789012:assumed-role/admin/jane');
    const inRole = await call(client, 'GetCallerIdentity', {}, credentialsOf(assumed));
    expect(inRole.value('UserId')).toBe(assumed.value('AssumedRoleId'));

    const long = { ...parameters, DurationSeconds: 3601 };
    expect(await call(client, 'AssumeRole', long, aws.mintSession(jane))).toMatchObject({
      code: expect.stringMatching(/^ValidationError/),
      message: expect.stringContaining('role chaining'),
    });
    expect(await call(client, 'AssumeRole', parameters, jane)).toMatchObject({
      code: 'AccessDenied',
      message: `User: ${jane.arn} is not authorized to perform: sts:AssumeRole on resource: ${role.arn}`,
    });
    const code = { SerialNumber: device.serialNumber, TokenCode: device.code() };
    expect(await call(client, 'AssumeRole', { ...long, ...code }, jane)).toMatchObject({ code: undefined });
  });

  test('follows pages of MFA devices', async () => {
    aws.addMfaDevice(jane, { kind: 'hardware' });
    aws.addMfaDevice(jane, { kind: 'u2f' });
    aws.setPageSize(2);
    const first = await call(client, 'ListMFADevices', { UserName: 'jane' }, jane);
    expect(first.value('IsTruncated')?.toLowerCase()).toBe('true');
    const next = await call(client, 'ListMFADevices', { Marker: valueOf(first, 'Marker') }, jane);
    expect(next.value('IsTruncated')?.toLowerCase()).toBe('false');
    expect(next.value('SerialNumber')).toMatch(/^arn:aws:iam::123456789012:u2f\/user\/jane\/jane-\w{26}$/);
  });

  test('is told what is wrong with a token code of five digits and a letter', async () => {
    const parameters = { SerialNumber: device.serialNumber, TokenCode: '12345x' };
    expect(await call(client, 'GetSessionToken', parameters, jane)).toMatchObject({
      code: expect.stringMatching(/^ValidationError/),
      message: String.raw`1 validation error detected: Value '12345x' at 'tokenCode' failed to satisfy constraint: Member must satisfy regular expression pattern: [\d]*`,
    });
  });
});

test('a URL presigned by boto3 is good until somebody changes it', async () => {
  const [boto] = botos;
  const url = await boto?.presign(request('GetCallerIdentity', {}, aws.mintSession(jane)));
  const answered = await fetch(url ?? '');
  expect(await answered.text()).toContain(jane.arn);
  const changed = await fetch(`${url ?? ''}&Extra=1`);
  expect([changed.status, await changed.text()]).toEqual([
    403,
    expect.stringContaining('<Code>SignatureDoesNotMatch</Code>'),
  ]);
});

test('a URL presigned by boto3 is no good without the time that it is good for', async () => {
  const [boto] = botos;
  const url = (await boto?.presign(request('GetCallerIdentity', {}, jane), 900)) ?? '';
  expect((await fetch(url)).status).toBe(200);
  for (const other of ['', '&X-Amz-Expires=', '&X-Amz-Expires=901']) {
    const changed = await fetch(url.replace('&X-Amz-Expires=900', other));
    expect([other, changed.status, await changed.text()]).toEqual([
      other,
      403,
      expect.stringContaining('<Code>SignatureDoesNotMatch</Code>'),
    ]);
  }
});

test('a presigned URL that lacks more is told what', async () => {
  const response = await fetch(
    `${aws.url}/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Signature=0&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20260713T120000Z`,
  );
  expect([response.status, await response.text()]).toEqual([
    400,
    expect.stringContaining(
      "<Message>AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine the query-string parameters.</Message>",
    ),
  ]);
});

test('oathtool computes the code that the device shows', async () => {
  const { seed, code } = device;
  const options = ['--totp', '--base32', `--now=@${Math.floor(now / 1000)}`, '-'];
  const { stdout } = await execa('oathtool', options, { input: `${seed}\n` });
  expect(stdout).toBe(code());
});

test('an access key id holds the account, as in a key that was published', () => {
  expect(accountOf('ASIAQNZGKIQY56JQ7WML')).toBe('029608264753');
  expect(accountOf(aws.createUser({ name: 'bob', account: '000000000042' }).accessKeyId)).toBe(
    '000000000042',
  );
});

describe('MFA', () => {
  const sdk = sdkClient();
  const getSession = (parameters: ClientParameters, who: ClientCredentials = jane): Promise<Outcome> =>
    call(sdk, 'GetSessionToken', parameters, who);

  test('serial number and code go together, and the serial number must be a code-giving device of the user', async () => {
    const both =
      'MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.';
    const serial =
      'MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.';
    const bob = aws.createUser({ name: 'bob' });
    const key = aws.addMfaDevice(bob, { kind: 'u2f' });
    const TokenCode = device.code();
    expect(await getSession({ TokenCode })).toMatchObject({ message: both });
    expect(await getSession({ SerialNumber: device.serialNumber })).toMatchObject({ message: both });
    expect(await getSession({ SerialNumber: device.serialNumber, TokenCode }, bob)).toMatchObject({
      message: serial,
    });
    expect(await getSession({ SerialNumber: key.serialNumber, TokenCode }, bob)).toMatchObject({
      message: serial,
    });
  });

  test('codes of the steps before and after are accepted, in order; older ones never', async () => {
    const { serialNumber: SerialNumber } = device;
    const codes = [-2, -1, 0, 1, 2].map((steps) => device.codeAt(steps));
    const outcomes = [];
    for (const TokenCode of codes.toSpliced(2, 1))
      outcomes.push(await getSession({ SerialNumber, TokenCode }));
    expect(outcomes.map(({ code }) => code)).toEqual(['AccessDenied', undefined, undefined, 'AccessDenied']);
    expect(await getSession({ SerialNumber, TokenCode: codes[2] ?? '' })).toMatchObject({
      code: 'AccessDenied',
    });
  });

  test('a device always has another code', async () => {
    const { serialNumber: SerialNumber } = device;
    for (const round of [1, 2, 3, 4]) {
      const TokenCode = device.code();
      expect([round, (await getSession({ SerialNumber, TokenCode })).code]).toEqual([round, undefined]);
    }
  });

  test('the code of GetSessionToken cannot be used again for AssumeRole', async () => {
    const code = { SerialNumber: device.serialNumber, TokenCode: device.code() };
    const { arn: RoleArn } = aws.createRole({ name: 'admin' });
    await getSession(code);
    const assume = { RoleArn, RoleSessionName: 'jane', ...code };
    expect(await call(sdk, 'AssumeRole', assume, jane)).toMatchObject({ code: 'AccessDenied' });
  });

  test('a policy denies everything without MFA but who one is and what it excepts', async () => {
    aws.denyWithoutMfa(jane, ['iam:ListMFADevices']);
    const session = aws.mintSession(jane);
    const outcomes = [
      await call(sdk, 'GetCallerIdentity', {}, jane),
      await call(sdk, 'ListMFADevices', {}, jane),
      await call(sdk, 'ListAccessKeys', {}, session),
    ];
    expect(outcomes.map(({ code }) => code)).toEqual([undefined, undefined, undefined]);
    expect(await call(sdk, 'ListAccessKeys', {}, jane)).toMatchObject({
      code: 'AccessDenied',
      message: `User: ${jane.arn} is not authorized to perform: iam:ListAccessKeys on resource: user jane with an explicit deny in an identity-based policy`,
    });
  });

  test('IAM does not know a session without MFA', async () => {
    const session = aws.mintSession(jane, { mfa: false });
    expect(await call(sdk, 'GetUser', {}, session)).toMatchObject({ code: 'InvalidClientTokenId' });
    expect(await call(sdk, 'GetCallerIdentity', {}, session)).toMatchObject({ code: undefined });
    expect(await getSession({}, session)).toMatchObject({
      code: 'AccessDenied',
      message: 'Cannot call GetSessionToken with session credentials',
    });
  });

  test('a user has eight devices at most', () => {
    for (let count = 2; count <= 8; count += 1) aws.addMfaDevice(jane, { name: `phone-${count}` });
    expect(() => aws.addMfaDevice(jane, { name: 'phone-9' })).toThrow('eight');
  });
});

// Seconds that a new session lasts.
const lasts = async (who: ClientCredentials, parameters: ClientParameters): Promise<number> => {
  const outcome = await call(sdkClient(), 'GetSessionToken', parameters, who);
  return Date.parse(valueOf(outcome, 'Expiration')) / 1000 - Math.floor(aws.now() / 1000);
};

describe('identities', () => {
  const sdk = sdkClient();

  test('users have paths, accounts and partitions', async () => {
    const li = aws.createUser({ name: 'li', path: '/team/', account: '210987654321', partition: 'aws-cn' });
    const answered = await call(sdk, 'GetUser', {}, li);
    expect(answered.value('Arn')).toBe('arn:aws-cn:iam::210987654321:user/team/li');
    expect(answered.value('Path')).toBe('/team/');
    expect(aws.addMfaDevice(li).serialNumber).toBe('arn:aws-cn:iam::210987654321:mfa/li');
  });

  test('root, role and federated credentials say who they are', async () => {
    const { arn } = aws.createRole({ name: 'reader', trusts: [jane.arn] });
    const root = await call(sdk, 'GetCallerIdentity', {}, aws.createRootKey());
    expect([root.value('Arn'), root.value('UserId')]).toEqual([
      'arn:aws:iam::123456789012:root',
      '123456789012',
    ]);
    const role = await call(sdk, 'GetCallerIdentity', {}, aws.mintRoleSession(arn));
    expect(role.value('Arn')).toBe('arn:aws:sts::123456789012:assumed-role/reader/test');
    const federated = await call(sdk, 'GetCallerIdentity', {}, aws.mintFederatedSession(jane));
    expect(federated.value('Arn')).toBe('arn:aws:sts::123456789012:federated-user/guest');
  });

  test('a session lasts 12 h unless told otherwise, one of root an hour at most', async () => {
    expect(await lasts(jane, {})).toBe(43_200);
    expect(await lasts(jane, { DurationSeconds: 129_600 })).toBe(129_600);
    expect(await lasts(aws.createRootKey(), { DurationSeconds: 7200 })).toBe(3600);
  });

  test('the account of a key can be asked for, but not by a session of GetSessionToken', async () => {
    const { accessKeyId: AccessKeyId } = aws.createUser({ name: 'bob', account: '210987654321' });
    const info = await call(sdk, 'GetAccessKeyInfo', { AccessKeyId }, jane);
    expect(info.value('Account')).toBe('210987654321');
    expect(await call(sdk, 'GetAccessKeyInfo', { AccessKeyId }, aws.mintSession(jane))).toMatchObject({
      code: 'AccessDenied',
    });
  });

  test('a role must name the user it asks IAM about', async () => {
    const session = aws.mintRoleSession(aws.createRole({ name: 'reader' }).arn);
    expect(await call(sdk, 'ListMFADevices', {}, session)).toMatchObject({
      code: 'ValidationError',
      message: 'Must specify userName when calling with non-User credentials',
    });
    expect(await call(sdk, 'ListMFADevices', { UserName: 'jane' }, session)).toMatchObject({
      code: undefined,
    });
  });

  test('an admin does not see the users of another account', async () => {
    const admin = aws.createUser({ name: 'admin', account: '210987654321', admin: true });
    expect(await call(sdk, 'GetUser', { UserName: 'jane' }, admin)).toMatchObject({ code: 'NoSuchEntity' });
  });

  test('a long-term key does not go with a session token', async () => {
    const { sessionToken } = aws.mintSession(jane);
    expect(await call(sdk, 'GetCallerIdentity', {}, { ...jane, sessionToken })).toMatchObject({
      code: 'InvalidClientTokenId',
    });
  });

  test('only an admin sees other users, and that one is missing', async () => {
    const admin = aws.createUser({ name: 'admin', admin: true });
    expect(await call(sdk, 'GetUser', { UserName: 'JANE' }, admin)).toMatchObject({ code: undefined });
    expect(await call(sdk, 'GetUser', { UserName: 'nobody' }, admin)).toMatchObject({
      code: 'NoSuchEntity',
      message: 'The user with name nobody cannot be found.',
    });
    expect(await call(sdk, 'GetUser', { UserName: 'admin' }, jane)).toMatchObject({
      code: 'AccessDenied',
      message: expect.stringContaining('because no identity-based policy allows the iam:GetUser action'),
    });
  });

  test('the sessions of a deleted user and role are unknown, those of a deleted key live on', async () => {
    const { arn } = aws.createRole({ name: 'reader' });
    const ofUser = aws.mintSession(jane);
    const ofRole = aws.mintRoleSession(arn);
    aws.setKeyStatus(jane.accessKeyId, 'Deleted');
    expect(await call(sdk, 'GetCallerIdentity', {}, ofUser)).toMatchObject({ code: undefined });
    aws.deleteUser(jane);
    aws.deleteRole(arn);
    expect(await call(sdk, 'GetCallerIdentity', {}, ofUser)).toMatchObject({ code: 'InvalidClientTokenId' });
    expect(await call(sdk, 'GetCallerIdentity', {}, ofRole)).toMatchObject({ code: 'InvalidClientTokenId' });
  });
});

test('the services can be below a path', async () => {
  const below = await startLocalAws({ basePath: '/aws' });
  const bob = below.createUser({ name: 'bob' });
  for (const [, client] of quickClients) {
    const outcome = await client.call({ ...request('GetCallerIdentity', {}, bob), url: below.url });
    expect(outcome.value('Arn')).toBe(bob.arn);
  }
  await below.close();
});

function named<Item>(name: string, items: readonly Item[]): [string, Item][] {
  return items.map((item, index) => [index === 0 ? name : `${name} (${index + 1})`, item]);
}

const { request, call } = askingOf(() => aws.url);
