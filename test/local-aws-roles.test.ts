import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect, test } from 'vitest';
import { askingOf, credentialsOf, valueOf } from './local-aws/asking.ts';
import {
  type Client,
  type ClientCredentials,
  botoClient,
  cliClient,
  clientEnvironment,
  curlClient,
  findPrograms,
  sdkClient,
} from './local-aws/clients.ts';
import { aws, jane, now, setNow, useLocalAws } from './local-aws/scene.ts';
import { atSize } from './support/size.ts';

const folder = fs.mkdtempSync(join(os.tmpdir(), 'local-aws-roles-'));
for (const name of ['config', 'credentials']) fs.writeFileSync(join(folder, name), '');

const botos = await Promise.all(findPrograms('python3').map((python) => botoClient(python, folder)));
const clients: [string, Client][] = [
  ['the JS SDK', sdkClient()],
  ['curl', curlClient(folder)],
  ...botos.flatMap((client, index): [string, Client][] =>
    client === undefined ? [] : [[`boto3 (${index + 1})`, client]],
  ),
  ...findPrograms('aws')
    .slice(0, atSize(1, Infinity))
    .map((program, index): [string, Client] => [`AWS CLI (${index + 1})`, cliClient(program, folder)]),
];

useLocalAws();

afterAll(async () => {
  await Promise.all(clients.map(([, client]) => client.close()));
  fs.rmSync(folder, { recursive: true });
});

const { call } = askingOf(() => aws.url);

const denied = (caller: string, role: string) => ({
  code: 'AccessDenied',
  message: `User: ${caller} is not authorized to perform: sts:AssumeRole on resource: ${role}`,
});

const chaining =
  'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.';

test('boto3 and an AWS CLI are among the clients', () => {
  expect(clients.map(([name]) => name)).toEqual(
    expect.arrayContaining(['boto3 (1)', 'AWS CLI (1)', 'the JS SDK', 'curl']),
  );
});

describe.each(clients)('%s', (_name, client) => {
  test('goes from an MFA session through a role into one of another account, an hour at most', async () => {
    const hub = aws.createRole({ name: 'hub', requireMfa: true, maxSessionDuration: 43_200 });
    const far = aws.createRole({
      name: 'far',
      path: '/team/',
      account: '210987654321',
      trusts: [hub.arn],
      externalId: 'xyzzy',
      maxSessionDuration: 43_200,
    });
    const toHub = { RoleArn: hub.arn, RoleSessionName: 'jane' };
    const toFar = { RoleArn: far.arn, RoleSessionName: 'jane', ExternalId: 'xyzzy' };
    const withoutMfa = aws.mintSession(jane, { mfa: false });
    expect(await call(client, 'AssumeRole', toHub, withoutMfa)).toMatchObject(denied(jane.arn, hub.arn));
    const session = aws.mintSession(jane);
    expect(await call(client, 'AssumeRole', toFar, session)).toMatchObject(denied(jane.arn, far.arn));
    const inHub = credentialsOf(await call(client, 'AssumeRole', toHub, session));
    const hubArn = 'arn:aws:sts::123456789012:assumed-role/hub/jane';
    const { ExternalId: _, ...withoutId } = toFar;
    expect(await call(client, 'AssumeRole', withoutId, inHub)).toMatchObject(denied(hubArn, far.arn));
    const assumed = await call(client, 'AssumeRole', toFar, inHub);
    const inFar = await call(client, 'GetCallerIdentity', {}, credentialsOf(assumed));
    expect(inFar.value('Arn')).toBe('arn:aws:sts::210987654321:assumed-role/far/jane');
    expect(Date.parse(valueOf(assumed, 'Expiration')) / 1000).toBe(Math.floor(now / 1000) + 3600);
    for (const [parameters, who] of [
      [toHub, session],
      [toFar, inHub],
    ] as const) {
      const tooLong = await call(client, 'AssumeRole', { ...parameters, DurationSeconds: 3601 }, who);
      expect(tooLong).toMatchObject({
        code: expect.stringMatching(/^ValidationError/),
        message: chaining,
      });
    }
  });
});

describe('a trust policy', () => {
  const sdk = sdkClient();
  const assume = (RoleArn: string, who: ClientCredentials, RoleSessionName = 'jane') =>
    call(sdk, 'AssumeRole', { RoleArn, RoleSessionName }, who);

  test('may name everybody, an account, its root, a user, a role or a session of one', async () => {
    const reader = aws.createRole({ name: 'reader' });
    const inReader = aws.mintRoleSession(reader.arn, 'jane');
    const cases: [string, ClientCredentials][] = [
      ['*', jane],
      ['123456789012', jane],
      ['arn:aws:iam::123456789012:root', jane],
      [jane.arn, jane],
      [jane.arn, aws.mintSession(jane)],
      [reader.arn, inReader],
      [inReader.arn, inReader],
    ];
    for (const [index, [principal, who]] of cases.entries()) {
      const { arn } = aws.createRole({ name: `role${index}`, trusts: [principal] });
      expect([principal, (await assume(arn, who)).code]).toEqual([principal, undefined]);
    }
    const other = aws.createRole({ name: 'other', trusts: ['arn:aws:iam::123456789012:user/bob'] });
    expect(await assume(other.arn, jane)).toMatchObject(denied(jane.arn, other.arn));
  });

  test('of another partition trusts nobody here, whatever the account', async () => {
    const china = aws.createRole({ name: 'reader', partition: 'aws-cn', trusts: ['123456789012', '*'] });
    expect(await assume(china.arn, jane)).toMatchObject(denied(jane.arn, china.arn));
  });

  test('has the one answer of a role that is not there, and of a policy that denies', async () => {
    const missing = 'arn:aws:iam::123456789012:role/missing';
    expect(await assume(missing, jane)).toMatchObject(denied(jane.arn, missing));
    const { arn } = aws.createRole({ name: 'reader' });
    aws.deny(jane, 'sts:AssumeRole');
    expect(await assume(arn, jane)).toMatchObject(denied(jane.arn, arn));
    expect(await assume(arn.slice(0, 20), jane)).toMatchObject({
      message: 'arn:aws:iam::1234567 is invalid',
    });
  });

  test.each(['j', 'x'.repeat(65), 'two words', 'jane/doe'])(
    'is not looked at for the session name %s',
    async (sessionName) => {
      const { arn } = aws.createRole({ name: 'reader' });
      expect(await assume(arn, jane, sessionName)).toMatchObject({
        message: expect.stringMatching(
          /^1 validation error detected: Value '.*' at 'roleSessionName' failed to satisfy constraint: Member must /,
        ),
      });
    },
  );
});

