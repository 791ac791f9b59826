import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Aws, connect } from '../src/aws/client.ts';
import { resolveConnection } from '../src/aws/connection.ts';
import { proxyFor } from '../src/aws/proxy.ts';
import { UserError } from '../src/errors.ts';
import { type LocalAws, startLocalAws } from './local-aws/server.ts';
import type { KeyPair, UserHandle } from './local-aws/world.ts';
import { type TestServer, startServer } from './support/http.ts';

vi.setConfig({ testTimeout: 60_000 });

let aws: LocalAws;
let jane: UserHandle;
const callers: Aws[] = [];

beforeAll(async () => {
  aws = await startLocalAws();
});

beforeEach(() => {
  aws.reset();
  jane = aws.createUser();
});

afterEach(async () => {
  await Promise.all(callers.splice(0).map((caller) => caller.close()));
});

afterAll(async () => {
  await aws.close();
});

const connectTo = (
  url: string,
  { accessKeyId, secretAccessKey, sessionToken }: KeyPair & { sessionToken?: string },
  hook = false,
): Aws => {
  const env = { AWS_ENDPOINT_URL: url };
  const profile = { name: 'default', settings: new Map<string, string>(), configBytes: undefined };
  const token = sessionToken === undefined ? {} : { sessionToken };
  const caller = connect(
    {
      credentials: { accessKeyId, secretAccessKey, ...token },
      region: 'eu-west-1',
      connection: resolveConnection(profile, env),
      hook,
    },
    { env, log: () => {} },
  );
  callers.push(caller);
  return caller;
};

const failureOf = async (work: Promise<unknown>): Promise<UserError> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('nothing failed');
};

const openSockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

describe('the connections of a caller', () => {
  test('are one for all calls that may be repeated, with each service', async () => {
    const before = aws.connectionCount();
    const caller = connectTo(aws.url, jane);
    for (let time = 0; time < 10; time += 1) await caller.getCallerIdentity();
    expect(aws.connectionCount() - before).toBe(1);
    for (let time = 0; time < 10; time += 1) await caller.listAccessKeys('jane');
    expect(aws.connectionCount() - before).toBe(2);
  });

  test('are new for what must be sent once', async () => {
    const device = aws.addMfaDevice(jane);
    const caller = connectTo(aws.url, jane);
    await Promise.all([caller.getCallerIdentity(), caller.listAccessKeys('jane')]);
    const before = aws.connectionCount();
    await caller.createAccessKey('jane');
    await caller.getSessionToken(device.serialNumber, device.code(), 900);
    expect(aws.connectionCount() - before).toBe(2);
  });

  test('that AWS has closed meanwhile are opened again', async () => {
    const sockets: (() => void)[] = [];
    const server = await startServer((request, response) => {
      sockets.push(() => request.socket.destroy());
      response.end(
        '<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a</Arn><UserId>u</UserId><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>',
      );
    });
    const caller = connectTo(server.url, jane);
    for (let time = 0; time < 5; time += 1) {
      expect(await caller.getCallerIdentity()).toEqual({ account: '1', arn: 'a', userId: 'u' });
      for (const destroy of sockets.splice(0)) destroy();
    }
    await server.close();
  });

  test('are opened again after close', async () => {
    const caller = connectTo(aws.url, jane);
    await caller.getCallerIdentity();
    await caller.close();
    const before = aws.connectionCount();
    expect(await caller.getCallerIdentity()).toMatchObject({ arn: jane.arn });
    expect(aws.connectionCount() - before).toBe(1);
  });

  test('keep no process alive while nothing is asked', async () => {
    const script = fileURLToPath(new URL('../build/local-aws/main.js', import.meta.url));
    const child = spawn(process.execPath, [script, '--with-stdin'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [line] = await once(createInterface(child.stdout), 'line');
    const url = /"url":"([^"]+)"/.exec(String(line))?.[1] ?? '';
    const before = openSockets();
    const failure = await failureOf(connectTo(url, jane).getCallerIdentity());
    expect(failure.failureCode).toBe('InvalidClientTokenId');
    expect(openSockets()).toBe(before);
    child.stdin.end();
    await once(child, 'close');
  });
});

