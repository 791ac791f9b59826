import fs from 'node:fs';
import stringWidth from 'string-width';
import { describe, expect, test, vi } from 'vitest';
import { formatList } from '../src/commands/list.ts';
import { newKeyDates } from '../src/profiles/key-dates.ts';
import { noteKeyDate } from '../src/profiles/note-key-date.ts';
import type { SharedFiles } from '../src/profiles/profile.ts';
import { readOverview } from '../src/sessions/overview.ts';
import type { Entry } from '../src/sessions/overview.ts';
import { plainScreen, stdoutScreen } from '../src/terminal/screen.ts';
import { formatTable } from '../src/terminal/table.ts';
import { widthFor } from '../src/terminal/width.ts';
import { useScene } from './support/fixture.ts';
import { checkedDocument } from './support/json-documents.ts';
import { type Home, keyLines, run, runProcess, sessionLines, writeCredentials } from './support/program.ts';

vi.setConfig({ testTimeout: 60_000 });

let home: Home;

const key = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG' };
const session = (hours: number): string =>
  sessionLines(
    { accessKeyId: 'ASIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret-of-session', sessionToken: 'token' },
    new Date(Date.now() + hours * 3_600_000).toISOString().replace(/\.\d+/, ''),
  );
const roleArn = (name: string): string => `arn:aws:iam::444455556666:role/${name}`;

useScene((scene) => {
  ({ home } = scene);
  writeCredentials(
    home,
    [
      `[default]\n${keyLines(key)}mfa_serial = arn:aws:iam::123456789012:mfa/jane\nusername = jane\n`,
      `[default-sts]\n${session(11.5)}`,
      `[work]\n${keyLines(key)}`,
      `[work-sts]\n${session(-1)}`,
      `[admin-sts]\n${session(0.7)}assumed_role_arn = ${roleArn('admin')}\nassumed_from = default\n`,
      `[odd-sts]\n${session(1)}`,
      `[tool]\n${session(2)}`,
    ].join('\n'),
  );
  fs.writeFileSync(
    home.config,
    [
      '[default]\nregion = eu-west-1\n',
      `[profile admin]\nrole_arn = ${roleArn('admin')}\nsource_profile = default\n`,
      `[profile chained]\nrole_arn = ${roleArn('chained')}\nsource_profile = admin\n`,
      `[profile deploy]\nrole_arn = ${roleArn('deploy')}\nsource_profile = work\n`,
      `[profile odd]\nrole_arn = ${roleArn('odd')}\nsource_profile = default\n`,
      `[profile loop]\nrole_arn = ${roleArn('loop')}\nsource_profile = pool\n`,
      `[profile pool]\nrole_arn = ${roleArn('pool')}\nsource_profile = loop\n`,
      '[profile company]\nsso_session = corp\nsso_account_id = 111122223333\n',
      '[profile old]\nsso_start_url = https://x\n',
      '[profile plain]\noutput = json\n',
    ].join('\n'),
  );
});

const secrets = /wJalrXUt|secret-of-session|token\b(?! code)/;

