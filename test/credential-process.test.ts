import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import type { LocalAws } from './local-aws/server.ts';
import type { DeviceHandle, SessionHandle, UserHandle } from './local-aws/world.ts';
import { useScene } from './support/fixture.ts';
import { type Home, run, runProcess, sectionOf, sessionLines } from './support/program.ts';
import { atSize } from './support/size.ts';
import { openTerminal } from './support/terminal.ts';

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;

useScene((scene) => {
  ({ aws, home, jane, phone } = scene);
});

const addConfig = (text: string): void => fs.appendFileSync(home.config, text);

/** Stores an MFA session as `[default-sts]`. */
const storeSession = (seconds = 40_000): SessionHandle => {
  const session = aws.mintSession(jane, { mfa: true, seconds });
  fs.appendFileSync(home.credentials, `[default-sts]\n${sessionLines(session, session.expiration)}`);
  return session;
};

const addRole = (name: string, lines = ''): string => {
  const { arn } = aws.createRole({ name, account: '444455556666', trusts: [jane.account], requireMfa: true });
  addConfig(`[profile ${name}]\nrole_arn = ${arn}\nsource_profile = default\n${lines}`);
  return arn;
};

/** Stores a session of the role as `[<name>-sts]`. */
const storeRoleSession = (name: string, seconds: number, lines = ''): SessionHandle => {
  const arn = addRole(name, lines);
  const session = aws.mintRoleSession(arn, 'jane', { seconds });
  const text = sessionLines(session, session.expiration);
  fs.appendFileSync(
    home.credentials,
    `[${name}-sts]\n${text}assumed_role_arn = ${arn}\nassumed_from = default\n`,
  );
  return session;
};

const jsonOf = ({ accessKeyId, secretAccessKey, sessionToken, expiration }: SessionHandle): string =>
  `{
  "Version": 1,
  "AccessKeyId": "${accessKeyId}",
  "SecretAccessKey": "${secretAccessKey}",
  "SessionToken": "${sessionToken}",
  "Expiration": "${expiration}"
}
`;

describe('the answer', () => {
  test.each([['credential-process'], ['default credential-process'], ['credential-process -p default-sts']])(
    'to %s is the JSON of the live session and nothing else',
    async (words) => {
      const stdout = jsonOf(storeSession());
      for (const program of [run, runProcess]) {
        expect(await program(home, words.split(' '))).toEqual({
          exitCode: 0,
          signal: null,
          stdout,
          stderr: '',
        });
      }
      expect(aws.count()).toBe(0);
    },
  );

  test('for a role is its stored session, or a new one without a question', async () => {
    storeSession();
    const stored = storeRoleSession('admin', 3000);
    expect(await runProcess(home, ['credential-process', 'admin'])).toMatchObject({ stdout: jsonOf(stored) });
    expect(aws.count()).toBe(0);
    addRole('other');
    const { exitCode, stdout } = await run(home, ['credential-process', 'other']);
    const { aws_access_key_id: id } = sectionOf(home, 'other-sts');
    expect({ exitCode, id: JSON.parse(stdout).AccessKeyId }).toEqual({ exitCode: 0, id });
    expect(aws.count('AssumeRole')).toBe(1);
  });

  test('is none, and no word on stdout, where there is nobody to ask', async () => {
    expect(await runProcess(home, ['credential-process', 'default'])).toMatchObject({
      exitCode: 3,
      stdout: '',
      stderr: expect.stringContaining('there is no terminal to ask on'),
    });
  });
});

const minutes = (count: number): number => count * 60;

/** Whether credential-process gets a new session for the profile instead of `old`, and what that cost. */
const renewal = async (profile: string, old: SessionHandle, ...words: string[]) => {
  const { exitCode, stdout } = await run(home, ['credential-process', profile, '--no-input', ...words]);
  if (exitCode !== 0) return exitCode;
  return { isNew: stdout !== jsonOf(old), requests: aws.calls.map(({ action }) => action) };
};

