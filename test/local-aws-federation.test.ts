import { beforeEach, expect, test } from 'vitest';
import { aws, jane, now, setNow, useLocalAws } from './local-aws/scene.ts';
import type { SessionHandle } from './local-aws/world.ts';

useLocalAws();

let roleArn: string;

beforeEach(() => {
  roleArn = aws.createRole({ name: 'admin', account: jane.account }).arn;
});

const form = (session: SessionHandle, more: Record<string, string> = {}): URLSearchParams =>
  new URLSearchParams({
    Action: 'getSigninToken',
    Session: JSON.stringify({
      sessionId: session.accessKeyId,
      sessionKey: session.secretAccessKey,
      sessionToken: session.sessionToken,
    }),
    ...more,
  });

const post = (body: URLSearchParams): Promise<Response> =>
  fetch(`${aws.url}/federation`, { method: 'POST', body, redirect: 'manual' });

const get = (query: URLSearchParams): Promise<Response> =>
  fetch(`${aws.url}/federation?${query.toString()}`, { redirect: 'manual' });

const tokenIn = async (answer: Response): Promise<string> => {
  const { SigninToken: token }: { SigninToken: string } = JSON.parse(await answer.text());
  return token;
};

const login = (token: string, destination = 'https://console.aws.amazon.com/s3/home'): Promise<Response> =>
  get(new URLSearchParams({ Action: 'login', Destination: destination, SigninToken: token }));

test('the session of a role or of a federated user gets a token, by POST and by GET', async () => {
  const sessions = [aws.mintRoleSession(roleArn), aws.mintFederatedSession(jane)];
  for (const session of sessions) {
    for (const send of [post, get]) {
      const answer = await send(form(session, { SessionType: 'json' }));
      expect(answer.status).toBe(200);
      expect((await login(await tokenIn(answer))).headers.get('location')).toBe(
        'https://console.aws.amazon.com/s3/home',
      );
    }
  }
});

test('the session of a user gets none, with MFA or without', async () => {
  for (const mfa of [true, false]) {
    const answer = await post(form(aws.mintSession(jane, { mfa })));
    expect([answer.status, answer.headers.get('content-type')]).toEqual([400, 'text/html']);
  }
});

test('a session that is over, is not whole, or whose role is gone gets none', async () => {
  const session = aws.mintRoleSession(roleArn);
  expect((await post(form({ ...session, sessionToken: 'x' }))).status).toBe(400);
  expect((await post(form({ ...session, secretAccessKey: 'x' }))).status).toBe(400);
  expect((await post(new URLSearchParams({ Action: 'getSigninToken', Session: '{' }))).status).toBe(400);
  aws.expireSession(session.accessKeyId);
  expect((await post(form(session))).status).toBe(400);
  const other = aws.mintRoleSession(roleArn);
  aws.deleteRole(roleArn);
  expect((await post(form(other))).status).toBe(400);
});

test('SessionDuration is for roles that were assumed with a long-term key, 900 to 43200 s', async () => {
  const session = aws.mintRoleSession(roleArn);
  const statuses = async (each: SessionHandle): Promise<number[]> => {
    const answers = ['899', '900', '43200', '43201', 'x'].map((duration) =>
      post(form(each, { SessionDuration: duration })),
    );
    return (await Promise.all(answers)).map(({ status }) => status);
  };
  expect(await statuses(session)).toEqual([400, 200, 200, 400, 400]);
  const chained = aws.mintRoleSession(roleArn, 'x', { chained: true });
  expect(await statuses(chained)).toEqual([400, 400, 400, 400, 400]);
  expect((await post(form(chained))).status).toBe(200);
  expect(await statuses(aws.mintFederatedSession(jane))).toEqual([400, 400, 400, 400, 400]);
});

test('a token lasts 15 minutes, and leads to pages of its console only', async () => {
  const token = await tokenIn(await post(form(aws.mintRoleSession(roleArn))));
  expect((await login(token, 'https://console.aws.amazon.com.example.com/')).status).toBe(400);
  expect((await login('x')).status).toBe(400);
  setNow(now + 899_000);
  expect((await login(token)).status).toBe(302);
  setNow(now + 1000);
  expect((await login(token)).status).toBe(400);
});
