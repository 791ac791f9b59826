import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { LocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { useScene } from './support/fixture.ts';
import { faultEnvironment, withFault } from './support/faults.ts';
import {
  type Ended,
  type Home,
  run,
  runProcess,
  sectionOf,
  sessionLines,
  snapshot,
  writeCredentials,
} from './support/program.ts';
import { atSize } from './support/size.ts';
import { openTerminal } from './support/terminal.ts';

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;

useScene((scene) => {
  ({ aws, home, jane, phone } = scene);
});

/** A role profile as AWS documents it. */
const roleOf = (name: string, more = ''): string =>
  `[profile ${name}]\nrole_arn = arn:aws:iam::444455556666:role/${name}\nsource_profile = default\nmfa_serial = ${phone.serialNumber}\n${more}`;

/** The same through the session. */
const changedRoleOf = (name: string, more = ''): string =>
  `[profile ${name}]\nrole_arn = arn:aws:iam::444455556666:role/${name}\n# aws-iam-login: source_profile = default\nsource_profile = default-sts\n# aws-iam-login: mfa_serial = ${phone.serialNumber}\n${more}`;

const writeConfig = (text: string): void => fs.writeFileSync(home.config, text, { mode: 0o600 });
const config = (): string => fs.readFileSync(home.config, 'utf8');
const roles = (...words: readonly string[]): Promise<Ended> => run(home, ['init', '--roles', ...words]);

describe('init --roles', () => {
  test('points the roles of the profile at its session and touches nothing else, and --undo brings every byte back', async () => {
    const before = `; mine\n[default]\nregion=eu-west-1\n\n${roleOf('dev', 'region = eu-west-1\n')}\n# next\n${roleOf('prod')}[services x]\nsts =\n  endpoint_url = ${aws.url}`;
    writeConfig(before);
    const done = await roles('--yes');
    expect(done).toMatchObject({ exitCode: 0, stdout: '' });
    expect(config()).toBe(
      `; mine\n[default]\nregion=eu-west-1\n\n${changedRoleOf('dev', 'region = eu-west-1\n')}\n# next\n${changedRoleOf('prod')}[services x]\nsts =\n  endpoint_url = ${aws.url}`,
    );
    expect(done.stderr).toContain(
      `  [profile dev]\n- source_profile = default\n+ # aws-iam-login: source_profile = default\n+ source_profile = default-sts\n- mfa_serial = ${phone.serialNumber}\n+ # aws-iam-login: mfa_serial = ${phone.serialNumber}\n  [profile prod]\n`,
    );
    expect(done.stderr).toContain(
      'aws-iam-login: every AWS tool now uses [default-sts] for dev, prod\n  hint: aws-iam-login init default --roles --undo brings the old lines back\n',
    );
    const again = await run(home, ['init', '--roles', '--yes'], { env: { AWS_IAM_LOGIN_PROFILE: 'dev' } });
    expect(again.stderr).toContain('no role of default names an mfa_serial: there is nothing to change\n');
    const undone = await roles('--undo', '--yes');
    expect(undone.stderr).toContain(': the old lines of dev, prod come back:\n');
    expect(undone.stderr).toContain('aws-iam-login: dev, prod as before');
    expect(config()).toBe(before);
    const nothing = await roles('--undo', '--yes');
    expect(nothing.stderr).toContain('there is nothing to bring back\n');
    expect(nothing.exitCode).toBe(0);
    expect(config()).toBe(before);
  });

  test('sets a duration_seconds above an hour aside with a warning, and keeps one of an hour', async () => {
    writeConfig(roleOf('long', 'duration_seconds = 43200\n') + roleOf('short', 'duration_seconds = 3600\n'));
    const { stderr } = await roles('--yes');
    expect(config()).toBe(
      changedRoleOf('long', '# aws-iam-login: duration_seconds = 43200\n') +
        changedRoleOf('short', 'duration_seconds = 3600\n'),
    );
    expect(stderr).toContain(
      'duration_seconds of long goes, too: AWS lets a role that is assumed with a session live for 1 h\n',
    );
  });

  test('leaves roles of others, chained ones and those without mfa_serial alone', async () => {
    const others = [
      roleOf('other').replace('= default', '= work'),
      roleOf('next').replace('= default', '= dev'),
      roleOf('plain').replace(/mfa_serial.*\n/, ''),
      '[profile sso]\nsso_session = x\n',
      roleOf('machine').replace('source_profile = default', 'credential_source = Ec2InstanceMetadata'),
    ].join('');
    writeConfig(others + roleOf('dev'));
    await roles('--yes');
    expect(config()).toBe(others + changedRoleOf('dev'));
  });

  test('keeps a source that is the session already, and brings back only what it changed', async () => {
    const before = roleOf('dev').replace('= default', '= default-sts');
    writeConfig(before);
    await roles('--yes');
    expect(config()).toBe(before.replace('mfa_serial', '# aws-iam-login: mfa_serial'));
    await roles('--undo', '--yes');
    expect(config()).toBe(before);
  });

  test('names a role that it leaves as it is, with the line and the reason', async () => {
    fs.appendFileSync(home.credentials, `[shadowed]\nmfa_serial = ${phone.serialNumber}\n`);
    const odd = roleOf('odd').replace('source_profile = default\n', 'source_profile = default\n  x = y\n');
    writeConfig(odd + roleOf('shadowed'));
    const before = snapshot(home);
    const { exitCode, stderr } = await roles('--yes');
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `role odd is left as it is: ~/.aws/config line 3 is written in a way that cannot be edited safely\n`,
    );
    expect(stderr).toContain('role shadowed is left as it is: ');
    expect(snapshot(home)).toEqual(before);
  });

  test('--undo leaves a role alone that was written anew since', async () => {
    writeConfig(roleOf('dev') + roleOf('prod'));
    await roles('--yes');
    const changed = config().replace(
      'source_profile = default-sts\n',
      'source_profile = default-sts \nmfa_serial = x\n',
    );
    writeConfig(changed);
    const { exitCode, stderr } = await roles('--undo', '--yes');
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      `role dev is left as it is: ~/.aws/config below line 1 mfa_serial was written anew since\n`,
    );
    expect(config()).toBe(changed.replace(changedRoleOf('prod'), roleOf('prod')));
  });

  test('of a role names the user profile at the end of its chain', async () => {
    writeConfig(roleOf('dev'));
    for (const [words, hint] of [
      [['init', 'dev', '--roles'], 'init default --roles'],
      [['init', 'dev', '--roles', '--undo'], 'init default --roles --undo'],
    ] as const) {
      const { exitCode, stderr } = await run(home, words);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`  hint: run: aws-iam-login ${hint}\n`);
    }
  });

  test('does what init does first where the profile was never initialised', async () => {
    writeCredentials(
      home,
      fs.readFileSync(home.credentials, 'utf8').replace(/mfa_serial.*\nusername.*\n/, ''),
    );
    writeConfig(roleOf('dev'));
    expect((await roles('--yes')).exitCode).toBe(0);
    expect(sectionOf(home, 'default')).toMatchObject({ username: 'jane', mfa_serial: phone.serialNumber });
    expect(config()).toBe(changedRoleOf('dev'));
  });

  test('without a terminal it exits with 3, names --yes and changes nothing', async () => {
    writeConfig(roleOf('dev'));
    const before = snapshot(home);
    const { exitCode, stderr } = await runProcess(home, ['init', '--roles']);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/asks before it changes anything.*\n {2}hint: say it beforehand: --yes\n$/);
    expect(snapshot(home)).toEqual(before);
  });

  test.each(['--undo', '--yes'])('%s without --roles is a usage error', async (option) => {
    const { exitCode, stderr } = await run(home, ['init', option]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`${option} goes with --roles`);
  });

  test('a config file that boto refuses is named with its line, and not written', async () => {
    writeConfig(`${roleOf('dev')}junk\n`);
    const before = snapshot(home);
    const { exitCode, stderr } = await roles('--yes');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('line 5: neither a section nor a key with a value');
    expect(snapshot(home)).toEqual(before);
  });

  test.each(atSize([10, 1000], [10, 1000, 10_000]))(
    '%i roles are changed and brought back at once',
    async (count) => {
      const names = Array.from({ length: count }, (_, index) => `role-${index}`);
      const before = names.map((name) => roleOf(name)).join('\n');
      writeConfig(before);
      const { exitCode, stderr } = await roles('--yes');
      expect(exitCode).toBe(0);
      expect(config()).toBe(names.map((name) => changedRoleOf(name)).join('\n'));
      expect(stderr.split('\n').length).toBeLessThan(150);
      expect(stderr.includes(`  and ${count - 20} more roles in the same way\n`)).toBe(count > 20);
      expect(stderr).toContain(`role-7 and ${count - 8} more\n  hint: `);
      await roles('--undo', '--yes');
      expect(config()).toBe(before);
    },
  );
});