describe('a session is renewed', () => {
  test('16 minutes before its end where mfa_process gives the code, not where somebody has to be asked', async () => {
    const old = storeSession(minutes(15));
    expect(await renewal('default', old)).toEqual({ isNew: false, requests: [] });
    const text = fs.readFileSync(home.credentials, 'utf8');
    fs.writeFileSync(
      home.credentials,
      text.replace('[default]\n', `[default]\nmfa_process = echo ${phone.code()}\n`),
    );
    expect(await renewal('default', old)).toEqual({ isNew: true, requests: ['GetSessionToken'] });
  });

  test.each([
    ['15 minutes before its end', 15, '', true],
    ['not 17 minutes before its end', 17, '', false],
    ['halfway at most: after 8 minutes of 15', 7, 'duration_seconds = 900\n', true],
    ['not before: after 7 minutes of 15', 8, 'duration_seconds = 900\n', false],
    ['halfway at most: after 16 minutes of 30', 14, 'duration_seconds = 1800\n', true],
    ['not before: after 14.5 minutes of 30', 15.5, 'duration_seconds = 1800\n', false],
  ])('of a role %s', async (_name, left, lines, isNew) => {
    storeSession();
    const old = storeRoleSession('admin', minutes(left), lines);
    expect(await renewal('admin', old)).toEqual({ isNew, requests: isNew ? ['AssumeRole'] : [] });
  });

  test('of a role as late as any other when that would need a code', async () => {
    storeSession(30);
    const old = storeRoleSession('admin', minutes(6));
    expect(await renewal('admin', old)).toEqual({ isNew: false, requests: [] });
    expect(await renewal('admin', old, '--min-ttl', '7m')).toBe(3);
  });

  test('as --min-ttl says', async () => {
    storeSession();
    const old = storeRoleSession('admin', minutes(6));
    expect(await renewal('admin', old, '--min-ttl', '5m')).toEqual({ isNew: false, requests: [] });
    expect(await renewal('admin', old, '--min-ttl=7m')).toEqual({ isNew: true, requests: ['AssumeRole'] });
  });
});

const ending = (command: string): string =>
  `stty -a >before; ${command} >out 2>err; echo EXIT$?; stty -a >after; echo END`;

const expectRestored = (): void => {
  const [before, after, out] = ['before', 'after', 'out'].map((name) =>
    fs.readFileSync(join(home.folder, name), 'utf8'),
  );
  expect(before).toContain('icanon');
  expect({ after, out }).toEqual({ after: before, out: '' });
  expect(aws.count()).toBe(0);
};

