import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sha256 } from '@aws-crypto/sha256-js';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';
import { execa } from 'execa';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { askingOf } from './local-aws/asking.ts';
import { curlClient, sdkClient } from './local-aws/clients.ts';
import { aws, device, jane, setNow, useLocalAws } from './local-aws/scene.ts';
import { startLocalAws } from './local-aws/server.ts';

vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'local-aws-wire-'));
for (const name of ['config', 'credentials']) writeFileSync(join(folder, name), '');

useLocalAws();

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const { request, call } = askingOf(() => aws.url);

const post = (form: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(aws.url, { method: 'POST', body: new URLSearchParams(form), headers, redirect: 'manual' });

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
    setNow(Date.UTC(2026, 6, 13, 12));
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