describe('list', () => {
  test('shows every profile, roles below their user, live ones marked, time in words, how to log in to SSO', async () => {
    const { exitCode, stdout, stderr } = await run(home, ['list']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.split('\n').map((line) => line.replace(/ +(?=\d{12}$)/, ' '))).toEqual([
      '  PROFILE      KIND     SESSION                      REGION     ACCOUNT',
      expect.stringMatching(/^\* default {6}user {5}11 h (?:30|29) min left +eu-west-1 123456789012$/),
      expect.stringMatching(/^\* {3}admin {6}role {5}4[12] min left +444455556666$/),
      expect.stringMatching(/^ {4}chained {4}role {5}when needed, without a code +4/),
      expect.stringMatching(/^ {4}odd {8}role {5}when needed, without a code +4/),
      expect.stringMatching(/^\* {5}odd-sts {2}session {2}1 h left$/),
      expect.stringMatching(/^ {2}work {9}user {5}expired/),
      expect.stringMatching(/^ {4}deploy {5}role {5}none/),
      expect.stringMatching(/^\* tool {9}session {2}2 h left/),
      expect.stringMatching(/^ {2}company {6}SSO {6}by SSO +111122223333/),
      '  old          SSO      by SSO',
      '  plain        other',
      expect.stringMatching(/^ {2}loop {9}role {5}none/),
      expect.stringMatching(/^ {4}pool {7}role {5}none/),
      '  SSO: aws sso login --sso-session corp',
      '  SSO: aws sso login --profile old',
      '',
    ]);
    expect(stdout).not.toMatch(secrets);
  });

  test('promises no session of a role whose ARN has a typo, or that is of another partition', async () => {
    const typo = roleArn('typo').replace('iam::', 'iam:');
    const other = roleArn('other').replace('arn:aws:', 'arn:aws-cn:');
    fs.appendFileSync(
      home.config,
      `[profile typo]\nrole_arn = ${typo}\nsource_profile = default\n[profile other]\nrole_arn = ${other}\nsource_profile = default\n`,
    );
    const { stdout } = await run(home, ['list']);
    for (const name of ['typo', 'other']) expect(stdout).toMatch(new RegExp(`^ +${name} +role +none`, 'm'));
  });

  test('--json is as docs/json.md says', async () => {
    noteKeyDate(home.state, key.accessKeyId, Date.parse('2026-01-02T03:04:05Z'));
    const { stdout } = await run(home, ['list', '--json'], {
      env: { AWS_IAM_LOGIN_PROFILE: 'admin', AWS_IAM_LOGIN_AS: 'keys' },
    });
    expect(stdout).not.toMatch(secrets);
    expect(checkedDocument('list', stdout)['Profiles']).toMatchObject([
      {
        Profile: 'default',
        Kind: 'user',
        State: 'live',
        SessionProfile: 'default-sts',
        AccessKeyId: key.accessKeyId,
        KeyCreated: '2026-01-02T03:04:05Z',
        UserName: 'jane',
        InShell: false,
      },
      { Profile: 'work', State: 'expired', SecondsLeft: 0 },
      { Profile: 'odd-sts', Kind: 'session', SourceProfile: 'odd', State: 'live' },
      { Profile: 'tool', Kind: 'session', State: 'live' },
      { Profile: 'admin', SourceProfile: 'default', UserProfile: 'default', State: 'live', InShell: true },
      { Profile: 'chained', SourceProfile: 'admin', UserProfile: 'default', State: 'ready' },
      { Profile: 'deploy', UserProfile: 'work', State: 'none' },
      { Profile: 'odd', State: 'ready' },
      { Profile: 'loop', SourceProfile: 'pool' },
      { Profile: 'pool' },
      { Profile: 'company', Kind: 'SSO', LoginCommand: 'aws sso login --sso-session corp' },
      { Profile: 'old', LoginCommand: 'aws sso login --profile old' },
      { Profile: 'plain', Kind: 'other', State: 'none' },
    ]);
  });

  test('shows a user whose key aws-mfa keeps in a profile of its own as one', async () => {
    const long = `[work-long-term]\n${keyLines(key)}aws_mfa_device = arn:aws:iam::123456789012:mfa/jane\n`;
    for (const own of ['', `[work]\n${session(3)}\n`]) {
      writeCredentials(home, `${own}${long}[plain-long-term]\n${keyLines(key)}`);
      fs.writeFileSync(home.config, '');
      const { stdout } = await run(home, ['list', '--json']);
      expect(checkedDocument('list', stdout)['Profiles']).toMatchObject([
        { Profile: 'work', Kind: 'user', AccessKeyId: key.accessKeyId },
        { Profile: 'plain-long-term', Kind: 'user' },
      ]);
    }
  });

  test('without any profile says how to make one', async () => {
    fs.rmSync(home.credentials);
    fs.rmSync(home.config);
    expect(await run(home, ['list'])).toEqual({
      exitCode: 0,
      signal: null,
      stdout: '',
      stderr:
        'aws-iam-login: there is no profile in ~/.aws/credentials or ~/.aws/config\n  hint: aws configure\n',
    });
  });
});

