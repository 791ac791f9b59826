import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type LocalAws, startLocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { type Certificate, makeAuthority, makeServerCertificate } from './support/certificates.ts';
import { type InspectingProxy, startInspectingProxy } from './support/inspecting-proxy.ts';
import { type Ended, type Home, makeHomeOf, run, runProcess, sectionOf, until } from './support/program.ts';
import type { TestServer } from './support/http.ts';

vi.setConfig({ testTimeout: 60_000 });

const folder = fs.mkdtempSync(join(os.tmpdir(), 'aws-iam-login-network-'));
const loopback = ['IP:127.0.0.1'];
const amazon = ['DNS:*.amazonaws.com', 'DNS:*.us-east-1.amazonaws.com', 'DNS:*.us-east-1.api.aws'];

let companyAuthority: Certificate;
let serverAuthority: Certificate;
let proxyCertificate: Certificate;
let plain: LocalAws;
let secure: LocalAws;

beforeAll(async () => {
  companyAuthority = makeAuthority(folder, 'company');
  serverAuthority = makeAuthority(folder, 'authority');
  proxyCertificate = makeServerCertificate(folder, 'proxy', [...loopback, ...amazon], companyAuthority);
  const tls = makeServerCertificate(folder, 'server', loopback, serverAuthority);
  [plain, secure] = await Promise.all([startLocalAws(), startLocalAws({ tls })]);
});

afterAll(async () => {
  await Promise.all([plain.close(), secure.close()]);
  fs.rmSync(folder, { recursive: true });
});

let aws: LocalAws;
let jane: UserHandle;
let phone: DeviceHandle;
let home: Home;
const opened: { close: () => Promise<void> }[] = [];

const useAws = (which: LocalAws): void => {
  aws = which;
  aws.reset();
  jane = aws.createUser();
  phone = aws.addMfaDevice(jane);
  home = makeHomeOf(aws, jane, phone.serialNumber);
};

beforeEach(() => {
  useAws(plain);
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
  home.remove();
});

const opening = async <Server extends { close: () => Promise<void> }>(
  server: Promise<Server>,
): Promise<Server> => {
  const running = await server;
  opened.push(running);
  return running;
};

type Variables = Record<string, string | undefined>;

const login = (env: Variables = {}, ...words: string[]): Promise<Ended> =>
  run(home, ['login', '--token-code', phone.code(), ...words], { env });

const hintOf = ({ stderr }: Ended): string => / {2}hint: (.*)\n/.exec(stderr)?.[1] ?? '';

const config = (text: string): void => fs.writeFileSync(home.config, text);

const forgedSession =
  '<Credentials><AccessKeyId>ASIAFORGED</AccessKeyId><SecretAccessKey>forged</SecretAccessKey><SessionToken>forged</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>';
const wrapped = (action: string, result: string): string =>
  `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${result}</${action}Result></${action}Response>`;

type Tunnel = TestServer & {
  /** How many connections are open. */
  readonly open: () => number;
};

