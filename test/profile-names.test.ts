import fs from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Context } from '../src/context.ts';
import { init } from '../src/sessions/initialise.ts';
import { readProfile } from '../src/ini/read.ts';
import { login } from '../src/sessions/login.ts';
import { findPrograms } from './local-aws/clients.ts';
import { type LocalAws, startLocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { findPythons, readWithBoto, readWithJs } from './other-parsers.ts';
import { type Home, keyLines, makeHome, runCommand, snapshot, writeCredentials } from './support/program.ts';
import { atSize } from './support/size.ts';

/** Names that AWS CLI and boto3 read; the JavaScript SDK does not find those with two words. */
const served = [
  'my prod',
  'my big prod',
  'a=b',
  'a = b',
  '=',
  'a#b',
  '#b',
  'a;b',
  'a,b',
  "a'b",
  "it's prod",
  'a"b',
  '"quoted"',
  'ä',
  'émile@corp',
  '日本',
  '%lead',
  '-lead',
  '[a',
  'a]b',
  String.raw`a\b`,
  '$(a)`b`',
  '*',
];
/** Names that nobody reads back, or that cost the JavaScript SDK another profile. */
const refused = ['a #b', 'a ;b'];

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;
let log: string[];

beforeEach(async () => {
  aws = await startLocalAws();
  jane = aws.createUser();
  phone = aws.addMfaDevice(jane, { name: 'phone' });
  home = makeHome(aws.url);
  log = [];
});

afterEach(async () => {
  await aws.close();
  home.remove();
});

const context = (): Context => ({
  env: home.env,
  now: Date.now,
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  log: (line) => log.push(line),
  print: () => {},
});

const loginTo = (profile: string): Promise<unknown> =>
  login(
    {
      profile,
      tokenCode: phone.code(),
      duration: 3600,
      minTtl: 300,
      input: false,
      hook: false,
      ifNeeded: false,
    },
    context(),
  );

const initialise = (profile: string): Promise<unknown> =>
  init({ profile, input: false, force: false }, context());

const write = (names: readonly string[]): void =>
  writeCredentials(home, names.map((name) => `[${name}]\n${keyLines(jane)}`).join('\n'));

test('25 unusual names are named in these tests', () => {
  expect(new Set([...served, ...refused]).size).toBe(25);
});

test('a session of each name that boto reads is read by boto and the AWS CLI, and who does not read it is named', async () => {
  write(['default', ...served]);
  for (const name of served) {
    log = [];
    await initialise(name);
    const warned = log.some((line) => line.includes('the JavaScript SDK does not find ['));
    await loginTo(name);
    const bytes = fs.readFileSync(home.credentials);
    const [js] = await readWithJs([{ kind: 'credentials', bytes }]);
    const token = readProfile(bytes, 'credentials', `${name}-sts`)?.settings.get('aws_session_token');
    expect(token).toMatch(/^[\w+/=]{100,}$/);
    expect([name, js?.get(`${name}-sts`)?.get('aws_session_token')]).toEqual([
      name,
      warned ? undefined : token,
    ]);
    expect(log.some((line) => line.includes('the Go SDK does not find ['))).toBe(/[#;]/.test(name));
  }
  const bytes = fs.readFileSync(home.credentials);
  const tokenOf = (name: string): string | undefined =>
    readProfile(bytes, 'credentials', `${name}-sts`)?.settings.get('aws_session_token');
  for (const python of await findPythons()) {
    const [answer] = await readWithBoto(python, [{ kind: 'credentials', bytes }]);
    expect(answer?.rejected).toBeUndefined();
    const read = served.map((name) => answer?.profiles.get(`${name}-sts`)?.get('aws_session_token'));
    expect(read).toEqual(served.map(tokenOf));
  }
  const [cli = 'aws'] = findPrograms('aws');
  for (const name of atSize(["it's prod", '%lead', 'ä'], served)) {
    const words = ['configure', 'get', 'aws_session_token', `--profile=${name}-sts`];
    const { stdout } = await runCommand(home, cli, words);
    expect([name, stdout.trim()]).toEqual([name, tokenOf(name)]);
  }
  expect(aws.count('GetSessionToken')).toBe(served.length);
});

test.each(refused)('init refuses the name %j before AWS is asked, and so does login', async (name) => {
  write(['default', name]);
  const before = snapshot(home);
  const refusal = 'cannot be the name of a new profile';
  await expect(initialise(name)).rejects.toThrow(refusal);
  fs.appendFileSync(home.credentials, `mfa_serial = ${phone.serialNumber}\n`);
  await expect(loginTo(name)).rejects.toThrow(refusal);
  expect(aws.count()).toBe(0);
  expect(Object.keys(snapshot(home))).toEqual(Object.keys(before));
});

test('init refuses the section of keys for all, which is no profile, before AWS is asked', async () => {
  write(['DEFAULT']);
  await expect(initialise('DEFAULT')).rejects.toThrow('the section of DEFAULT is written in a way');
  expect(aws.count()).toBe(0);
});

test('an indented line below a key of the old session is refused before a code is spent', async () => {
  const device = `mfa_serial = ${phone.serialNumber}\n`;
  const old = '[default-sts]\naws_session_token = x\naws_access_key_id = ASIAX\n  region = eu-west-1\n';
  writeCredentials(home, `[default]\n${keyLines(jane)}${device}\n${old}`);
  await expect(loginTo('default')).rejects.toThrow(
    `${home.credentials} line 9: the line is indented, so AWS CLI and boto3 take it for a part of`,
  );
  expect(aws.count()).toBe(0);
});

test('bytes that keep boto from reading a file are named at login', async () => {
  const device = `mfa_serial = ${phone.serialNumber}\n`;
  writeCredentials(home, `[default]\n${keyLines(jane)}${device}`);
  fs.appendFileSync(home.credentials, Buffer.from('# caf\xe9\n', 'latin1'));
  fs.writeFileSync(home.config, Buffer.from('# caf\xe9\n', 'latin1'));
  await loginTo('default');
  const reason = 'bytes that are not UTF-8 (AWS CLI and boto3 refuse this file)';
  expect(log).toEqual(
    expect.arrayContaining([
      `aws-iam-login: ${home.credentials} line 5: ${reason}`,
      `aws-iam-login: ${home.config} line 1: ${reason}`,
    ]),
  );
});
