import { describe, expect, test, vi } from 'vitest';
import { askingOf } from './local-aws/asking.ts';
import { type ClientCredentials, type Outcome, sdkClient } from './local-aws/clients.ts';
import { aws, jane, useLocalAws } from './local-aws/scene.ts';
import { startLocalAws } from './local-aws/server.ts';

vi.setConfig({ testTimeout: 60_000 });

useLocalAws();

const { request, call } = askingOf(() => aws.url);

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