/** A proxy that does as told with each connection once it has been asked for something. */
const startTunnel = async (act: (socket: net.Socket) => void): Promise<Tunnel> => {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.once('data', () => act(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert(address !== null && typeof address === 'object');
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return opening(
    Promise.resolve({ url: `http://127.0.0.1:${address.port}`, close, open: () => sockets.size }),
  );
};

describe('a proxy that inspects TLS', () => {
  const password = 'p@ss#w/rd';
  const credentials = `jane:${encodeURIComponent(password)}`;
  const basic = `Basic ${Buffer.from(`jane:${password}`).toString('base64')}`;
  let proxy: InspectingProxy;
  let through: Record<string, string>;

  beforeEach(async () => {
    useAws(secure);
    proxy = await opening(
      startInspectingProxy({
        certificate: proxyCertificate,
        upstream: aws.url,
        trusts: serverAuthority,
        demands: basic,
      }),
    );
    through = {
      HTTPS_PROXY: `http://${credentials}@${proxy.host}`,
      AWS_CA_BUNDLE: companyAuthority.path,
    };
  });

  const shownSecrets = (text: string): string[] =>
    [password, encodeURIComponent(password), basic.slice(6), 'p@ss', 'p%40ss'].filter((secret) =>
      text.includes(secret),
    );

  test('is passed with HTTPS_PROXY and AWS_CA_BUNDLE together, and reads the request', async () => {
    expect(await login(through)).toMatchObject({ exitCode: 0 });
    expect(proxy.asked).toEqual([new URL(aws.url).host]);
    expect(proxy.authorizations).toEqual([basic]);
    expect(proxy.read).toEqual([expect.stringContaining('Action=GetSessionToken')]);
    expect(sectionOf(home, 'default-sts')).toHaveProperty('aws_session_token');
  });

  test('is passed with the ca_bundle of the profile, and AWS_CA_BUNDLE goes before it', async () => {
    config(`[default]\nca_bundle = ${companyAuthority.path}\n[profile other]\nca_bundle = /nowhere\n`);
    expect(
      await login({ ...through, AWS_CA_BUNDLE: undefined, AWS_PROFILE: undefined }, 'default'),
    ).toMatchObject({ exitCode: 0 });
    phone.skipToNextStep();
    const wrong = await login({ ...through, AWS_CA_BUNDLE: serverAuthority.path });
    expect(wrong.stderr).toMatch(/^aws-iam-login: could not reach https:\/\/127\.0\.0\.1:\d+: /);
    expect(hintOf(wrong)).toContain(`the certificates in AWS_CA_BUNDLE=${serverAuthority.path}`);
  });

  test('is not trusted without its certificate, and the hint says where that belongs', async () => {
    const ended = await login({ ...through, AWS_CA_BUNDLE: undefined });
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^aws-iam-login: could not reach https:/);
    expect(hintOf(ended)).toContain(`the proxy ${proxy.host} (HTTPS_PROXY, NO_PROXY)`);
    expect(hintOf(ended)).toContain('AWS_CA_BUNDLE');
    expect(proxy.read).toEqual([]);
  });

  test('is not trusted because Node is told to trust everybody', async () => {
    const env = { ...through, AWS_CA_BUNDLE: undefined, NODE_TLS_REJECT_UNAUTHORIZED: '0' };
    const words = ['login', '--token-code', phone.code()];
    const ended = await runProcess(home, words, { env });
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(/^aws-iam-login: could not reach https:/m);
    const direct = await runProcess(home, words, { env: { ...env, HTTPS_PROXY: undefined } });
    expect(direct.exitCode).toBe(1);
    expect([proxy.read, aws.calls]).toEqual([[], []]);
  });

  test.each([
    ['it is not there', () => ({ HTTPS_PROXY: `http://${credentials}@127.0.0.1:9` }), 1],
    ['its password is wrong', () => ({ HTTPS_PROXY: `http://jane:${password.slice(4)}0@${proxy.host}` }), 1],
    ['its password is not encoded', () => ({ HTTPS_PROXY: `http://jane:${password}@${proxy.host}` }), 1],
    [
      'its password looks like a port',
      () => ({ HTTPS_PROXY: `http://jane:12#${password}@${proxy.host}` }),
      1,
    ],
    ['it speaks SOCKS', () => ({ HTTPS_PROXY: `socks5://${credentials}@${proxy.host}` }), 1],
    ['it does not trust AWS', () => ({ AWS_CA_BUNDLE: serverAuthority.path }), 1],
    ['all is well', () => ({}), 0],
  ] as const)('has its credentials in no message when %s', async (_when, change, exitCode) => {
    const env = { ...through, ...change(), DEBUG: '*' };
    // the libraries on the way look at DEBUG when they are loaded
    const ended = await runProcess(home, ['login', '--token-code', phone.code(), '--debug'], { env });
    expect(ended.exitCode).toBe(exitCode);
    expect(shownSecrets(`${ended.stdout}${ended.stderr}`)).toEqual([]);
    const failure = /^aws-iam-login: .*(?:HTTPS_PROXY|proxy|reach)/m;
    expect(failure.test(ended.stderr)).toBe(exitCode !== 0);
  });

  test('that refuses the password is named, and the code is good for another try', async () => {
    const code = phone.code();
    const words = ['login', '--token-code', code];
    const refused = await run(home, words, { env: { ...through, HTTPS_PROXY: `http://${proxy.host}` } });
    expect(refused.stderr).toMatch(
      `aws-iam-login: the proxy ${proxy.host} does not take the user name and password given to it\n`,
    );
    expect(hintOf(refused)).toMatch(/^check HTTPS_PROXY: /);
    expect(await run(home, words, { env: through })).toMatchObject({ exitCode: 0 });
  });

  test.each([
    ['201 Created', ''],
    ['204 No Content', ''],
    ['100 Continue', 'HTTP/1.1 200 OK\r\n'],
    ['302 Found', ''],
    ['403 Forbidden', ''],
    ['503 Service Unavailable', ''],
  ])(
    'that says %s instead of opening the way is named, and what it says is no answer of AWS',
    async (status, next) => {
      const forged = wrapped('GetSessionToken', forgedSession);
      const answer = `HTTP/1.1 ${status}\r\n${next === '' ? '' : `\r\n${next}`}content-type: text/xml\r\ncontent-length: ${forged.length}\r\n\r\n${forged}`;
      const liar = await startTunnel((socket) => socket.end(answer));
      const before = fs.readFileSync(home.credentials, 'utf8');
      const ended = await login({ ...through, HTTPS_PROXY: liar.url });
      expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
      expect(ended.stderr).toMatch(
        `aws-iam-login: the proxy opened no way to ${aws.url}: it answered ${status.slice(0, 3)}\n`,
      );
      expect(hintOf(ended)).toContain(`the proxy ${new URL(liar.url).host} (HTTPS_PROXY, NO_PROXY)`);
      expect(fs.readFileSync(home.credentials, 'utf8')).toBe(before);
      expect(await login(through)).toMatchObject({ exitCode: 0 });
    },
  );

  test('that is silent holds nobody up, and its connection is closed', async () => {
    const silent = await startTunnel(() => {});
    const ended = await login({ ...through, HTTPS_PROXY: silent.url });
    expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^aws-iam-login: could not reach https:/m);
    await until(() => silent.open() === 0);
  });

  test('that cannot be used is told before a code is remembered as spent', async () => {
    const words = ['login', '--token-code', phone.code()];
    const odd = await run(home, words, { env: { ...through, HTTPS_PROXY: 'http://a b c/' } });
    expect(odd.stderr).toMatch(/^aws-iam-login: HTTPS_PROXY names no http or https proxy\n {2}hint: /);
    expect(await run(home, words, { env: through })).toMatchObject({ exitCode: 0 });
  });

  test.each(['127.0.0.1', ' localhost , 127.0.0.0/8 ', 'example.com\t127.0.0.1', '*'])(
    'is left out for NO_PROXY=%s',
    async (noProxy) => {
      const env = { ...through, NO_PROXY: noProxy, AWS_CA_BUNDLE: serverAuthority.path };
      expect(await login(env)).toMatchObject({ exitCode: 0 });
      expect(proxy.asked).toEqual([]);
    },
  );

  test('is asked for an endpoint without TLS too', async () => {
    const inTheClear = await opening(
      startInspectingProxy({ certificate: proxyCertificate, upstream: plain.url, trusts: serverAuthority }),
    );
    home.remove();
    useAws(plain);
    const code = phone.code();
    const env = { http_proxy: `jane:secret@${inTheClear.host}`, DEBUG: '*' };
    const ended = await runProcess(home, ['login', '--token-code', code], { env });
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(inTheClear.asked).toEqual([`${plain.url}/`]);
    // the agents on the way would log what they send
    expect(ended.stderr).not.toMatch(new RegExp(`${code}|Authorization|proxy-agent`, 'i'));
  });
});