describe('an answer that takes its time', () => {
  let server: TestServer;

  afterEach(() => server.close());

  test('is waited for longer than an idle connection is kept', async () => {
    server = await startServer((_request, response) => {
      setTimeout(
        () =>
          response.end(
            '<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a</Arn><UserId>u</UserId><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>',
          ),
        4500,
      );
    });
    expect(await connectTo(server.url, jane).getCallerIdentity()).toMatchObject({ arn: 'a' });
  });

  test('bit by bit is waited for as long as a request may take, and no longer', async () => {
    server = await startServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/xml' });
      const timer = setInterval(() => response.write('<'), 20);
      response.on('close', () => clearInterval(timer));
    });
    const failure = await failureOf(connectTo(server.url, jane, true).getCallerIdentity());
    expect(failure.message).toBe(`${server.url} did not answer: it took too long`);
    expect(failure.failureCode).toBe('no answer');
    expect(failure.hint).toBe(
      `try again when the network is better, or check AWS_ENDPOINT_URL=${server.url}`,
    );
  });
});

test('an endpoint without TLS is warned of once, however many callers use it', () => {
  const lines: string[] = [];
  const env = { AWS_ENDPOINT_URL: 'http://jane:s3cret@aws.example.com/x?key=s3cret' };
  const profile = { name: 'default', settings: new Map<string, string>(), configBytes: undefined };
  const caller = { credentials: jane, region: 'eu-west-1', connection: resolveConnection(profile, env) };
  for (let time = 0; time < 10; time += 1) connect(caller, { env, log: (line) => lines.push(line) });
  expect(lines).toEqual([
    'aws-iam-login: http://aws.example.com/x (AWS_ENDPOINT_URL) is not encrypted: whoever is on the way can read the session',
  ]);
});

