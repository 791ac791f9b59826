import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sha256 } from '@aws-crypto/sha256-js';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
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
import { type LocalAws, startLocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { atSize } from './support/size.ts';

vi.setConfig({ testTimeout: 60_000 });

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

let aws: LocalAws;
let jane: UserHandle;
let device: DeviceHandle;

// The server's clock stands still, so that no 30-second step and no second ends within a test.
let now: number;

beforeAll(async () => {
  aws = await startLocalAws({ now: () => now });
});

beforeEach(() => {
  now = Date.now();
  aws.reset();
  jane = aws.createUser();
  device = aws.addMfaDevice(jane, { name: 'phone' });
});

afterAll(async () => {
  await aws.close();
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

describe('the wire', () => {
  const curl = curlClient(folder);

  test('an answer looks like AWS wrote it', async () => {
    const { text, value } = await call(curl, 'GetCallerIdentity', {}, jane);
    expect(text).toBe(`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>arn:aws:iam::123456789012:user/jane</Arn>
    <UserId>${value('UserId')}</UserId>
    <Account>123456789012</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata>
    <RequestId>${value('RequestId')}</RequestId>
  </ResponseMetadata>
</GetCallerIdentityResponse>
`);
    aws.removeMfaDevice(device.serialNumber);
    expect((await call(curl, 'ListMFADevices', {}, jane)).text).toContain('    <MFADevices/>\n');
  });

  test('an error looks like AWS wrote it', async () => {
    now = Date.UTC(2026, 6, 13, 12);
    aws.setClockOffset(-3600);
    const response = await post({ Action: 'GetCallerIdentity', Version: '2011-06-15' });
    const requestId = response.headers.get('x-amzn-requestid');
    expect(response.status).toBe(403);
    expect(response.headers.get('content-type')).toBe('text/xml');
    expect(response.headers.get('date')).toBe('Mon, 13 Jul 2026 11:00:00 GMT');
    expect(await response.text()).toBe(`<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error>
    <Type>Sender</Type>
    <Code>MissingAuthenticationToken</Code>
    <Message>Request is missing Authentication Token</Message>
  </Error>
  <RequestId>${requestId}</RequestId>
</ErrorResponse>
`);
  });

  test.each([
    [{ Action: 'Nope', Version: '2011-06-15' }, 'Could not find operation Nope for version 2011-06-15'],
    [{ Action: 'GetUser' }, 'Could not find operation GetUser for version NO_VERSION_SPECIFIED'],
    [{ Action: '', Version: '2010-05-08' }, 'Could not find operation  for version 2010-05-08'],
  ])('%j is no operation', async (form, message) => {
    const response = await post(form);
    const text = await response.text();
    expect(response.status).toBe(400);
    expect(text).toContain('<ErrorResponse xmlns="http://webservices.amazon.com/AWSFault/2005-15-09">');
    expect(text).toContain(`<Code>InvalidAction</Code>\n    <Message>${message}</Message>`);
  });

  test('a request without an action is sent away, another path is unknown, a huge body refused', async () => {
    const away = await post({ Version: '2011-06-15' });
    expect([away.status, away.headers.get('location'), await away.text()]).toEqual([
      302,
      'https://aws.amazon.com/iam',
      '',
    ]);
    const elsewhere = await fetch(`${aws.url}/elsewhere`);
    expect([elsewhere.status, await elsewhere.text()]).toEqual([404, '<UnknownOperationException/>']);
    const huge = await fetch(aws.url, { method: 'POST', body: 'x'.repeat(10_000_001) });
    expect([huge.status, await huge.text()]).toEqual([413, '']);
  });

  test.each([
    ['Basic amFuZQ==', 'IncompleteSignature', 400],
    ['AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature=0', 'IncompleteSignature', 400],
  ])('the authorization %s is malformed', async (Authorization, code, status) => {
    const headers = { Authorization, 'X-Amz-Date': '20260713T120000Z' };
    const response = await post({ Action: 'GetCallerIdentity', Version: '2011-06-15' }, headers);
    expect([response.status, await response.text()]).toEqual([
      status,
      expect.stringContaining(`<Code>${code}</Code>`),
    ]);
  });

  test.each([
    [
      { DurationSeconds: 899 },
      "Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
    ],
    [
      { DurationSeconds: 129_601 },
      "Value '129601' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 129600",
    ],
    [
      { TokenCode: '12345' },
      "Value '12345' at 'tokenCode' failed to satisfy constraint: Member must have length greater than or equal to 6",
    ],
    [
      { TokenCode: '1234567' },
      "Value '1234567' at 'tokenCode' failed to satisfy constraint: Member must have length less than or equal to 6",
    ],
    [
      { SerialNumber: 'short' },
      "Value 'short' at 'serialNumber' failed to satisfy constraint: Member must have length greater than or equal to 9",
    ],
  ])('%j is invalid', async (parameters, violation) => {
    expect(await call(curl, 'GetSessionToken', parameters, jane)).toMatchObject({
      code: 'ValidationError',
      message: `1 validation error detected: ${violation}`,
    });
  });

  test('several violations are told at once, a missing parameter is null, a bad integer is malformed', async () => {
    expect(await call(curl, 'AssumeRole', { DurationSeconds: 1 }, jane)).toMatchObject({
      message: expect.stringMatching(
        /^3 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null; /,
      ),
    });
    expect(await call(curl, 'GetSessionToken', { DurationSeconds: 900.5 }, jane)).toEqual(
      expect.objectContaining({ code: 'MalformedInput', message: undefined }),
    );
  });

  test('a scope is refused when its region is not one of those that were set, or its service is another', async () => {
    aws.setRegions({ sts: ['eu-central-1'] });
    const wrong = { ...request('GetCallerIdentity', {}, jane), region: 'us-east-1' };
    expect(await curl.call(wrong)).toMatchObject({
      code: 'SignatureDoesNotMatch',
      message: 'Credential should be scoped to a valid region. ',
    });
    expect(await curl.call({ ...wrong, region: 'eu-central-1' })).toMatchObject({ code: undefined });
    const credential = `${jane.accessKeyId}/20260713/us-east-1/iam/aws4_request`;
    const response = await post(
      { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      {
        Authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0`,
        'X-Amz-Date': '20260713T120000Z',
      },
    );
    expect(await response.text()).toContain(
      "<Message>Credential should be scoped to a valid region. Credential should be scoped to correct service: 'sts'. </Message>",
    );
  });
});

describe('signatures', () => {
  // The client's clock goes on while the server's stands still: each limit is tried from its safe side.
  test('a clock may be 899 s behind, not 901 s ahead', async () => {
    aws.setClockOffset(899);
    expect(await call(sdkClient(), 'GetCallerIdentity', {}, jane)).toMatchObject({ code: undefined });
    aws.setClockOffset(-901);
    expect(await call(sdkClient(), 'GetCallerIdentity', {}, jane)).toMatchObject({
      message: expect.stringContaining('not yet current'),
    });
  });

  test('a body that is not the one signed is refused, even when its digest is in a header', async () => {
    const signer = new SignatureV4({
      service: 'sts',
      region: 'eu-west-1',
      credentials: jane,
      sha256: Sha256,
    });
    const body = 'Action=GetCallerIdentity&Version=2011-06-15';
    const headers = { host: new URL(aws.url).host, 'content-type': 'application/x-www-form-urlencoded' };
    const unsigned = new HttpRequest({ method: 'POST', path: '/', headers, body });
    const { host: _, ...signed } = (await signer.sign(unsigned)).headers;
    const send = async (text: string): Promise<number> =>
      (await fetch(aws.url, { method: 'POST', headers: signed, body: text })).status;
    expect(signed).toHaveProperty('x-amz-content-sha256');
    expect([await send(body), await send(`${body}&Extra=1`)]).toEqual([200, 403]);
  });
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
    const lasts = async (who: ClientCredentials, parameters: ClientParameters): Promise<number> => {
      const outcome = await call(sdk, 'GetSessionToken', parameters, who);
      return Date.parse(valueOf(outcome, 'Expiration')) / 1000 - Math.floor(aws.now() / 1000);
    };
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

  test('a role demands its external id and honours its longest session', async () => {
    const { arn: RoleArn } = aws.createRole({
      name: 'partner',
      externalId: 'xyzzy',
      maxSessionDuration: 7200,
    });
    const parameters = { RoleArn, RoleSessionName: 'jane' };
    expect(await call(sdk, 'AssumeRole', parameters, jane)).toMatchObject({ code: 'AccessDenied' });
    const right = { ...parameters, ExternalId: 'xyzzy' };
    expect(await call(sdk, 'AssumeRole', { ...right, DurationSeconds: 7200 }, jane)).toMatchObject({
      code: undefined,
    });
    expect(await call(sdk, 'AssumeRole', { ...right, DurationSeconds: 7201 }, jane)).toMatchObject({
      message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    });
    expect(await call(sdk, 'AssumeRole', right, aws.createRootKey())).toMatchObject({
      message: 'Roles may not be assumed by root accounts.',
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

describe('propagation', () => {
  const sdk = sdkClient();
  const codes = async (operation: 'GetCallerIdentity' | 'GetUser', who: ClientCredentials, times: number) => {
    const seen = [];
    for (let time = 0; time < times; time += 1) seen.push((await call(sdk, operation, {}, who)).code ?? 'ok');
    return seen.join(' ').replaceAll('InvalidClientTokenId', 'unknown');
  };

  test('a new key flaps as told, in STS and IAM apart', async () => {
    aws.setPropagation({ created: { sts: { answers: [false, true, false] }, iam: { answers: [false] } } });
    const key = aws.addAccessKey(jane);
    expect(await codes('GetCallerIdentity', key, 5)).toBe('unknown ok unknown ok ok');
    expect(await codes('GetUser', key, 3)).toBe('unknown ok ok');
    expect(await codes('GetCallerIdentity', jane, 1)).toBe('ok');
  });

  test('a new key is unknown for as long as told', async () => {
    aws.setPropagation({ created: { sts: { seconds: 30 } }, listed: { seconds: 60 } });
    const key = aws.addAccessKey(jane);
    expect(await codes('GetCallerIdentity', key, 2)).toBe('unknown unknown');
    expect((await call(sdk, 'ListAccessKeys', {}, jane)).text).not.toContain(key.accessKeyId);
    aws.setClockOffset(61);
    expect(await codes('GetCallerIdentity', key, 2)).toBe('ok ok');
    expect((await call(sdk, 'ListAccessKeys', {}, jane)).text).toContain(key.accessKeyId);
  });

  test('a key works on for a while after it was deactivated or deleted', async () => {
    aws.setPropagation({ changed: { sts: { answers: [false, false] } } });
    aws.setKeyStatus(jane.accessKeyId, 'Inactive');
    expect(await codes('GetUser', jane, 1)).toBe('unknown');
    expect(await codes('GetCallerIdentity', jane, 3)).toBe('ok ok unknown');
    aws.setKeyStatus(jane.accessKeyId, 'Active');
    expect(await codes('GetCallerIdentity', jane, 3)).toBe('unknown unknown ok');
    aws.setKeyStatus(jane.accessKeyId, 'Deleted');
    expect(await codes('GetCallerIdentity', jane, 3)).toBe('ok ok unknown');
  });
});

describe('faults', () => {
  const sdk = sdkClient();
  const create = (): Promise<Outcome> => call(sdk, 'CreateAccessKey', {}, jane);

  test.each([
    ['InternalFailure', 'InternalFailure'],
    ['ServiceUnavailable', 'ServiceUnavailable'],
    ['Throttling', 'Throttling'],
    ['AccessDenied', 'AccessDenied'],
    ['InvalidClientTokenId', 'InvalidClientTokenId'],
    ['redirect', 'Unknown'],
  ] as const)('%s is answered once, before or after the action took effect', async (kind, code) => {
    aws.fault('CreateAccessKey', kind);
    expect(await create()).toMatchObject({ code });
    expect(aws.keys(jane)).toHaveLength(1);
    aws.fault('*', { kind, after: true });
    expect(await create()).toMatchObject({ code });
    expect(aws.keys(jane)).toHaveLength(2);
    expect(await call(sdk, 'ListAccessKeys', {}, jane)).toMatchObject({ code: undefined });
  });

  test.each(['drop', 'cut'] as const)('%s leaves the client without an answer', async (kind) => {
    aws.fault('CreateAccessKey', { kind, after: true });
    expect(await create()).toMatchObject({ code: expect.any(String), text: '' });
    expect(aws.keys(jane)).toHaveLength(2);
    expect(aws.calls.at(-1)).toMatchObject({ action: 'CreateAccessKey', status: 0 });
  });

  test.each(['html', 'empty'] as const)('%s is a 200 without what was asked for', async (kind) => {
    aws.fault('CreateAccessKey', kind);
    expect((await create()).value('AccessKeyId')).toBeUndefined();
    expect(aws.keys(jane)).toHaveLength(1);
  });

  test('hang accepts the request and never answers, until the server closes', async () => {
    const other = await startLocalAws();
    const bob = other.createUser({ name: 'bob' });
    other.fault('GetCallerIdentity', 'hang');
    const pending = sdk.call({ ...request('GetCallerIdentity', {}, bob), url: other.url });
    await other.untilCalled('GetCallerIdentity');
    await other.close();
    expect(await pending).toMatchObject({ code: expect.any(String) });
  });

  test('hold answers when it is released', async () => {
    aws.fault('CreateAccessKey', 'hold');
    const pending = create();
    await aws.untilHeld();
    expect(aws.keys(jane)).toHaveLength(1);
    aws.release();
    expect(await pending).toMatchObject({ code: undefined });
    expect(aws.keys(jane)).toHaveLength(2);
  });

  test('any error can be made, later and several times', async () => {
    const odd = { kind: 'error', status: 418, code: 'Teapot', message: 'short & stout' } as const;
    aws.fault('ListAccessKeys', odd, { skip: 1, times: 2 });
    const outcomes = [];
    for (let time = 0; time < 4; time += 1) outcomes.push(await call(sdk, 'ListAccessKeys', {}, jane));
    expect(outcomes.map(({ code }) => code)).toEqual([undefined, 'Teapot', 'Teapot', undefined]);
    expect(outcomes[1]).toMatchObject({ message: 'short & stout' });
  });
});

test('requests are counted with their key, caller, region and answer, and without secrets', async () => {
  await call(sdkClient(), 'GetCallerIdentity', {}, jane);
  const { accessKeyId, arn: caller } = jane;
  expect(aws.count()).toBe(1);
  expect(aws.count('GetSessionToken')).toBe(0);
  expect(aws.calls).toEqual([
    {
      action: 'GetCallerIdentity',
      service: 'sts',
      accessKeyId,
      caller,
      region: 'us-east-1',
      at: expect.any(Number),
      status: 200,
      code: undefined,
    },
  ]);
  expect(JSON.stringify(aws.calls)).not.toContain(jane.secretAccessKey);
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

test('the server can speak HTTPS', async () => {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request509 = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert];
  await execa('openssl', [...request509, '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1']);
  const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  const secure = await startLocalAws({ tls });
  const { stdout } = await execa('curl', ['--silent', '--cacert', cert, `${secure.url}/_local/count`]);
  expect([secure.url.slice(0, 8), stdout]).toEqual(['https://', '0']);
  await secure.close();
});

function named<Item>(name: string, items: readonly Item[]): [string, Item][] {
  return items.map((item, index) => [index === 0 ? name : `${name} (${index + 1})`, item]);
}

const { request, call } = askingOf(() => aws.url);

const post = (form: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(aws.url, { method: 'POST', body: new URLSearchParams(form), headers, redirect: 'manual' });