describe('FIPS and dual-stack', () => {
  let proxy: InspectingProxy;
  let toAmazon: Variables;

  beforeEach(async () => {
    useAws(secure);
    proxy = await opening(
      startInspectingProxy({
        certificate: proxyCertificate,
        upstream: aws.url,
        trusts: serverAuthority,
      }),
    );
    toAmazon = {
      HTTPS_PROXY: proxy.host,
      AWS_CA_BUNDLE: companyAuthority.path,
      AWS_ENDPOINT_URL: undefined,
    };
  });

  test.each([
    ['nothing', '', {}, 'sts.us-east-1.amazonaws.com'],
    ['use_fips_endpoint', 'use_fips_endpoint = true', {}, 'sts-fips.us-east-1.amazonaws.com'],
    ['use_dualstack_endpoint', 'use_dualstack_endpoint = true', {}, 'sts.us-east-1.api.aws'],
    ['both', 'use_fips_endpoint = true\nuse_dualstack_endpoint = True', {}, 'sts-fips.us-east-1.api.aws'],
    ['AWS_USE_FIPS_ENDPOINT', '', { AWS_USE_FIPS_ENDPOINT: 'true' }, 'sts-fips.us-east-1.amazonaws.com'],
    ['AWS_USE_DUALSTACK_ENDPOINT', '', { AWS_USE_DUALSTACK_ENDPOINT: 'TRUE' }, 'sts.us-east-1.api.aws'],
    [
      'a variable that says false',
      'use_fips_endpoint = true',
      { AWS_USE_FIPS_ENDPOINT: 'false' },
      'sts.us-east-1.amazonaws.com',
    ],
    [
      'an empty variable',
      'use_fips_endpoint = true',
      { AWS_USE_FIPS_ENDPOINT: '' },
      'sts-fips.us-east-1.amazonaws.com',
    ],
  ])('of the profile in hand count: %s', async (_name, lines, env, host) => {
    const other = `use_fips_endpoint = ${String(!lines.includes('fips'))}\nuse_dualstack_endpoint = ${String(!lines.includes('dualstack'))}`;
    config(`[default]\nregion = us-east-1\n${lines}\n[profile other]\n${other}\n`);
    const ended = await login({ ...toAmazon, ...env, AWS_PROFILE: 'other' }, 'default');
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(proxy.asked).toEqual([`${host}:443`]);
  });

  test('of the default profile do not count for another one', async () => {
    const section = fs.readFileSync(home.credentials, 'utf8').replace('[default]', '[work]');
    fs.writeFileSync(home.credentials, section);
    config('[default]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\n');
    expect(await login(toAmazon, 'work')).toMatchObject({ exitCode: 0 });
    expect(proxy.asked).toEqual(['sts.us-east-1.amazonaws.com:443']);
  });

  test('leave a configured endpoint as it is', async () => {
    config('[default]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\n');
    const env = { ...toAmazon, AWS_ENDPOINT_URL: aws.url };
    expect(await login(env)).toMatchObject({ exitCode: 0 });
    expect(proxy.asked).toEqual([new URL(aws.url).host]);
  });

  test('that are neither true nor false are refused', async () => {
    const ended = await login({ ...toAmazon, AWS_USE_FIPS_ENDPOINT: 'yes' });
    expect(ended.stderr).toMatch(
      /^aws-iam-login: AWS_USE_FIPS_ENDPOINT is neither true nor false: yes\n {2}hint: set AWS_USE_FIPS_ENDPOINT /,
    );
    expect(proxy.asked).toEqual([]);
  });

  test('are named when no connection is made', async () => {
    const env = { ...toAmazon, HTTPS_PROXY: '127.0.0.1:9', AWS_USE_FIPS_ENDPOINT: 'true' };
    const ended = await login(env);
    expect(ended.stderr).toContain('could not reach AWS STS in us-east-1: the connection was refused');
    expect(hintOf(ended)).toContain('AWS_USE_FIPS_ENDPOINT=true');
    expect(hintOf(ended)).toContain('the proxy 127.0.0.1:9 (HTTPS_PROXY, NO_PROXY)');
  });
});

