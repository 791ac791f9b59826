import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import type { LocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { findBoto, outliveSessions, useBoto } from './support/boto.ts';
import { addFiveRoles, roleNames } from './support/five-roles.ts';
import { useScene } from './support/fixture.ts';
import { type Home, runCommand, runProcess, sectionOf } from './support/program.ts';
import { findReaders, talkativeOf } from './support/readers.ts';
import { type InteractiveShell, openShell } from './support/shells.ts';
import { atSize, isLong } from './support/size.ts';

vi.setConfig({ testTimeout: atSize(300_000, 1_800_000) });

// What people come for: one code in the morning, and every role of every account has its session all day.

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;

useScene((scene) => {
  ({ aws, home, jane, phone } = scene);
});

const root = fileURLToPath(new URL('..', import.meta.url));

const keyOf = (role: string): string => sectionOf(home, `${role}-sts`)['aws_access_key_id'] ?? 'none';

const login = async (): Promise<void> => {
  expect(await runProcess(home, ['login', '--token-code', phone.code()])).toMatchObject({ exitCode: 0 });
};

const expectOneCode = (): void => expect(aws.count('GetSessionToken')).toBe(1);

/** Uses all roles in one shell, one after the other. */
const useRoles = async (shell: InteractiveShell): Promise<void> => {
  const terminal = await openShell(home, shell);
  const enter = async (line: string): Promise<void> => {
    await terminal.type(line);
    await terminal.press('Enter');
  };
  await enter(`. '${join(root, 'shell', `aws-iam-login.${shell}`)}'`);
  for (const role of roleNames) {
    await enter(`aws-iam-login use ${role}; echo "${role} is $AWS_ACCESS_KEY_ID."`);
    const screen = await terminal.until(new RegExp(`^${role} is \\w*\\.$`, 'm'));
    expect(screen.split('\n')).toContain(`${role} is ${keyOf(role)}.`);
  }
  expect(await terminal.screen()).not.toMatch(/Enter MFA code/);
  await terminal.close();
};

test('one code in the morning serves five roles in three accounts, in every shell and program', async () => {
  const arns = addFiveRoles(aws, home, { jane, phone });
  await login();

  for (const shell of ['bash', 'zsh', 'fish'] as const) await useRoles(shell);
  for (const role of roleNames) {
    const { stdout, stderr } = await runProcess(home, ['exec', role, '--', 'printenv', 'AWS_ACCESS_KEY_ID']);
    expect({ stdout, stderr }).toEqual({ stdout: `${keyOf(role)}\n`, stderr: '' });
  }
  expect(aws.count('AssumeRole')).toBe(5);

  const python = await findBoto(home);
  const live = roleNames.map(
    (role) =>
      `[profile ${role}-live]\nregion = eu-west-1\ncredential_process = aws-iam-login credential-process ${role}\n`,
  );
  fs.appendFileSync(home.config, live.join(''));
  const asked = await Promise.all(
    [...roleNames, ...roleNames.slice(atSize(roleNames.length, 0))].map(async (role) => {
      const env = { AWS_PROFILE: `${role}-live` };
      return { role, ...(await runCommand(home, python, [useBoto, '1'], { env })) };
    }),
  );
  for (const { role, stdout, stderr } of asked)
    expect({ stdout, stderr }).toEqual({ stdout: `${keyOf(role)} ${arns[role]}\n`, stderr: '' });
  expect(aws.count('AssumeRole')).toBe(5);

  // the session on the way is of these minutes, too
  await runProcess(home, ['logout', 'base']);
  const { exitCode, stdout, stderr } = await outliveSessions(aws, home, 'chained', python);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const lines = stdout.trim().split('\n');
  expect(new Set(lines.map((line) => line.split(' ')[0])).size).toBe(3);
  for (const line of lines) expect(line.split(' ')[1]).toBe(arns.chained);
  expectOneCode();
});

const talkative = await talkativeOf(await findReaders(Infinity));

test('after init --roles every tool has each of the five roles by itself, without a question', async () => {
  const arns = addFiveRoles(aws, home, { jane, phone }, { externalNeedsMfa: false });
  await login();
  expect(await runProcess(home, ['init', '--roles', '--yes'])).toMatchObject({ exitCode: 0 });
  for (const [index, reader] of talkative.entries()) {
    aws.forgetCalls();
    const roles = isLong || index === 0 ? roleNames : roleNames.filter((name) => /chained|device/.test(name));
    for (const role of roles) {
      // the AWS CLI keeps sessions of roles below the home folder
      const folder = join(home.folder, `empty-${index}-${role}`);
      fs.mkdirSync(folder);
      const files = { AWS_SHARED_CREDENTIALS_FILE: home.credentials, AWS_CONFIG_FILE: home.config };
      const there = { ...home, folder, env: { ...home.env, ...files, HOME: folder } };
      expect(await reader.whoAmI(there, role)).toContain(arns[role].replace(/[^/]*$/, ''));
    }
    // one for each role, and one more on the way to the chained one
    const counts = [aws.count('AssumeRole'), aws.count('GetSessionToken')];
    expect({ reader: reader.name, counts }).toEqual({ reader: reader.name, counts: [roles.length + 1, 0] });
  }
});
