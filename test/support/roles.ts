import fs from 'node:fs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Context } from '../../src/context.ts';
import { UserError } from '../../src/errors.ts';
import type { LiveSession } from '../../src/sessions/live-session.ts';
import { liveSession } from '../../src/sessions/login.ts';
import type { SessionOptions } from '../../src/sessions/login.ts';
import type { LocalAws } from '../local-aws/server.ts';
import type { DeviceHandle, UserHandle } from '../local-aws/world.ts';
import { useScene } from './fixture.ts';
import { type Home, sessionLines } from './program.ts';

// Roles of jane, for the suites that fetch their sessions in this process.

export let aws: LocalAws;
export let home: Home;
export let jane: UserHandle;
export let phone: DeviceHandle;
/** What was said since the test began. */
export let said: string[];

/** Gives every test of the file a new scene, which the functions here are about. */
export const useRoles = (): void =>
  useScene((scene) => {
    ({ aws, home, jane, phone } = scene);
    said = [];
  });

export const newRole = (name: string, options: Partial<Parameters<LocalAws['createRole']>[0]> = {}): string =>
  aws.createRole({ name, account: '444455556666', trusts: [jane.account], requireMfa: true, ...options }).arn;

export const writeConfig = (text: string): void => fs.writeFileSync(home.config, text);

export const storeMfaSession = (seconds = 40_000, section = 'default-sts'): void => {
  const session = aws.mintSession(jane, { mfa: true, seconds });
  fs.appendFileSync(home.credentials, `[${section}]\n${sessionLines(session, session.expiration)}`);
};

export const context = (env: Record<string, string> = {}): Context => ({
  env: { ...home.env, ...env },
  now: () => Date.now(),
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  log: (line) => void said.push(line),
  print: () => {},
});

export const options = { duration: 43_200, minTtl: 300, input: false, hook: false };

export const get = (profile: string, more: Partial<SessionOptions> = {}): Promise<LiveSession> =>
  liveSession({ ...options, profile, ...more }, context());

export const failureOf = async (work: Promise<unknown>): Promise<UserError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof UserError) return error;
  throw new Error(`this did not fail with a UserError: ${String(error)}`);
};

export const whoIs = async ({ session }: LiveSession): Promise<string | undefined> => {
  const client = new STSClient({
    region: 'us-east-1',
    endpoint: aws.url,
    credentials: { ...toKeys(session) },
  });
  return (await client.send(new GetCallerIdentityCommand())).Arn;
};

const toKeys = ({ accessKeyId, secretAccessKey, sessionToken }: LiveSession['session']) => ({
  accessKeyId,
  secretAccessKey,
  sessionToken,
});

export const requests = (): string[] =>
  aws.calls.map(({ action }) => action).filter((action) => action !== 'GetCallerIdentity');