describe('certificates', () => {
  test.each([
    ['AWS_CA_BUNDLE', () => '', { AWS_CA_BUNDLE: '/does/not/exist.pem' }, 'cannot be read'],
    ['ca_bundle of profile default', () => 'ca_bundle = /does/not/exist.pem', {}, 'cannot be read'],
    ['ca_bundle of profile default', () => `ca_bundle = ${home.config}`, {}, 'holds no certificate'],
  ])('that %s does not give are told before a code is spent', async (setting, line, env, reason) => {
    config(`[default]\n${line()}\n`);
    const words = ['login', '--token-code', phone.code()];
    const ended = await run(home, words, { env });
    expect(ended).toMatchObject({ exitCode: 1 });
    expect(ended.stderr).toMatch(new RegExp(`^aws-iam-login: ${setting} names [~/].*, which ${reason}`));
    expect(hintOf(ended)).toContain(setting);
    config('');
    expect(await run(home, words)).toMatchObject({ exitCode: 0 });
  });
});

describe('the endpoint setting in use', () => {
  const dead = 'http://127.0.0.1:9';

  test.each([
    ['AWS_ENDPOINT_URL', '', { AWS_ENDPOINT_URL: dead }, `AWS_ENDPOINT_URL=${dead}`],
    ['AWS_ENDPOINT_URL_STS', '', { AWS_ENDPOINT_URL_STS: dead }, `AWS_ENDPOINT_URL_STS=${dead}`],
    [
      'a services section',
      `services = local\n[services local]\nsts =\n  endpoint_url = ${dead}`,
      { AWS_ENDPOINT_URL: undefined },
      `the services section of profile default (${dead})`,
    ],
    [
      'endpoint_url',
      `endpoint_url = ${dead}`,
      { AWS_ENDPOINT_URL: undefined },
      `endpoint_url of profile default (${dead})`,
    ],
  ])('is named when no connection is made: %s', async (_name, lines, env, named) => {
    config(`[default]\n${lines}\n`);
    const ended = await login(env);
    expect(ended.stderr).toContain(`could not reach ${dead}: the connection was refused`);
    expect(hintOf(ended)).toBe(`check the network, ${named}`);
  });

  test('is shown without its user name and password', async () => {
    const ended = await login({ AWS_ENDPOINT_URL: 'http://jane:secret@127.0.0.1:9/x?key=secret' }, '--debug');
    expect(ended.stderr).toContain('could not reach http://127.0.0.1:9/x: ');
    expect(ended.stderr).not.toContain('secret@');
    expect(ended.stderr).not.toContain('key=secret');
  });

  test.each([
    ['http://sts.invalid', 1],
    ['http://127.0.0.1:9', 0],
    ['http://127.8.8.8:9', 0],
    ['http://localhost:9', 0],
    ['http://[::1]:9', 0],
    ['https://sts.invalid', 0],
  ])('%s is warned of %i times', async (url, times) => {
    const ended = await run(home, ['init', '--force'], { env: { AWS_ENDPOINT_URL: url } });
    const warnings = ended.stderr.match(
      /^aws-iam-login: http:\S* \(AWS_ENDPOINT_URL\) is not encrypted: .*$/gm,
    );
    expect(warnings ?? []).toHaveLength(times);
  });
});

