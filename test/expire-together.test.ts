import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import type { LocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { useScene } from './support/fixture.ts';
import { type Home, sectionOf, sessionLines } from './support/program.ts';
import { type InteractiveShell, openShell } from './support/shells.ts';
import { atSize } from './support/size.ts';
import type { Terminal } from './support/terminal.ts';

vi.setConfig({ testTimeout: atSize(180_000, 600_000) });

// The morning after: every terminal that was left open has a role whose session is over, and the user's is over too.

const count = atSize(9, 64);

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;

useScene((scene) => {
  ({ aws, home, jane, phone } = scene);
});

const names = Array.from({ length: 8 }, (_, index) => `role${index}`);

/** Writes eight roles, with sessions of theirs and of the user that are over. */
const writeOldSessions = (): void => {
  const over = sessionLines(aws.mintSession(jane, { mfa: true }), '2020-01-01 00:00:00+00:00');
  fs.appendFileSync(home.credentials, `[default-sts]\n${over}`);
  for (const name of names) {
    const { arn } = aws.createRole({
      name,
      account: '444455556666',
      trusts: [jane.account],
      requireMfa: true,
    });
    fs.appendFileSync(home.config, `[profile ${name}]\nrole_arn = ${arn}\nsource_profile = default\n`);
    fs.appendFileSync(
      home.credentials,
      `[${name}-sts]\n${over}assumed_role_arn = ${arn}\nassumed_from = default\n`,
    );
  }
};

type Shell = { readonly terminal: Terminal; readonly role: string; readonly shell: InteractiveShell };

const enter = async ({ terminal }: Shell, line: string): Promise<void> => {
  await terminal.type(line);
  await terminal.press('Enter');
};

/** A shell with our hook that has had the role for hours. */
const openOld = async (index: number): Promise<Shell> => {
  const shell = (['bash', 'zsh', 'fish'] as const)[index % 3] ?? 'bash';
  const role = names[index % names.length] ?? '';
  const later = String(Math.floor(Date.now() / 1000) + 3000);
  const terminal = await openShell(home, shell, {
    AWS_ACCESS_KEY_ID: 'ASIAOLD',
    AWS_SECRET_ACCESS_KEY: 'old',
    AWS_SESSION_TOKEN: 'old',
    AWS_IAM_LOGIN_PROFILE: role,
    AWS_IAM_LOGIN_EXPIRES_AT: later,
    AWS_IAM_LOGIN_RENEW_AT: later,
    AWS_IAM_LOGIN_AS: 'keys',
  });
  const script = fileURLToPath(new URL(`../shell/aws-iam-login.${shell}`, import.meta.url));
  const opened = { terminal, role, shell };
  await enter(opened, `. '${script}'; echo "$AWS_IAM_LOGIN_PROFILE has $AWS_ACCESS_KEY_ID."`);
  await terminal.until(new RegExp(`^${role} has ASIAOLD\\.$`, 'm'));
  return opened;
};

const question = /^Enter MFA code for .*$/gm;

test(`${count} shells with eight roles between them expire together: one question, one GetSessionToken, eight AssumeRole`, async () => {
  writeOldSessions();
  const shells: Shell[] = [];
  for (let index = 0; index < count; index += 1) shells.push(await openOld(index));
  const screens = async (): Promise<string[]> => Promise.all(shells.map(({ terminal }) => terminal.screen()));

  await Promise.all(
    shells.map((each) => {
      const set = each.shell === 'fish' ? 'set -gx AWS_IAM_LOGIN_' : 'export AWS_IAM_LOGIN_';
      const is = each.shell === 'fish' ? ' ' : '=';
      return enter(each, `${set}RENEW_AT${is}1600000000; ${set}EXPIRES_AT${is}1600000000`);
    }),
  );
  let shown: string[] = [];
  do {
    shown = await screens();
  } while (
    shown.filter((screen) => screen.includes('is asking for the code of')).length < count - 1 ||
    !shown.some((screen) => screen.match(question))
  );
  const asking = shells.find((_shell, index) => shown[index]?.match(question));
  expect(aws.count()).toBe(0);
  if (asking !== undefined) await enter(asking, phone.code());

  for (const each of shells) {
    await each.terminal.until(/code of [^]*\nR\d+> *$|Enter MFA [^]*\nR\d+> *$/);
    await enter(each, 'echo "$AWS_IAM_LOGIN_PROFILE now has $AWS_ACCESS_KEY_ID."');
    const screen = await each.terminal.until(/^\w+ now has \w+\.$/m);
    const key = sectionOf(home, `${each.role}-sts`)['aws_access_key_id'];
    expect(screen.split('\n')).toContain(`${each.role} now has ${key}.`);
  }
  expect((await screens()).join('\n').match(question)).toHaveLength(1);
  const requests = aws.calls.map(({ action }) => action).toSorted();
  expect(requests.filter((action) => action !== 'GetCallerIdentity')).toEqual([
    ...names.map(() => 'AssumeRole'),
    'GetSessionToken',
  ]);
});
