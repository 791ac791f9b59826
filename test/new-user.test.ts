import fs from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { findPrograms } from './local-aws/clients.ts';
import type { LocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { useScene } from './support/fixture.ts';
import { type Home, keyLines, runProcess, sectionOf, writeCredentials } from './support/program.ts';
import { findReaders, talkativeOf } from './support/readers.ts';
import { atSize, isLong } from './support/size.ts';
import { type Terminal, openTerminal } from './support/terminal.ts';

vi.setConfig({ testTimeout: atSize(300_000, 1_800_000) });

// What a user of today has: the layout of the AWS documentation, and tools that ask for a code per role.

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;

useScene((scene) => {
  ({ aws, home, jane, phone } = scene);
  writeCredentials(home, `[default]\n${keyLines(jane)}`);
  const roles = roleNames.map((name, index) => {
    const account = String(index + 4).repeat(12);
    const { arn } = aws.createRole({ name, account, trusts: [jane.account], requireMfa: true });
    return `\n[profile ${name}]\nrole_arn = ${arn}\nsource_profile = default\nmfa_serial = ${phone.serialNumber}\nregion = eu-west-1\n`;
  });
  fs.writeFileSync(home.config, `[default]\nregion = eu-west-1\n${roles.join('')}`, { mode: 0o600 });
});

const roleNames = ['dev', 'prod'];

const shell = `PS1='$ ' exec bash --noprofile --norc -i`;

/** Types `aws-iam-login` and gives the two answers that it asks for. */
const firstMinute = async (): Promise<Terminal> => {
  const terminal = await openTerminal(home, shell, {}, [80, 24]);
  await terminal.until(/^\$ *$/m);
  await terminal.type('aws-iam-login');
  await terminal.press('Enter');
  await terminal.until(/Enter MFA code for \S+ \(\S+\):$/);
  await terminal.type(phone.code());
  await terminal.press('Enter');
  await terminal.until(/Change the file\? \[y\/N\]$/);
  await terminal.type('y');
  await terminal.press('Enter');
  await terminal.until(/every AWS tool now uses[^]*\n\$$/);
  return terminal;
};

/** The same files, seen from a home without caches. */
const elsewhere = (name: string): Home => {
  const folder = join(home.folder, name);
  fs.mkdirSync(folder);
  const files = { AWS_SHARED_CREDENTIALS_FILE: home.credentials, AWS_CONFIG_FILE: home.config };
  return { ...home, folder, env: { ...home.env, ...files, HOME: folder } };
};

const talkative = await talkativeOf(await findReaders(Infinity));

test('two answers, the code and yes, and every tool has every role without a question', async () => {
  const asks = async (): Promise<void> => {
    const { stderr } = await runProcess(home, ['env', 'dev', '--no-input']);
    expect(stderr).toContain('--no-input forbids to ask');
  };
  await asks();
  const terminal = await firstMinute();
  expect(await terminal.screen()).toMatch(/^\$ aws-iam-login\n/);
  expect(sectionOf(home, 'default')).toMatchObject({ mfa_serial: phone.serialNumber, username: 'jane' });
  expect(fs.readFileSync(home.config, 'utf8')).not.toMatch(/^mfa_serial/m);

  for (const [index, reader] of talkative.entries()) {
    aws.forgetCalls();
    const there = elsewhere(`tool-${index}`);
    for (const name of roleNames) expect(await reader.whoAmI(there, name)).toMatch(`:assumed-role/${name}/`);
    expect(aws.count('AssumeRole')).toBe(roleNames.length);
    expect(aws.count('GetSessionToken')).toBe(0);
  }
  aws.forgetCalls();
  for (const name of roleNames)
    expect(await runProcess(home, ['exec', name, '--', 'true'])).toMatchObject({ exitCode: 0, stderr: '' });
  expect(aws.count('GetSessionToken')).toBe(0);
});

test('the JavaScript SDK, an AWS CLI and boto3 of this machine honour AWS_ENDPOINT_URL', () => {
  const names = talkative.map(({ name }) => name.split(' ').slice(0, 2).join(' '));
  const go = isLong && findPrograms('go').length > 0 ? ['a Go'] : [];
  expect(names).toEqual(expect.arrayContaining(['the JavaScript', 'AWS CLI', 'boto3 of', ...go]));
});

test('before that every tool asks for a code per role', async () => {
  for (const [index, reader] of talkative.entries()) {
    const there = elsewhere(`tool-${index}`);
    for (const name of isLong ? roleNames : roleNames.slice(0, 1))
      await expect(reader.whoAmI(there, name)).rejects.toThrow(/MFA|multi-factor|EOF/i);
  }
  expect(aws.count('AssumeRole')).toBe(0);
});