describe('status', () => {
  test('tells shell, profile, session, key and region of a live one, exit code 0', async () => {
    noteKeyDate(home.state, key.accessKeyId, Date.now() - 12.5 * 86_400_000);
    const env = {
      AWS_IAM_LOGIN_PROFILE: 'default',
      AWS_IAM_LOGIN_AS: 'keys',
      AWS_ACCESS_KEY_ID: 'ASIAIOSFODNN7EXAMPLE',
      AWS_IAM_LOGIN_EXPIRES_AT: String(Math.floor(Date.now() / 1000) + 3600),
      AWS_REGION: 'eu-west-1',
    };
    const { exitCode, stdout, stderr } = await run(home, ['status'], { env });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^shell {7}default until .*\d\d:\d\d \((?:1 h|60 min)\), as keys, eu-west-1$/),
      'profile     default: user jane of account 123456789012',
      expect.stringMatching(/^session {5}live until .*\d\d:\d\d \(11 h \d\d min\), in \[default-sts\]$/),
      'access key  …MPLE, 12 days old',
      'MFA device  arn:aws:iam::123456789012:mfa/jane',
      'region      eu-west-1',
      '',
    ]);
    expect(stdout).not.toMatch(secrets);
  });

  test.each([
    ['default', 0, /live until/],
    ['default-sts', 0, /default: user jane/],
    ['admin', 0, /role admin of account 444455556666, from default\n/],
    ['chained', 3, /fetched without a code when needed: aws-iam-login use chained/],
    ['work', 3, /expired: aws-iam-login login work/],
    ['company', 3, /by SSO: aws sso login --sso-session corp/],
    ['plain', 3, /none: this profile has no access key/],
    ['tool', 0, /tool: a session/],
  ])('of %s ends with %i, with --quiet and --json too', async (name, exitCode, text) => {
    const said = await run(home, ['status', name]);
    expect(said).toMatchObject({ exitCode, stdout: expect.stringMatching(text), stderr: '' });
    expect(await run(home, ['status', name, '--quiet'])).toMatchObject({ exitCode, stdout: '', stderr: '' });
    const json = await run(home, [name, 'status', '--json']);
    expect(json.exitCode).toBe(exitCode);
    expect(checkedDocument('status', json.stdout)['Live']).toBe(exitCode === 0);
    expect(said.stdout + json.stdout).not.toMatch(secrets);
  });

  test('counts what has less than --min-ttl left as not live', async () => {
    expect(await run(home, ['status', '--quiet', '--min-ttl', '12h'])).toMatchObject({ exitCode: 3 });
  });

  test.each([
    [{ AWS_PROFILE: 'work' }, 'AWS_PROFILE for work'],
    [{ AWS_ACCESS_KEY_ID: 'AKIAX' }, 'keys of somebody else in AWS_ACCESS_KEY_ID'],
    [{}, 'no session of its own'],
    [
      { AWS_IAM_LOGIN_PROFILE: 'default', AWS_IAM_LOGIN_AS: 'keys', AWS_ACCESS_KEY_ID: 'ASIAOLDER' },
      'another session of default than the file: aws-iam-login use default',
    ],
  ])('tells what a shell with %j holds', async (env, text) => {
    const { stdout } = await run(home, ['status'], { env });
    expect(stdout.split('\n')[0]).toBe(`shell       ${text}`);
  });

  test('of a profile that is not there names the nearest one', async () => {
    expect(await run(home, ['status', 'wrok'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('did you mean work?'),
    });
  });
});

test('the built program lists and tells the same', async () => {
  const quiet = await runProcess(home, ['status', '--quiet']);
  expect(quiet).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  expect((await runProcess(home, ['list'])).stdout).toContain('* default');
});

const entry = (name: string): Entry => ({
  name,
  kind: 'user',
  source: undefined,
  user: undefined,
  state: 'live',
  expiration: 1_000_000 + 41_400,
  region: 'ap-southeast-2',
  account: '123456789012',
  userName: undefined,
  serialNumber: undefined,
  roleArn: undefined,
  accessKeyId: undefined,
  keyCreatedAt: 0,
  keyStore: undefined,
  loginCommand: undefined,
});

