import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type LocalAws, startLocalAws } from './local-aws/server.ts';
import type { DeviceHandle } from './local-aws/world.ts';
import { type TestServer, startServer } from './support/http.ts';
import { type Ended, type Home, makeHomeOf, run, runProcess, sectionOf } from './support/program.ts';

vi.setConfig({ testTimeout: 60_000 });

let aws: LocalAws;
let phone: DeviceHandle;
let home: Home;
const opened: TestServer[] = [];

beforeAll(async () => {
  aws = await startLocalAws();
});

beforeEach(() => {
  aws.reset();
  const jane = aws.createUser();
  phone = aws.addMfaDevice(jane);
  home = makeHomeOf(aws, jane, phone.serialNumber);
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((server) => server.close()));
  home.remove();
});

afterAll(async () => {
  await aws.close();
});

const opening = async (server: Promise<TestServer>): Promise<TestServer> => {
  const running = await server;
  opened.push(running);
  return running;
};

type Variables = Record<string, string | undefined>;

const login = (env: Variables = {}): Promise<Ended> =>
  run(home, ['login', '--token-code', phone.code()], { env });

const loginProcess = (env: Variables = {}): Promise<Ended> =>
  runProcess(home, ['login', '--token-code', phone.code()], { env });

const hintOf = ({ stderr }: Ended): string => / {2}hint: (.*)\n/.exec(stderr)?.[1] ?? '';

const measured = (env: Variables = {}): Variables => ({
  ...env,
  NODE_OPTIONS: `--require=${join(import.meta.dirname, 'support', 'report-memory.cjs')}`,
});
const memoryOf = ({ stderr }: Ended): number => Number(/^most memory: (\d+) MB$/m.exec(stderr)?.[1]);
const chunk = Buffer.alloc(65_536, 'x');

// Sends for as long as anybody reads.
const startEndless = (status: number, limit = Infinity): Promise<TestServer> =>
  startServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'text/xml' });
    let sent = 0;
    const send = (): void => {
      while (sent < limit && !response.destroyed && response.write(chunk)) sent += chunk.length;
      if (sent >= limit) response.end();
    };
    response.on('drain', send);
    send();
  });

const session = (field: 'AccessKeyId' | 'SecretAccessKey' | 'SessionToken', value: string): string => {
  const fields = {
    AccessKeyId: 'ASIAQNZGKIQY56JQ7WML',
    SecretAccessKey: 'S'.repeat(40),
    SessionToken: 'T'.repeat(300),
    Expiration: new Date(Date.now() + 3_600_000).toISOString(),
    [field]: value,
  };
  const xml = Object.entries(fields).map(([name, text]) => `<${name}>${text}</${name}>`);
  return `<GetSessionTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetSessionTokenResult><Credentials>${xml.join('')}</Credentials></GetSessionTokenResult></GetSessionTokenResponse>`;
};

const answering = (status: number, text: string): Promise<TestServer> =>
  opening(
    startServer((_request, response) => {
      response.writeHead(status, { 'content-type': 'text/xml' }).end(text);
    }),
  );

const device = (name: string): string =>
  `<member><UserName>jane</UserName><SerialNumber>arn:aws:iam::123456789012:mfa/${name}</SerialNumber><EnableDate>2026-01-01T00:00:00Z</EnableDate></member>`;
const wrap = (action: string, result: string): string =>
  `<${action}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><${action}Result>${result}</${action}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></${action}Response>`;
const identity = `<Arn>arn:aws:iam::123456789012:user/jane</Arn><UserId>AIDA</UserId><Account>123456789012</Account>`;

// Counts the pages, whose content a test makes from their number.
const listing = async (page: (number: number) => string): Promise<{ url: string; pages: () => number }> => {
  let pages = 0;
  const server = await opening(
    startServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        if (!body.includes('ListMFADevices')) {
          response.end(wrap('GetCallerIdentity', identity));
          return;
        }
        pages += 1;
        // an endless list may not make an endless test
        if (pages > 2000) response.destroy();
        else response.end(wrap('ListMFADevices', page(pages)));
      });
    }),
  );
  return { url: server.url, pages: () => pages };
};
const more = (marker: string): string => `<IsTruncated>true</IsTruncated><Marker>${marker}</Marker>`;
const list = (devices: string): string => `<MFADevices>${devices}</MFADevices>`;

// A hundred pages, with the wanted device in the middle.
const hundredPages = (n: number): string =>
  `${list(n === 50 ? device('phone') : device(`d${n}`))}${n < 100 ? more(`m${n}`) : '<IsTruncated>false</IsTruncated>'}`;