describe('on a terminal', () => {
  test('--roles shows the change and asks; a no exits with 130 and changes nothing', async () => {
    writeConfig(roleOf('dev'));
    const before = snapshot(home);
    for (const answer of ['n', '', 'C-c']) {
      const terminal = await openTerminal(home, 'aws-iam-login init --roles; echo EXIT$?');
      await terminal.until(/- source_profile = default\n[^]*Change the file\? \[y\/N\]$/);
      await (answer === 'C-c' ? terminal.press('C-c') : terminal.type(answer));
      if (answer !== 'C-c') await terminal.press('Enter');
      await terminal.until(/EXIT130/);
      await terminal.close();
      expect(snapshot(home)).toEqual(before);
    }
  });

  test('plain init offers it, and a no is fine', async () => {
    writeConfig(roleOf('dev'));
    const first = await openTerminal(home, 'aws-iam-login init; echo EXIT$?');
    await first.until(/Change the file\? \[y\/N\]$/);
    await first.press('Enter');
    expect(await first.until(/EXIT\d/)).toMatch(
      /stays as it is; aws-iam-login init default --roles asks again\nEXIT0/,
    );
    expect(config()).toBe(roleOf('dev'));
    const second = await openTerminal(home, 'aws-iam-login init; echo EXIT$?');
    await second.until(/Change the file\? \[y\/N\]$/);
    await second.type('y');
    await second.press('Enter');
    await second.until(/EXIT0/);
    expect(config()).toBe(changedRoleOf('dev'));
  });

  test('a file that changes while the question stands is not written over', async () => {
    writeConfig(roleOf('dev'));
    const terminal = await openTerminal(home, 'aws-iam-login init --roles; echo EXIT$?');
    await terminal.until(/Change the file\? \[y\/N\]$/);
    const now = roleOf('dev') + roleOf('prod');
    writeConfig(now);
    await terminal.type('y');
    await terminal.press('Enter');
    expect(await terminal.until(/EXIT\d/)).toMatch(/its roles have changed since they were shown/);
    expect(config()).toBe(now);
  });
});

