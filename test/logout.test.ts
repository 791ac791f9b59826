import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { removeSettings } from '../src/ini/edit.ts';
import { planLogout } from '../src/sessions/logout.ts';
import type { LocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { useScene } from './support/fixture.ts';
import { type Home, keyLines, run, runProcess, sectionOf, snapshot } from './support/program.ts';

vi.setConfig({ testTimeout: 60_000 });

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;

useScene((scene) => {
  ({ aws, home, jane, phone } = scene);
});

const role = (name: string): string =>
  aws.createRole({ name, account: '444455556666', trusts: [jane.account, '444455556666'] }).arn;

const addRoles = (): void => {
  fs.writeFileSync(
    home.config,
    [
      '[default]\nregion = eu-west-1\n',
      `[profile admin]\nrole_arn = ${role('admin')}\nsource_profile = default-sts\n`,
      `[profile deploy]\nrole_arn = ${role('deploy')}\nsource_profile = admin\n`,
    ].join('\n'),
  );
};

const logIn = async (profile: string): Promise<void> => {
  expect(await run(home, ['login', profile, '--token-code', phone.code()])).toMatchObject({ exitCode: 0 });
};

const before = (): string => fs.readFileSync(home.credentials, 'utf8');

describe('logout', () => {
  test('leaves the file as it was before login, and says what AWS keeps', async () => {
    addRoles();
    const text = before();
    await logIn('default');
    expect(sectionOf(home, 'default-sts')).toHaveProperty('region');
    const { exitCode, stdout, stderr } = await run(home, ['logout']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      'aws-iam-login: removed from ~/.aws/credentials: [default-sts]',
      expect.stringMatching(
        /^aws-iam-login: AWS keeps the session valid until .*\d\d:\d\d \(1[12] h.*\) for whoever has a copy: deactivating it needs the IAM console/,
      ),
      'aws-iam-login: this role profile stops until the next login: admin',
      '',
    ]);
    expect(before()).toBe(text);
  });

  test('of a user takes the sessions of its roles, of a role only those that come from it', async () => {
    addRoles();
    const text = before();
    await logIn('default');
    await run(home, ['env', 'deploy']);
    expect(sectionOf(home, 'admin-sts')).toHaveProperty('assumed_role_arn');
    expect(await run(home, ['logout', 'deploy'])).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('removed from ~/.aws/credentials: [deploy-sts]\n'),
    });
    expect(sectionOf(home, 'admin-sts')).toHaveProperty('assumed_role_arn');
    await run(home, ['env', 'deploy']);
    expect(await run(home, ['logout', 'default'])).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('the sections default-sts, admin-sts, deploy-sts\n'),
    });
    expect(before()).toBe(text);
    expect(await run(home, ['logout'])).toMatchObject({
      exitCode: 0,
      stderr: 'aws-iam-login: no session of default is stored in ~/.aws/credentials\n',
    });
  });

  const foreign = [
    ['a session of another form', '[default-sts]', 'expiration = 2030-01-01 00:00:00'],
    ['a session without an end', '[default-sts]', ''],
    [
      'a session with the old token',
      '[default-sts]',
      'expiration = 2030-01-01 00:00:00+00:00\naws_security_token = t',
    ],
    ['a session of a profile that is not there', '[gone-sts]', 'expiration = 2030-01-01 00:00:00+00:00'],
    ['a session that was not fetched for the role', '[admin-sts]', 'expiration = 2030-01-01 00:00:00+00:00'],
    ['a session that is no -sts profile', '[default-long]', 'expiration = 2030-01-01 00:00:00+00:00'],
  ] as const;

  test.each(foreign)('never removes %s', async (_, header, lines) => {
    addRoles();
    fs.appendFileSync(
      home.credentials,
      `\n${header}\n${keyLines({ accessKeyId: 'ASIAX', secretAccessKey: 's' })}aws_session_token = t\n${lines}\n`,
    );
    const files = snapshot(home);
    for (const words of [['logout'], ['logout', '--all'], ['logout', 'admin'], ['logout', 'gone-sts']])
      await run(home, words);
    expect(snapshot(home)).toEqual(files);
  });

  test('--all takes what is left of roles whose profile has changed, and names what is foreign', async () => {
    addRoles();
    const text = before();
    await logIn('default');
    await run(home, ['env', 'deploy']);
    fs.writeFileSync(home.config, '[default]\nregion = eu-west-1\n');
    fs.appendFileSync(home.credentials, '\n[odd-sts]\naws_access_key_id = ASIAX\naws_session_token = t\n');
    const { stderr } = await run(home, ['logout', '--all']);
    expect(stderr).toContain('the sections default-sts, admin-sts, deploy-sts\n');
    expect(stderr).toContain('left alone, another program has stored it: [odd-sts]\n');
    expect(before()).toBe(`${text}\n[odd-sts]\naws_access_key_id = ASIAX\naws_session_token = t\n`);
  });

  test('keeps what is not ours in the section', async () => {
    await logIn('default');
    const own = before().replace(
      '[default-sts]\n',
      '[default-sts]\n# mine\noutput = json\nregion = us-west-2\n',
    );
    fs.writeFileSync(home.credentials, own);
    await run(home, ['logout']);
    expect(before()).toMatch(/\n\[default-sts\]\n# mine\noutput = json\nregion = us-west-2\n$/);
  });

  test('forgets the session that waits to be written', async () => {
    fs.mkdirSync(join(home.state, 'waiting'), { recursive: true, mode: 0o700 });
    await logIn('default');
    fs.chmodSync(home.state, 0o700);
    const { keepWaitingSession } = await import('../src/sessions/waiting-session.ts');
    const session = { accessKeyId: 'ASIAX', secretAccessKey: 's', sessionToken: 't', expiration: 4e9 };
    const { credentials, config, state } = home;
    keepWaitingSession({ credentials, config, state }, 'default', session);
    await run(home, ['logout']);
    expect(fs.readdirSync(join(home.state, 'waiting'))).toEqual([]);
  });

  test('does not touch a file that AWS’s tools refuse', async () => {
    await logIn('default');
    fs.appendFileSync(home.credentials, '[default]\n');
    const files = snapshot(home);
    expect(await run(home, ['logout'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/line \d+: /),
    });
    expect(snapshot(home)).toEqual(files);
  });

  test.each([
    [{ AWS_IAM_LOGIN_PROFILE: 'deploy' }, 'unset\n'],
    [{ AWS_IAM_LOGIN_PROFILE: 'default' }, 'unset\n'],
    [{ AWS_IAM_LOGIN_PROFILE: 'work' }, ''],
    [{}, ''],
  ])('tells the hook whether a shell with %j is concerned', async (env, stdout) => {
    addRoles();
    expect(await run(home, ['logout', 'default', '--hook'], { env })).toMatchObject({ exitCode: 0, stdout });
    const { stderr } = await run(home, ['logout', 'default'], { env });
    expect(stderr.includes('this shell still has it')).toBe(stdout !== '');
  });

  test('of two profiles, and of none that is there, is an error', async () => {
    expect(await run(home, ['logout', 'default', '--all'])).toMatchObject({ exitCode: 2 });
    expect(await run(home, ['logout', 'defualt'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('did you mean default?'),
    });
  });
});