test('a role session has no MFA, gets no session of GetSessionToken, and asks IAM only by name', async () => {
  const sdk = sdkClient();
  const { arn } = aws.createRole({ name: 'reader', allow: ['sts:AssumeRole'] });
  const strict = aws.createRole({ name: 'strict', trusts: [arn], requireMfa: true });
  const session = aws.mintRoleSession(arn, 'jane');
  const parameters = { RoleArn: strict.arn, RoleSessionName: 'jane' };
  expect(await call(sdk, 'AssumeRole', parameters, session)).toMatchObject(denied(session.arn, strict.arn));
  expect(await call(sdk, 'GetSessionToken', {}, session)).toMatchObject({
    message: 'Cannot call GetSessionToken with session credentials',
  });
  expect(await call(sdk, 'GetUser', { UserName: 'jane' }, session)).toMatchObject({ code: 'AccessDenied' });
});

test('a role demands its external id and honours its longest session', async () => {
  const { arn: RoleArn } = aws.createRole({
    name: 'partner',
    externalId: 'xyzzy',
    maxSessionDuration: 7200,
  });
  const parameters = { RoleArn, RoleSessionName: 'jane' };
  expect(await call(sdkClient(), 'AssumeRole', parameters, jane)).toMatchObject({ code: 'AccessDenied' });
  const right = { ...parameters, ExternalId: 'xyzzy' };
  expect(await call(sdkClient(), 'AssumeRole', { ...right, DurationSeconds: 7200 }, jane)).toMatchObject({
    code: undefined,
  });
  expect(await call(sdkClient(), 'AssumeRole', { ...right, DurationSeconds: 7201 }, jane)).toMatchObject({
    message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
  });
  expect(await call(sdkClient(), 'AssumeRole', right, aws.createRootKey())).toMatchObject({
    message: 'Roles may not be assumed by root accounts.',
  });
});

const lasts = (expiration: string): number => Date.parse(expiration) / 1000 - Math.floor(now / 1000);

test('sessions can be made short, and requests tell which role they were for', async () => {
  const sdk = sdkClient();
  const { arn: RoleArn } = aws.createRole({ name: 'reader' });
  aws.setLongestSession({ user: 60, role: 5 });
  const session = await call(sdk, 'GetSessionToken', { DurationSeconds: 43_200 }, jane);
  expect(lasts(valueOf(session, 'Expiration'))).toBe(60);
  const role = await call(
    sdk,
    'AssumeRole',
    { RoleArn, RoleSessionName: 'jane', DurationSeconds: 900 },
    credentialsOf(session),
  );
  expect(lasts(valueOf(role, 'Expiration'))).toBe(5);
  setNow(now + 5000);
  expect(await call(sdk, 'GetCallerIdentity', {}, credentialsOf(role))).toMatchObject({
    code: 'ExpiredToken',
  });
  expect(aws.calls.map(({ roleArn }) => roleArn)).toEqual([undefined, RoleArn, undefined]);
});

test('boto3 walks a chain of role profiles from a session by itself', async () => {
  const hub = aws.createRole({ name: 'hub', requireMfa: true });
  const far = aws.createRole({
    name: 'far',
    account: '210987654321',
    trusts: [hub.arn],
    externalId: 'xyzzy',
  });
  const session = aws.mintSession(jane);
  const home = fs.mkdtempSync(join(folder, 'home-'));
  fs.writeFileSync(
    join(home, 'credentials'),
    `[default-sts]\naws_access_key_id = ${session.accessKeyId}\naws_secret_access_key = ${session.secretAccessKey}\naws_session_token = ${session.sessionToken}\n`,
    { mode: 0o600 },
  );
  fs.writeFileSync(
    join(home, 'config'),
    `[profile hub]\nrole_arn = ${hub.arn}\nsource_profile = default-sts\n[profile far]\nrole_arn = ${far.arn}\nsource_profile = hub\nexternal_id = xyzzy\nrole_session_name = jane\n`,
  );
  const { stdout } = await execa(
    findPrograms('python3')[0] ?? 'python3',
    ['-c', 'import boto3; print(boto3.client("sts").get_caller_identity()["Arn"])'],
    {
      env: {
        ...clientEnvironment(home),
        AWS_PROFILE: 'far',
        AWS_ENDPOINT_URL: aws.url,
        AWS_DEFAULT_REGION: 'us-east-1',
      },
      extendEnv: false,
    },
  );
  expect(stdout).toBe('arn:aws:sts::210987654321:assumed-role/far/jane');
  expect(aws.calls.map(({ action, roleArn }) => [action, roleArn])).toEqual([
    ['AssumeRole', hub.arn],
    ['AssumeRole', far.arn],
    ['GetCallerIdentity', undefined],
  ]);
});