test('init without a terminal names the roles and the command', async () => {
  writeConfig(roleOf('dev') + roleOf('prod'));
  const { exitCode, stderr } = await runProcess(home, ['init', '--force']);
  expect(exitCode).toBe(0);
  expect(stderr).toContain(
    'other AWS tools ask for a code of their own for dev, prod\n  hint: aws-iam-login init default --roles lets them use the session of default\n',
  );
});

test('env and login of such a role name the command, once', async () => {
  const { arn } = aws.createRole({ name: 'dev', requireMfa: true });
  const session = aws.mintSession(jane, { mfa: true, seconds: 40_000 });
  fs.appendFileSync(home.credentials, `[default-sts]\n${sessionLines(session, session.expiration)}`);
  writeConfig(roleOf('dev').replace(/role_arn.*/, `role_arn = ${arn}`));
  const hint = '  hint: aws-iam-login init default --roles lets all of them use one session\n';
  const first = await run(home, ['env', 'dev']);
  expect(first.exitCode).toBe(0);
  expect(first.stderr).toBe(
    `aws-iam-login: profile dev names an mfa_serial: other AWS tools ask for a code of their own\n${hint}`,
  );
  expect((await run(home, ['login', 'dev'])).stderr).not.toContain('hint');
});

const lastProfile = '\n[profile last]\nregion = x';

/** Sets the file to how it is before; returns what it is afterwards. */
const prepare = (undo: boolean): readonly [string[], string, string] => {
  const [before, after] = [roleOf('dev') + lastProfile, changedRoleOf('dev') + lastProfile];
  writeConfig(undo ? after : before);
  const words = ['init', '--roles', '--yes', ...(undo ? ['--undo'] : [])];
  return undo ? [words, after, before] : [words, before, after];
};

const codes = ['ENOSPC', 'EACCES', 'EIO'];

describe('a change that comes to grief', () => {
  describe.each([false, true])('with --undo %s', (undo) => {
    test.each(codes)('leaves the file whole whichever operation fails with %s', async (code) => {
      const attempt = async (at: number): Promise<number> => {
        const [words, was, is] = prepare(undo);
        let ended: Ended | undefined;
        const { count } = await withFault({ under: home.folder, action: code, at }, async () => {
          ended = await run(home, words);
        });
        expect([was, is]).toContain(config());
        expect(ended?.exitCode !== 0 || config() === is).toBe(true);
        expect(ended?.stderr).not.toContain('unexpected');
        expect((await run(home, words)).exitCode).toBe(0);
        expect(config()).toBe(is);
        return count;
      };
      const operations = await attempt(Number.MAX_SAFE_INTEGER);
      expect(operations).toBeGreaterThan(20);
      // in few attempts each operation still fails with one of the codes, one way or the other
      const first = atSize(1 + codes.indexOf(code) + (undo ? codes.length : 0), 1);
      for (let at = first; at <= operations; at += atSize(2 * codes.length, 1)) {
        await attempt(at).catch((error: unknown) => {
          throw new Error(`${code} from operation ${at} of ${operations}`, { cause: error });
        });
      }
    });

    test.each(['kill', 'torn'])('leaves the file whole wherever a %s strikes', async (action) => {
      const attempt = async (at: number): Promise<boolean> => {
        const [words, was, is] = prepare(undo);
        const env = faultEnvironment({ under: home.folder, action, at });
        const { signal } = await runProcess(home, words, { env });
        expect([was, is]).toContain(config());
        expect((await run(home, words)).exitCode).toBe(0);
        expect(config()).toBe(is);
        return signal === 'SIGKILL';
      };
      let struck = 0;
      for (let at = 1; await attempt(at); at += atSize(15, 1)) struck += 1;
      expect(struck).toBeGreaterThan(atSize(1, 20));
    });
  });
});