describe('what the SDK reads by itself', () => {
  test.each([
    ['AWS_AUTH_SCHEME_PREFERENCE', { AWS_AUTH_SCHEME_PREFERENCE: 'sigv4a' }],
    ['AWS_BEARER_TOKEN_STS', { AWS_BEARER_TOKEN_STS: 'token' }],
    ['AWS_DISABLE_CLOCK_SKEW_CORRECTION', { AWS_DISABLE_CLOCK_SKEW_CORRECTION: 'true' }],
    ['AWS_MAX_ATTEMPTS and AWS_RETRY_MODE', { AWS_MAX_ATTEMPTS: '0', AWS_RETRY_MODE: 'none' }],
    ['AWS_REGION', { AWS_REGION: 'no region' }],
    ['another key', { AWS_ACCESS_KEY_ID: 'AKIAOTHER', AWS_SECRET_ACCESS_KEY: 'other' }],
  ])('changes nothing: %s', async (_name, env) => {
    aws.setClockOffset(1800);
    const words = ['init', '--force'];
    expect(await runProcess(home, words, { env })).toMatchObject({ exitCode: 0, stdout: '' });
  });

  test('leads to no metadata service', async () => {
    const [asked, metadata] = [[] as string[], http.createServer()];
    metadata.on('request', ({ url }, response) => {
      asked.push(url ?? '');
      response.end('eu-west-1');
    });
    await new Promise<void>((resolve) => metadata.listen(0, '127.0.0.1', resolve));
    const address = metadata.address();
    const port = typeof address === 'object' ? address?.port : '';
    config('[default]\ndefaults_mode = auto\n');
    const env = {
      AWS_DEFAULTS_MODE: 'auto',
      AWS_EC2_METADATA_DISABLED: undefined,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: `http://127.0.0.1:${port}`,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/key`,
    };
    const ended = await runProcess(home, ['login', '--token-code', phone.code()], { env });
    await new Promise((resolve) => metadata.close(resolve));
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(asked).toEqual([]);
  });
});