test.each([10, 1000, 10_000])('%i sessions are taken away in one edit', (count) => {
  const each = (make: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => make(index)).join('\n');
  const users = each((n) => `[u${n}]\n${keyLines({ accessKeyId: 'AKIAX', secretAccessKey: 's' })}`);
  const sessions = each(
    (n) =>
      `[u${n}-sts]\n${keyLines({ accessKeyId: 'ASIAX', secretAccessKey: 's' })}aws_session_token = t\nexpiration = 2030-01-01 00:00:00+00:00\n`,
  );
  const credentialsBytes = Buffer.from(`${users}\n${sessions}`);
  const files = { credentials: '/credentials', config: '/config', state: '/state' };
  const plan = planLogout(undefined, { files, credentialsBytes, configBytes: undefined }, Date.now());
  expect(plan.removed.length).toBe(count);
  expect(removeSettings(credentialsBytes, 'credentials', plan.settings).toString()).toBe(users);
});

const setup = (...words: string[]) => runProcess(home, ['setup', 'bash', '--yes', ...words]);

describe('setup --remove --purge', () => {
  test('leaves nothing of ours: no sessions, no notes, no line, no copies', async () => {
    fs.writeFileSync(join(home.folder, '.bashrc'), 'alias ll=ls\n');
    const text = before();
    await setup();
    await logIn('default');
    expect(await setup('--remove', '--purge')).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(
        /remove 1 session from .*credentials\nremove our notes in .*aws-iam-login\n/,
      ),
    });
    expect(before()).toBe(text);
    expect(fs.existsSync(home.state)).toBe(false);
    expect(fs.readFileSync(join(home.folder, '.bashrc'), 'utf8')).toBe('alias ll=ls\n');
    expect(fs.readdirSync(join(home.folder, '.aws'))).toEqual(['credentials']);
    expect(await setup('--remove', '--purge')).toMatchObject({
      exitCode: 0,
      stderr: 'aws-iam-login: nothing of setup is left for bash\n',
    });
  });

  test('keeps what others have in the state folder', async () => {
    await logIn('default');
    fs.writeFileSync(join(home.state, 'mine'), '');
    await setup('--remove', '--purge');
    expect(fs.readdirSync(home.state)).toEqual(['mine']);
  });

  test('is refused while a rotation is unfinished, and without --remove', async () => {
    aws.fault('DeleteAccessKey', 'AccessDenied', { times: 99 });
    await run(home, ['rotate', 'default', '--yes']);
    expect(await setup('--remove', '--purge')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('hint: run: aws-iam-login rotate default --resume'),
    });
    expect(fs.readdirSync(join(home.state, 'rotations')).length).toBe(1);
    expect(await setup('--purge')).toMatchObject({ exitCode: 2 });
  });
});