describe('an answer that is none of AWS', () => {
  test.each([
    [200, Infinity],
    [403, Infinity],
    [200, 600_000_000],
  ])('is cut off while it arrives (status %i, %i bytes), in little memory', async (status, limit) => {
    const usual = memoryOf(await loginProcess(measured()));
    phone.skipToNextStep();
    const server = await opening(startEndless(status, limit));
    const ended = await loginProcess(measured({ AWS_ENDPOINT_URL: server.url }));
    expect(ended).toMatchObject({ exitCode: 1 });
    expect(ended.stderr).toContain(`${server.url} answered something that is no answer of AWS`);
    expect(hintOf(ended)).toContain(`AWS_ENDPOINT_URL=${server.url}`);
    expect(usual).toBeGreaterThan(10);
    expect(memoryOf(ended)).toBeLessThan(usual + 60);
  });

  test.each([
    ['SessionToken', 32_768, 0],
    ['SessionToken', 32_769, 1],
    ['SessionToken', 900_000, 1],
    ['SecretAccessKey', 257, 1],
    ['AccessKeyId', 129, 1],
  ] as const)('a %s of %i characters ends with exit code %i', async (field, length, exitCode) => {
    const server = await answering(200, session(field, 'A'.repeat(length)));
    const ended = await login({ AWS_ENDPOINT_URL: server.url });
    expect(ended).toMatchObject({ exitCode });
    expect(ended.stderr.includes('answered something that is no answer of AWS')).toBe(exitCode === 1);
    expect('aws_session_token' in sectionOf(home, 'default-sts')).toBe(exitCode === 0);
  });

  test.each([
    ['message', 'AccessDenied', 'x'.repeat(900_000), /refused: AccessDenied: x{500}…$/m],
    ['code', 'x'.repeat(900_000), 'no', /answered something that is no answer of AWS/],
  ])('an error with an endless %s stays a sentence', async (_name, code, message, shown) => {
    const error = `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`;
    const server = await answering(403, error);
    const ended = await login({ AWS_ENDPOINT_URL: server.url });
    expect(ended).toMatchObject({ exitCode: 1 });
    expect(ended.stderr).toMatch(shown);
    expect(ended.stderr.length).toBeLessThan(2000);
  });
});

test.each([
  'UserError',
  'session kept',
  'SessionKept',
  'token code rejected',
  'not sent',
  'TunnelRefused',
  'TimeoutError',
])('an error that calls itself %s, with a hint and an exit code, is none of ours', async (code) => {
  const own =
    '<exitCode>0</exitCode><hint>run: curl evil</hint><failureCode>session kept</failureCode><code>ECONNREFUSED</code><tunnelStatus>503</tunnelStatus>';
  const error = `<ErrorResponse><Error><Code>${code}</Code><Message>could not establish a connection, and all is well</Message>${own}</Error></ErrorResponse>`;
  const server = await answering(403, error);
  const words = ['login', '--token-code', phone.code()];
  const ended = await run(home, words, { env: { AWS_ENDPOINT_URL: server.url } });
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).not.toMatch(
    /^aws-iam-login: could not establish|curl evil|could not reach|was kept|opened no way|did not answer/m,
  );
  expect(ended.stderr).toMatch(/ refused: |no answer of AWS/);
  expect(await run(home, words)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('code') });
});

describe('pages', () => {
  test.each([
    ['the same page', () => `${list(device('a'))}${more('m')}`, 2],
    ['the same entries under new markers', (n: number) => `${list(device('a'))}${more(`m${n}`)}`, 2],
    ['two pages in turn', (n: number) => `${list(device(`d${n % 2}`))}${more(`m${n % 2}`)}`, 3],
    ['an empty page', () => `${list('')}${more('m')}`, 1],
    ['always something new', (n: number) => `${list(device(`d${n}`))}${more(`m${n}`)}`, 100],
  ])('that bring %s come to an end', async (_name, page, pages) => {
    const server = await listing(page);
    const ended = await run(home, ['init', '--force'], { env: { AWS_ENDPOINT_URL: server.url } });
    expect(ended).toMatchObject({ exitCode: 1 });
    expect(ended.stderr).toContain('answered something that is no answer of AWS');
    expect(server.pages()).toBe(pages);
  });

  test('are followed to the hundredth, not beyond', async () => {
    const server = await listing(hundredPages);
    const words = ['init', '--force', '--serial-number', 'arn:aws:iam::123456789012:mfa/phone'];
    const ended = await run(home, words, { env: { AWS_ENDPOINT_URL: server.url } });
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(server.pages()).toBe(100);
  });
});