const tableOf = (columns: number): string[] =>
  formatList(
    [entry('a'), entry(`very-${'long-'.repeat(20)}name`)],
    undefined,
    { screen: { ...plainScreen, columns }, widthOf: stringWidth },
    1e9,
  )
    .split('\n')
    .slice(0, -1);

describe('a table', () => {
  test.each([20, 40, 60, 64, 76, 80, 92, 120, 300])('of profiles fits %i columns', (columns) => {
    for (const line of tableOf(columns)) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
  });

  test('leaves out what needs more room, and cuts long names', () => {
    expect(tableOf(60)[0]).toMatch(/^ {2}PROFILE +KIND {2}SESSION *$/);
    expect(tableOf(80)[2]).toMatch(
      /^\* very-long-.*… {2}user {2}11 h 30 min left {2}ap-southeast-2 {2}11 days$/,
    );
    expect(tableOf(300)[2]).toContain('long-name  user');
  });

  test('counts wide characters twice, and cuts between characters', () => {
    const lines = formatTable(
      [{ title: 'A', least: 4 }, { title: 'B' }],
      [[{ text: '漢字漢字' }, { text: 'x' }]],
      {
        ...plainScreen,
        columns: 8,
      },
      stringWidth,
    );
    expect(lines).toEqual(['A      B', '漢字…  x']);
  });
});

test('the width of plain texts is their length, of others what string-width says', async () => {
  const texts = ['a … b → ~', 'x'];
  const widthOf = await widthFor(texts);
  expect(widthOf).not.toBe(stringWidth);
  for (const text of texts) expect(widthOf(text)).toBe(stringWidth(text));
  for (const other of ['漢', 'e\u0301', '\t', 'é']) expect(await widthFor(['x', other])).toBe(stringWidth);
});

const painted = (env: Record<string, string>, isTerminal: boolean): string =>
  stdoutScreen({
    env,
    now: Date.now,
    sleep: async () => {},
    log: () => {},
    print: () => {},
    toTerminal: () => isTerminal,
  }).paint('green', 'x');

test('colour is for terminals only, never with NO_COLOR or TERM=dumb', () => {
  expect(painted({ TERM: 'xterm' }, true)).toBe('\u001B[32mx\u001B[39m');
  expect(painted({ TERM: 'xterm' }, false)).toBe('x');
  expect(painted({ TERM: 'dumb' }, true)).toBe('x');
  expect(painted({ TERM: 'xterm', NO_COLOR: '1' }, true)).toBe('x');
});

test('the date of a key is known once it was noted', () => {
  expect(newKeyDates(home.state)(key.accessKeyId)).toBeUndefined();
  noteKeyDate(home.state, key.accessKeyId, 1_000_000_000_000);
  expect(newKeyDates(home.state)(key.accessKeyId)).toBe(1_000_000_000_000);
  expect(newKeyDates(home.state)('../credentials')).toBeUndefined();
});

test.each([10, 1000, 10_000])('%i users with sessions and roles are told in one pass', (count) => {
  const each = (make: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => make(index)).join('\n');
  const shared: SharedFiles = {
    files: { credentials: '/credentials', config: '/config', state: '/state' },
    credentialsBytes: Buffer.from(each((n) => `[u${n}]\n${keyLines(key)}\n[u${n}-sts]\n${session(5)}`)),
    configBytes: Buffer.from(
      each((n) => `[profile r${n}]\nrole_arn = ${roleArn(`r${n}`)}\nsource_profile = u${n}\n`),
    ),
  };
  const now = Date.now();
  const entries = readOverview(shared, { minTtl: 300, now, keyDate: () => undefined });
  expect(entries.length).toBe(2 * count);
  expect(entries.at(-1)).toMatchObject({ name: `r${count - 1}`, user: `u${count - 1}`, state: 'ready' });
  const lines = formatList(entries, undefined, { screen: plainScreen, widthOf: stringWidth }, now).split(
    '\n',
  );
  expect(lines[2 * count]).toMatch(new RegExp(`^ {4}r${count - 1} +role +when needed`));
});
