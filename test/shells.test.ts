import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findPrograms } from './local-aws/clients.ts';
import type { LocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { useScene } from './support/fixture.ts';
import { type Home, sectionOf, sessionLines } from './support/program.ts';
import {
  awsVariables,
  openShell,
  posixShells,
  runShell,
  shells,
  showVariables,
  takeUp,
} from './support/shells.ts';
import { atSize } from './support/size.ts';

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;

useScene((scene) => {
  ({ aws, home, jane, phone } = scene);
});

const storeSession = (): void => {
  const session = aws.mintSession(jane, { seconds: 7200 });
  fs.appendFileSync(
    home.credentials,
    `region = eu-west-1\n[default-sts]\n${sessionLines(session, session.expiration)}`,
  );
};

const commandLines = findPrograms('aws').slice(0, atSize(1, Infinity));

test('an AWS CLI is on this machine', () => {
  expect(commandLines).not.toEqual([]);
});

describe.each(shells)('%s', (shell) => {
  test.each(commandLines)('takes up the session, and %s works with it', async (cli) => {
    // --endpoint-url: versions before 2.13 know no AWS_ENDPOINT_URL
    const identity = `${cli} sts get-caller-identity --endpoint-url ${aws.url} --region us-east-1 --output text`;
    const login = takeUp(shell, `default --token-code ${phone.code()}`);
    const { stdout, stderr } = await runShell(
      home,
      shell,
      shell === 'fish' ? `${login}; and ${identity}` : `${login} && ${identity}`,
    );
    expect(stderr).toBe('');
    expect(stdout).toContain(jane.arn);
    expect(aws.calls.at(-1)).toMatchObject({
      action: 'GetCallerIdentity',
      accessKeyId: sectionOf(home, 'default-sts')['aws_access_key_id'],
      status: 200,
    });
  });
});

describe.each(['bash', 'zsh', 'fish'] as const)('%s', (shell) => {
  test('asks on the terminal while it evaluates', async () => {
    const terminal = await openShell(home, shell);
    await terminal.until(/R0>$/);
    await terminal.type(`${takeUp(shell, 'default')}; echo "KEY $AWS_ACCESS_KEY_ID"`);
    await terminal.press('Enter');
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.type(phone.code());
    await terminal.press('Enter');
    expect(await terminal.until(/KEY ASIA/)).toContain(sectionOf(home, 'default-sts')['aws_access_key_id']);
  });
});

const assigned = [
  'AWS_PROFILE',
  'AWS_SESSION_TOKEN',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_CREDENTIAL_EXPIRATION',
  'AWS_DEFAULT_PROFILE',
  'AWS_SECURITY_TOKEN',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_IAM_LOGIN_PROFILE',
  'AWS_IAM_LOGIN_EXPIRES_AT',
  'AWS_IAM_LOGIN_AS',
  'AWS_IAM_LOGIN_OLD_PROFILE',
];

describe.each(posixShells)('%s with a read-only variable', (shell) => {
  test.each(['default', 'default --as profile', '--unset'])(
    'stops after env %s, and nothing has changed',
    async (options) => {
      storeSession();
      const env = { AWS_IAM_LOGIN_AS: 'keys', AWS_SESSION_TOKEN: 'old', AWS_IAM_LOGIN_OLD_PROFILE: 'mine' };
      const { stdout: touched } = await runShell(home, shell, `aws-iam-login env ${options}`, { env });
      const names = assigned.filter((name) => new RegExp(`\\b${name}\\b`).test(touched));
      expect(names).toContain('AWS_SESSION_TOKEN');
      const text = touched.replaceAll("'", String.raw`'\''`);
      const scripts = names.map(
        (
          name,
        ) => `(readonly ${name}=mine; export ${name}; before=$(env); eval '${text}' 2>/dev/null && echo no
          [ "$before" = "$(env)" ] && echo same)`,
      );
      const { stdout } = await runShell(home, shell, scripts.join('\n'), { env });
      expect(stdout).toBe('same\n'.repeat(names.length));
    },
  );

  test.each(['AWS_PROFILE', 'AWS_SESSION_TOKEN'])('%s stops before what follows', async (name) => {
    storeSession();
    const script = `readonly ${name}=mine; ${takeUp(shell, 'default')} && echo no; ${showVariables}`;
    const { stdout } = await runShell(home, shell, script);
    expect(stdout).not.toContain('no\n');
    expect(awsVariables(stdout)).toEqual({ AWS_ENDPOINT_URL: aws.url });
  });
});

describe('the format of another shell', () => {
  // zsh reads parentheses in several ways, fish's text must be wrong in all of them.
  test.each([
    ['bash', '', 'fish'],
    ['bash', 'set -o posix;', 'fish'],
    ['bash', 'shopt -s extglob nullglob;', 'fish'],
    ['dash', '', 'fish'],
    ['zsh', '', 'fish'],
    ['zsh', 'setopt no_nomatch;', 'fish'],
    ['zsh', 'setopt null_glob;', 'fish'],
    ['zsh', 'setopt extended_glob csh_null_glob;', 'fish'],
    ['zsh', 'emulate sh;', 'fish'],
    ['zsh', 'emulate ksh;', 'fish'],
    ['bash', '', 'powershell'],
    ['fish', '', 'env'],
  ] as const)(
    '%s %s fails on the text for %s, runs nothing of it and traces nothing',
    async (shell, options, format) => {
      storeSession();
      const print = `aws-iam-login env --format ${format}`;
      const evaluate = shell === 'fish' ? `${print} | source; and echo no` : `eval "$(${print})" && echo no`;
      const show = shell === 'fish' ? 'begin; set; end' : '{ echo "$-"; set; }';
      // Some shells end at a syntax error: that is failure enough.
      const script = `${options} aws-iam-login env >/dev/null; ${show} >before; ${evaluate}; ${show} >after`;
      const { stdout, stderr } = await runShell(home, shell, script);
      expect(stdout).toBe('');
      for (const value of Object.values(sectionOf(home, 'default-sts'))) expect(stderr).not.toContain(value);
      expect(settings('after') || settings('before')).toBe(settings('before'));
    },
  );
});

test.each([
  ['eval "$(aws-iam-login env default)"', 'default'],
  ['aws-iam-login env default | source', 'default'],
  ['aws-iam-login env default --as profile | source', 'default'],
  ['aws-iam-login env --unset | source', '--unset'],
  // what the launcher leaves to the program
  ['eval "$(aws-iam-login env default --debug)"', 'default'],
])('fish is told what to type instead of %s, in one sentence', async (line, word) => {
  storeSession();
  expect(await runShell(home, 'fish', `${line}; and echo no; env | grep ^AWS_ACCESS`)).toMatchObject({
    stdout: '',
    stderr: `aws-iam-login: fish needs another form: aws-iam-login env ${word} --format fish | source\n`,
  });
});

// What a shell showed of its options and variables, without those that always change.
const settings = (name: string): string => {
  const path = join(home.folder, name);
  const text = fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : '';
  return text
    .split('\n')
    .filter((line) => /^([0-9a-zA-Z]+$|AWS_)/.test(line))
    .join('\n');
};