test('the SDK asks no file of AWS what it is not told', async () => {
  const folder = fs.mkdtempSync(join(os.tmpdir(), 'aws-iam-login-aws-'));
  const config = join(folder, 'config');
  fs.writeFileSync(config, '[default]\nsdk_ua_app_id = from-the-file\n');
  vi.stubEnv('AWS_CONFIG_FILE', config);
  let agent: string | undefined;
  const server = await startServer(({ headers }, response) => {
    agent = headers['user-agent'];
    response.writeHead(403).end();
  });
  try {
    await failureOf(connectTo(server.url, jane).getCallerIdentity());
    expect(agent).toMatch(/^aws-sdk-js\//);
    expect(agent).not.toContain('from-the-file');
  } finally {
    await server.close();
    vi.unstubAllEnvs();
    fs.rmSync(folder, { recursive: true });
  }
});

// what stands for it in the bundle throws
test('neither STS nor IAM has the event streams of the SDK', () => {
  for (const name of ['client-sts', 'client-iam']) {
    const folder = join(import.meta.dirname, '..', 'node_modules', '@aws-sdk', name, 'dist-es');
    const texts = fs
      .readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.js'))
      .map((path) => fs.readFileSync(join(folder, path), 'utf8'));
    expect(texts.length).toBeGreaterThan(25);
    expect(texts.filter((text) => /event-?stream/i.test(text))).toEqual([]);
  }
});

describe('assumeRole', () => {
  const request = { sessionName: 'jane', durationSeconds: 3600 };

  test('gives a session of the role, signed by the MFA session, with its name and external id', async () => {
    const role = aws.createRole({ name: 'admin', requireMfa: true, externalId: 'xyzzy' });
    const caller = connectTo(aws.url, aws.mintSession(jane));
    const session = await caller.assumeRole({ ...request, roleArn: role.arn, externalId: 'xyzzy' });
    expect(session.expiration - Math.floor(aws.now() / 1000)).toBeGreaterThan(3590);
    expect(await connectTo(aws.url, session).getCallerIdentity()).toMatchObject({
      arn: 'arn:aws:sts::123456789012:assumed-role/admin/jane',
    });
    expect(aws.calls[0]).toMatchObject({ action: 'AssumeRole', roleArn: role.arn, region: 'eu-west-1' });
  });

  test.each([
    ['is not there', { name: 'other' }, 'arn:aws:iam::123456789012:role/admin', undefined],
    ['trusts somebody else', { name: 'admin', trusts: ['210987654321'] }, undefined, undefined],
    ['wants another external id', { name: 'admin', externalId: 'xyzzy' }, undefined, 'plugh'],
  ])(
    'names the three causes that AWS has one answer for: the role %s',
    async (_why, options, arn, externalId) => {
      const roleArn = arn ?? aws.createRole(options).arn;
      const failure = await failureOf(
        connectTo(aws.url, aws.mintSession(jane)).assumeRole({ ...request, roleArn, externalId }),
      );
      expect(failure.failureCode).toBe('AccessDenied');
      expect(failure.message).toBe(
        `could not assume ${roleArn}: its trust policy${externalId === undefined ? '' : ' (or its external id)'} does not let you, your own policy does not, or there is no role of that name (AWS does not say which)`,
      );
      expect(failure.hint).toMatch(/^check role_arn and external_id, /);
    },
  );

  test.each([
    [
      3601,
      43_200,
      'a role assumed with a session lasts an hour at most, not 3601 s',
      'set duration_seconds to 3600, or remove it',
    ],
    [
      7200,
      3600,
      '7200 s is longer than the role allows',
      'set a shorter duration_seconds, or have the MaxSessionDuration of the role raised',
    ],
  ])('tells which limit %i s are above', async (durationSeconds, maxSessionDuration, reason, hint) => {
    const { arn: roleArn } = aws.createRole({ name: 'admin', maxSessionDuration });
    const failure = await failureOf(
      connectTo(aws.url, aws.mintSession(jane)).assumeRole({ ...request, roleArn, durationSeconds }),
    );
    expect(failure.message).toBe(`could not assume ${roleArn}: ${reason}`);
    expect(failure.hint).toBe(hint);
  });

  test('tells what AWS finds wrong with an ARN, a session name, and a root key', async () => {
    const { arn: roleArn } = aws.createRole({ name: 'admin' });
    const caller = connectTo(aws.url, aws.mintSession(jane));
    const oddArn = await failureOf(caller.assumeRole({ ...request, roleArn: 'arn:aws:iam::1:role/admin' }));
    expect(oddArn.message).toMatch(
      /^could not assume arn:aws:iam::1:role\/admin: .*arn:aws:iam::1:role\/admin is invalid$/,
    );
    const oddName = await failureOf(caller.assumeRole({ ...request, roleArn, sessionName: 'two words' }));
    expect(oddName.message).toContain("at 'roleSessionName' failed to satisfy constraint");
    expect(oddName.hint).toContain('role_session_name');
    const root = await failureOf(connectTo(aws.url, aws.createRootKey()).assumeRole({ ...request, roleArn }));
    expect(root.message).toBe(`could not assume ${roleArn}: AWS gives no role to a root key`);
  });

  test('says what to do when the session has expired', async () => {
    const { arn: roleArn } = aws.createRole({ name: 'admin' });
    const expired = aws.mintSession(jane, { seconds: -1 });
    const failure = await failureOf(connectTo(aws.url, expired).assumeRole({ ...request, roleArn }));
    expect(failure).toMatchObject({
      failureCode: 'ExpiredToken',
      message: 'the session has expired',
      hint: 'run: aws-iam-login login',
    });
  });

  test('is sent again when AWS has trouble, and corrects the clock', async () => {
    const { arn: roleArn } = aws.createRole({ name: 'admin' });
    const session = aws.mintSession(jane, { seconds: 40_000 });
    aws.fault('AssumeRole', 'InternalFailure', { times: 2 });
    expect(await connectTo(aws.url, session).assumeRole({ ...request, roleArn })).toHaveProperty(
      'sessionToken',
    );
    aws.setClockOffset(1800);
    const caller = connectTo(aws.url, session);
    expect(await caller.assumeRole({ ...request, roleArn })).toHaveProperty('sessionToken');
    expect(await caller.getCallerIdentity()).toMatchObject({ arn: jane.arn });
  });

  test.each(['html', 'empty', 'redirect'] as const)('takes no %s for a session', async (kind) => {
    const { arn: roleArn } = aws.createRole({ name: 'admin' });
    aws.fault('AssumeRole', kind);
    const failure = await failureOf(
      connectTo(aws.url, aws.mintSession(jane)).assumeRole({ ...request, roleArn }),
    );
    expect(failure.failureCode).toBe('bad answer');
  });
});

const proxied = (url: string, noProxy: string): boolean =>
  proxyFor(new URL(url), { https_proxy: 'proxy:3128', http_proxy: 'proxy:3128', NO_PROXY: noProxy }) !==
  undefined;

describe('NO_PROXY', () => {
  test.each([
    ['', true],
    ['*', false],
    ['amazonaws.com', false],
    ['.amazonaws.com', false],
    ['*.amazonaws.com', false],
    ['AmazonAWS.com.', false],
    ['sts.eu-west-1.amazonaws.com', false],
    ['zonaws.com', true],
    ['ts.eu-west-1.amazonaws.com', true],
    ['example.com, amazonaws.com', false],
    ['example.com amazonaws.com', false],
    [' ,\t, amazonaws.com ,', false],
    ['amazonaws.com:443', false],
    ['amazonaws.com:80', true],
    ['10.0.0.0/8', true],
  ])('%j: sts.eu-west-1.amazonaws.com goes through the proxy: %j', (noProxy, expected) => {
    expect(proxied('https://sts.eu-west-1.amazonaws.com', noProxy)).toBe(expected);
  });

  test.each([
    ['http://10.1.2.3:8080', '10.0.0.0/8', false],
    ['http://10.1.2.3:8080', '10.0.0.0/8:8080', false],
    ['http://10.1.2.3:8080', '10.1.2.3', false],
    ['http://10.1.2.3:8080', '10.1.2.3:8081', true],
    ['http://11.1.2.3:8080', 'localhost, 10.0.0.0/8', true],
    ['http://10.1.2.3', '10.1.2.0/30', false],
    ['http://10.1.2.4', '10.1.2.0/30', true],
    ['http://10.1.2.3', '0.0.0.0/0', false],
    ['http://10.1.2.3', '10.1.2.0/33', true],
    ['http://10.1.2.3', '10.1.2.0/', true],
    ['http://10.1.2.3', '2.3', true],
    ['http://10.1.2.3', '::/0', true],
    ['http://[fd00::1]', 'fd00::/8', false],
    ['http://[fd00::1]:8080', '[fd00::1]:8080', false],
    ['http://[fd00::1]', '[fd00::1]', false],
    ['http://[fd00::1]', 'FD00:0::1', false],
    ['http://[fe80::1]', 'fd00::/8', true],
  ])('%s with %s goes through the proxy: %j', (url, noProxy, expected) => {
    expect(proxied(url, noProxy)).toBe(expected);
  });

  test.each([10, 1000, 10_000])('may have %i entries', (count) => {
    const ranges = Array.from({ length: count }, (_, index) => `11.${index >> 8}.${index % 256}.0/24`);
    expect(proxied('http://10.1.2.3', ranges.join(','))).toBe(true);
    expect(proxied('http://10.1.2.3', [...ranges, '10.0.0.0/8'].join(' '))).toBe(false);
  });
});

describe('the proxy variables', () => {
  const url = new URL('https://sts.eu-west-1.amazonaws.com');

  test.each([
    [{ https_proxy: 'a:1', HTTPS_PROXY: 'b:1', all_proxy: 'c:1' }, 'http://a:1/', 'https_proxy'],
    [{ HTTPS_PROXY: 'https://b:1', all_proxy: 'c:1' }, 'https://b:1/', 'HTTPS_PROXY'],
    [{ https_proxy: '', ALL_PROXY: ' c:1 ' }, 'http://c:1/', 'ALL_PROXY'],
  ])('%j: %s by %s', (env, proxy, variable) => {
    const found = proxyFor(url, env);
    expect([found?.url.href, found?.variable]).toEqual([proxy, variable]);
  });

  test('of the process are not read, only those passed in', () => {
    vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:9');
    expect(proxyFor(url, {})).toBeUndefined();
    expect(proxyFor(url, { http_proxy: 'a:1' })).toBeUndefined();
    vi.unstubAllEnvs();
  });

  test('may hold credentials, which leave the URL', () => {
    const found = proxyFor(url, { HTTPS_PROXY: 'http://jane:100%25%20a%@proxy:3128' });
    expect(found?.url.href).toBe('http://proxy:3128/');
    const text = Buffer.from(found?.authorization?.slice(6) ?? '', 'base64').toString();
    expect(text).toBe('jane:100%25%20a%');
  });

  test.each([
    'socks5://a:1',
    'http://',
    'http://jane:s3cret#x@a:1',
    'http://jane:12/s3cret@a:1',
    'http://a b',
  ])('that hold %s are refused without the value', (value) => {
    expect(() => proxyFor(url, { HTTPS_PROXY: value })).toThrow(/^HTTPS_PROXY names no http or https proxy$/);
  });
});