describe('the question', () => {
  /** `credential-process default` with a patience of 2 s. */
  const script = fileURLToPath(new URL('../build/asking-child.js', import.meta.url));

  beforeAll(async () => {
    await build({
      entryPoints: [fileURLToPath(new URL('support/asking-child.ts', import.meta.url))],
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      outfile: script,
      logLevel: 'warning',
    });
  });

  test('is one for all callers, on the terminal, whatever stands on stdin, stdout and stderr', async () => {
    addRole('admin');
    const count = atSize(6, 24);
    const terminal = await openTerminal(
      home,
      `i=0; while [ $i -lt ${count} ]; do i=$((i + 1)); aws-iam-login credential-process default </dev/null >out.$i 2>err.$i &
       : | aws-iam-login credential-process admin 2>&1 >role.$i | cat >err.role.$i & done; wait; echo END`,
    );
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.type(phone.code());
    await terminal.press('Enter');
    const screen = await terminal.until(/END/);
    expect(screen.match(/Enter MFA code/g)).toHaveLength(1);
    const texts = (name: string): string[] =>
      Array.from({ length: count }, (_, index) =>
        fs.readFileSync(join(home.folder, `${name}.${index + 1}`), 'utf8'),
      );
    expect(new Set(texts('out')).size).toBe(1);
    expect(new Set(texts('role')).size).toBe(1);
    expect(JSON.parse(texts('out')[0] ?? '')).toMatchObject({
      AccessKeyId: sectionOf(home, 'default-sts')['aws_access_key_id'],
    });
    expect(JSON.parse(texts('role')[0] ?? '')).toMatchObject({
      AccessKeyId: sectionOf(home, 'admin-sts')['aws_access_key_id'],
    });
    expect([aws.count('GetSessionToken'), aws.count('AssumeRole')]).toEqual([1, 1]);
  });

  test('ends when nothing is typed, with the terminal as it was', async () => {
    const terminal = await openTerminal(home, ending(`'${process.execPath}' '${script}' 2`));
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.type('123');
    expect(await terminal.until(/END/)).toContain('EXIT3');
    expect(fs.readFileSync(join(home.folder, 'err'), 'utf8')).toBe(
      'the question was not answered: nobody answered within 2 s\n',
    );
    expectRestored();
  });

  test('of somebody else is not waited for any longer either', async () => {
    const terminal = await openTerminal(
      home,
      `aws-iam-login default & until [ -e go ]; do sleep 0.1; done; '${process.execPath}' '${script}' 2 2>err; echo EXIT$?; wait; echo END`,
    );
    await terminal.until(/mfa\/phone\):$/m);
    fs.writeFileSync(join(home.folder, 'go'), '');
    await terminal.until(/EXIT3/);
    expect(fs.readFileSync(join(home.folder, 'err'), 'utf8')).toMatch(
      /the question was not answered: process \d+ still waits for \S+ after 2 s\n$/,
    );
    await terminal.press('C-c');
    await terminal.until(/END/);
  });

  test.each(atSize<number[]>([], [55]))(
    'ends after %i s, before the 60 s of the SDK for Go',
    async (seconds) => {
      const terminal = await openTerminal(home, ending('aws-iam-login credential-process default'));
      await terminal.until(/mfa\/phone\):$/m);
      const since = Date.now();
      expect(await terminal.until(/END/)).toContain('EXIT3');
      expect((Date.now() - since) / 1000).toBeLessThan(seconds + 4);
      expect((Date.now() - since) / 1000).toBeGreaterThan(seconds - 5);
      expect(fs.readFileSync(join(home.folder, 'err'), 'utf8')).toContain(
        `nobody answered within ${seconds} s\n`,
      );
      expectRestored();
    },
  );
});

describe('a profile whose credential_process is ours', () => {
  test.each([
    'aws-iam-login credential-process default',
    `/usr/bin/env A=b '${dirname(process.execPath)}/aws-iam-login' credential-process --profile=default`,
  ])('is the profile that it asks for: %s', async (command) => {
    const session = storeSession();
    addConfig(`[profile default-live]\ncredential_process = ${command}\nregion = eu-west-1\n`);
    const { exitCode, stdout } = await run(home, ['env', 'default-live']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`AWS_ACCESS_KEY_ID='${session.accessKeyId}'`);
    expect(stdout).toContain("AWS_IAM_LOGIN_PROFILE='default'");
    addConfig(`[profile admin]\nrole_arn = ${addRole('live')}\nsource_profile = default-live\n`);
    expect((await run(home, ['env', 'admin'])).stdout).toContain("AWS_IAM_LOGIN_PROFILE='admin'");
    expect(aws.calls.map(({ action }) => action)).toEqual(['AssumeRole']);
  });

  test('in a circle ends with one sentence', async () => {
    addConfig(
      `[profile a]\ncredential_process = aws-iam-login credential-process b\n[profile b]\ncredential_process = aws-iam-login credential-process a\n`,
    );
    expect(await run(home, ['env', 'a', '--no-input'])).toMatchObject({
      exitCode: 1,
      stdout: 'false\n',
      stderr: expect.stringMatching(/^aws-iam-login: [^\n]+\n {2}hint: [^\n]+\n$/),
    });
  });
});
