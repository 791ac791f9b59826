import fs from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { getProfile, readSharedFiles } from '../src/profiles/profile.ts';
import { resolveRoleChain } from '../src/profiles/role-chain.ts';
import { sessionOwner } from '../src/profiles/role.ts';
import { login } from '../src/sessions/login.ts';
import {
  keyLines,
  run,
  runProcess,
  sectionOf,
  sessionLines,
  snapshot,
  start,
  writeCredentials,
} from './support/program.ts';
import {
  aws,
  home,
  jane,
  phone,
  said,
  useRoles,
  newRole,
  writeConfig,
  storeMfaSession,
  context,
  options,
  get,
  failureOf,
  whoIs,
  requests,
} from './support/roles.ts';
import { atSize } from './support/size.ts';

vi.setConfig({ testTimeout: atSize(180_000, 1_800_000) });

useRoles();

const writeChain = (): void => {
  storeMfaSession();
  const one = newRole('one');
  const two = newRole('two', { trusts: [one], requireMfa: false });
  writeConfig(
    `[profile two]\nrole_arn = ${two}\nsource_profile = one\n[profile one]\nrole_arn = ${one}\nsource_profile = default\n`,
  );
};

describe('a role', () => {
  test('is assumed from the live MFA session without a code, and stored with what it was fetched for', async () => {
    storeMfaSession();
    const roleArn = newRole('admin');
    writeConfig(`[profile prod]\nrole_arn = ${roleArn}\nsource_profile = default\nregion = eu-west-1\n`);
    const before = fs.readFileSync(home.credentials, 'utf8');
    const live = await get('prod');
    expect(live).toMatchObject({ kind: 'role', profileName: 'prod', region: 'eu-west-1' });
    expect(live.renewAt).toBe(live.session.expiration - 300);
    expect(Math.round((live.session.expiration - Date.now() / 1000) / 60)).toBe(60);
    expect(await whoIs(live)).toBe('arn:aws:sts::444455556666:assumed-role/admin/jane');
    expect(fs.readFileSync(home.credentials, 'utf8').startsWith(before)).toBe(true);
    expect(sectionOf(home, 'prod-sts')).toMatchObject({
      aws_access_key_id: live.session.accessKeyId,
      assumed_role_arn: roleArn,
      assumed_from: 'default',
      region: 'eu-west-1',
    });
    expect(requests()).toEqual(['AssumeRole']);
    expect(aws.calls[0]?.region).toBe('eu-west-1');
    expect(said).toEqual([]);
  });

  test('is handed out again while it is live, and fetched anew by login', async () => {
    storeMfaSession();
    writeConfig(`[profile prod]\nrole_arn = ${newRole('admin')}\nsource_profile = default\n`);
    const first = await get('prod');
    expect(await get('prod')).toEqual(first);
    expect(await get('prod-sts')).toEqual(first);
    expect(requests()).toEqual(['AssumeRole']);
    const second = await login({ ...options, profile: 'prod', ifNeeded: false }, context());
    expect(second.session.accessKeyId).not.toBe(first.session.accessKeyId);
    expect(requests()).toEqual(['AssumeRole', 'AssumeRole']);
  });

  test('without an MFA session costs one code', async () => {
    writeConfig(`[profile prod]\nrole_arn = ${newRole('admin')}\nsource_profile = default\n`);
    await get('prod', { tokenCode: phone.code() });
    expect(requests()).toEqual(['GetSessionToken', 'AssumeRole']);
    expect(sectionOf(home, 'default-sts')['aws_access_key_id']).toMatch(/^ASIA/);
  });

  test('takes the device from its own mfa_serial where the user profile names none, as AWS documents it', async () => {
    writeCredentials(home, `[default]\n${keyLines(jane)}`);
    writeConfig(
      `[profile prod]\nrole_arn = ${newRole('admin')}\nsource_profile = default\nmfa_serial = ${phone.serialNumber}\n`,
    );
    expect(await whoIs(await get('prod', { tokenCode: phone.code() }))).toMatch(/assumed-role\/admin\/jane$/);
  });

  test('has external_id and role_session_name, and lasts as long as duration_seconds says', async () => {
    storeMfaSession();
    writeConfig(
      `[profile prod]\nrole_arn = ${newRole('admin', { externalId: 'abc/1:2' })}\nsource_profile = default\nexternal_id = abc/1:2\nrole_session_name = me@work\nduration_seconds = 1800\n`,
    );
    const live = await get('prod');
    expect(await whoIs(live)).toMatch(/assumed-role\/admin\/me@work$/);
    expect(Math.round((live.session.expiration - Date.now() / 1000) / 60)).toBe(30);
  });

  test('that wishes for more than an hour gets one, with a note that is said once', async () => {
    storeMfaSession();
    writeConfig(
      `[profile prod]\nrole_arn = ${newRole('admin', { maxSessionDuration: 43_200 })}\nsource_profile = default\nduration_seconds = 43200\n`,
    );
    await get('prod');
    expect(said).toEqual([
      expect.stringContaining('duration_seconds of profile prod is cut to 3600: AWS lets'),
    ]);
    await login({ ...options, profile: 'prod', ifNeeded: false }, context());
    expect(said).toHaveLength(1);
  });

  test('that lasts no longer than --min-ttl is kept for half its time', async () => {
    storeMfaSession();
    writeConfig(
      `[profile prod]\nrole_arn = ${newRole('admin')}\nsource_profile = default\nduration_seconds = 900\n`,
    );
    const live = await get('prod', { minTtl: 3000 });
    expect(live.renewAt).toBe(live.session.expiration - 450);
    expect(await get('prod', { minTtl: 3000 })).toEqual(live);
  });

  test('asks AWS for the name of a user who was never initialised, and pads one of a single letter', async () => {
    const x = aws.createUser({ name: 'x' });
    const session = aws.mintSession(x, { mfa: true });
    writeCredentials(
      home,
      `[default]\n${keyLines(x)}[default-sts]\n${sessionLines(session, session.expiration)}`,
    );
    writeConfig(`[profile prod]\nrole_arn = ${newRole('admin')}\nsource_profile = default\n`);
    expect(await whoIs(await get('prod'))).toMatch(/assumed-role\/admin\/aws-iam-login-x$/);
  });

  test('may stand in the credentials file', async () => {
    storeMfaSession();
    fs.appendFileSync(
      home.credentials,
      `[prod]\nrole_arn = ${newRole('admin')}\nsource_profile = default-sts\n`,
    );
    expect(await whoIs(await get('prod'))).toMatch(/assumed-role\/admin\/jane$/);
  });

  test.each([
    ['its source', 'external_id = ext-1', 'source_profile = main'],
    ['its external id', 'source_profile = main', 'external_id = ext-1'],
  ])(
    'may have %s in the credentials file, and the rest with the key in the config file',
    async (_name, inConfig, inCredentials) => {
      writeCredentials(home, `[prod]\n${inCredentials}\n`);
      const key = `[profile main]\n${keyLines(jane)}mfa_serial = ${phone.serialNumber}\nusername = jane\n`;
      const arn = newRole('admin', { externalId: 'ext-1' });
      writeConfig(`${key}[profile prod]\nrole_arn = ${arn}\n${inConfig}\n`);
      expect(await whoIs(await get('prod', { tokenCode: phone.code() }))).toMatch(
        /assumed-role\/admin\/jane$/,
      );
      expect(sectionOf(home, 'main-sts')['aws_access_key_id']).toMatch(/^ASIA/);
      expect(sectionOf(home, 'prod-sts')['assumed_from']).toBe('main');
    },
  );

  test('that is its own source keeps the MFA session in [self-user-sts]', async () => {
    writeCredentials(home, `[self]\n${keyLines(jane)}mfa_serial = ${phone.serialNumber}\n`);
    writeConfig(`[profile self]\nrole_arn = ${newRole('admin')}\nsource_profile = self\n`);
    expect(await whoIs(await get('self', { tokenCode: phone.code() }))).toMatch(/assumed-role\/admin\/jane$/);
    expect(sectionOf(home, 'self-user-sts')['assumed_role_arn']).toBeUndefined();
    expect(sectionOf(home, 'self-sts')['assumed_from']).toBe('self');
    await login({ ...options, profile: 'self', ifNeeded: false }, context());
    expect(requests()).toEqual(['GetSessionToken', 'AssumeRole', 'AssumeRole']);
  });

  test('of a chain three deep keeps the sessions on the way for others', async () => {
    storeMfaSession();
    const one = newRole('one');
    const two = newRole('two', { account: '777788889999', trusts: [one], requireMfa: false });
    const three = newRole('three', { account: '111122223333', trusts: [two], requireMfa: false });
    writeConfig(
      `[profile three]\nrole_arn = ${three}\nsource_profile = two\n[profile two]\nrole_arn = ${two}\nsource_profile = one-sts\n[profile one]\nrole_arn = ${one}\nsource_profile = default\n`,
    );
    expect(await whoIs(await get('three'))).toBe('arn:aws:sts::111122223333:assumed-role/three/jane');
    expect(sectionOf(home, 'three-sts')['assumed_from']).toBe('two');
    expect(await whoIs(await get('two'))).toBe('arn:aws:sts::777788889999:assumed-role/two/jane');
    expect(requests()).toEqual(['AssumeRole', 'AssumeRole', 'AssumeRole']);
    aws.expireSession(sectionOf(home, 'two-sts')['aws_access_key_id'] ?? '');
    await login({ ...options, profile: 'three', ifNeeded: false }, context());
    expect(requests()).toHaveLength(6);
  });

  describe('of a chain', () => {
    test('goes on where the session in the middle is over, by the clock or for AWS only', async () => {
      writeChain();
      await get('one');
      const first = sectionOf(home, 'one-sts')['aws_access_key_id'];
      const text = fs.readFileSync(home.credentials, 'utf8');
      const [before = '', after = ''] = text.split('[one-sts]');
      writeCredentials(home, `${before}[one-sts]${after.replace(/expiration = \d+/, 'expiration = 2020')}`);
      expect(await whoIs(await get('two'))).toMatch(/assumed-role\/two\/jane$/);
      const second = sectionOf(home, 'one-sts')['aws_access_key_id'] ?? '';
      expect(second).not.toBe(first);
      aws.expireSession(second);
      await login({ ...options, profile: 'two', ifNeeded: false }, context());
      expect(sectionOf(home, 'one-sts')['aws_access_key_id']).not.toBe(second);
      expect(requests().filter((action) => action !== 'AssumeRole')).toEqual([]);
    });

    test('is not assumed with a session of somebody else in the middle, which stays', async () => {
      writeChain();
      const foreign = aws.mintSession(jane, { seconds: 7200 });
      fs.appendFileSync(home.credentials, `[one-sts]\n${sessionLines(foreign, foreign.expiration)}`);
      const before = snapshot(home);
      expect((await failureOf(get('two'))).message).toMatch(
        /^\[one-sts\] in .* was not fetched for role one/,
      );
      expect(snapshot(home)).toEqual(before);
      expect(aws.count()).toBe(0);
    });
  });

  test('is assumed with a new MFA session where AWS has ended the one that looks live', async () => {
    storeMfaSession();
    aws.expireSession(sectionOf(home, 'default-sts')['aws_access_key_id'] ?? '');
    writeConfig(`[profile prod]\nrole_arn = ${newRole('admin')}\nsource_profile = default\n`);
    await get('prod', { tokenCode: phone.code() });
    expect(requests()).toEqual(['AssumeRole', 'GetSessionToken', 'AssumeRole']);
  });

  test('is renewed from an MFA session that has a minute left', async () => {
    storeMfaSession(100);
    writeConfig(`[profile prod]\nrole_arn = ${newRole('admin')}\nsource_profile = default\n`);
    await get('prod');
    expect(requests()).toEqual(['AssumeRole']);
  });

  test('whose source runs our own credential_process counts as that profile', async () => {
    storeMfaSession();
    writeConfig(
      `[profile default-live]\ncredential_process = "/opt/my tools/aws-iam-login" credential-process default\n[profile prod]\nrole_arn = ${newRole('admin')}\nsource_profile = default-live\n`,
    );
    expect(await whoIs(await get('prod'))).toMatch(/assumed-role\/admin\/jane$/);
    expect(sectionOf(home, 'prod-sts')['assumed_from']).toBe('default');
  });

  test('is what AWS_PROFILE may name', async () => {
    storeMfaSession();
    writeConfig(`[profile prod]\nrole_arn = ${newRole('admin')}\nsource_profile = default\n`);
    const { exitCode, stdout, stderr } = await run(home, ['env'], { env: { AWS_PROFILE: 'prod' } });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`AWS_ACCESS_KEY_ID='${sectionOf(home, 'prod-sts')['aws_access_key_id']}'`);
    expect(stdout).toContain("AWS_IAM_LOGIN_PROFILE='prod'");
  });
});

describe('a stored role session', () => {
  test('is not handed out for another role, or from another source', async () => {
    const one = newRole('one');
    const two = newRole('two');
    storeMfaSession();
    storeMfaSession(40_000, 'other-sts');
    fs.appendFileSync(home.credentials, `[other]\n${keyLines(jane)}mfa_serial = ${phone.serialNumber}\n`);
    writeConfig(`[profile prod]\nrole_arn = ${one}\nsource_profile = default\n`);
    await get('prod');
    writeConfig(`[profile prod]\nrole_arn = ${two}\nsource_profile = default\n`);
    expect(await whoIs(await get('prod'))).toMatch(/assumed-role\/two\/jane$/);
    writeConfig(`[profile prod]\nrole_arn = ${two}\nsource_profile = other\n`);
    await get('prod');
    expect(sectionOf(home, 'prod-sts')['assumed_from']).toBe('other');
    expect(requests()).toEqual(['AssumeRole', 'AssumeRole', 'AssumeRole']);
  });

  test('is no user session where the profile is no role any more', async () => {
    storeMfaSession();
    writeConfig(`[profile prod]\nrole_arn = ${newRole('one')}\nsource_profile = default\n`);
    await get('prod');
    writeConfig('');
    fs.appendFileSync(home.credentials, `[prod]\n${keyLines(jane)}mfa_serial = ${phone.serialNumber}\n`);
    expect(await whoIs(await get('prod', { tokenCode: phone.code() }))).toBe(jane.arn);
    expect(sectionOf(home, 'prod-sts')['assumed_role_arn']).toBeUndefined();
  });

  test('of somebody else is neither handed out nor overwritten, and no code is spent', async () => {
    writeConfig(`[profile prod]\nrole_arn = ${newRole('one')}\nsource_profile = default\n`);
    const foreign = aws.mintSession(jane, { seconds: 7200 });
    fs.appendFileSync(home.credentials, `[prod-sts]\n${sessionLines(foreign, foreign.expiration)}`);
    const before = snapshot(home);
    const { message, hint } = await failureOf(get('prod', { tokenCode: phone.code() }));
    expect(message).toMatch(
      /^\[prod-sts\] in .* holds a session that was not fetched for role prod, and is not/,
    );
    expect(hint).toContain('rename or remove that section');
    expect(snapshot(home)).toEqual(before);
    expect(aws.count()).toBe(0);
  });
});

test('two profiles with one role have a session each', async () => {
  storeMfaSession();
  const arn = newRole('admin');
  writeConfig(
    ['a', 'b'].map((name) => `[profile ${name}]\nrole_arn = ${arn}\nsource_profile = default\n`).join(''),
  );
  const [a, b] = [await get('a'), await get('b')];
  expect(a.session.accessKeyId).not.toBe(b.session.accessKeyId);
  expect(await whoIs(a)).toBe(await whoIs(b));
});

test('init and rotate of a role name the user profile at its end, and rotate takes it after a question', async () => {
  storeMfaSession();
  writeConfig(
    `[profile a]\nrole_arn = ${newRole('a')}\nsource_profile = b\n[profile b]\nrole_arn = ${newRole('b')}\nsource_profile = default-sts\n`,
  );
  const init = await run(home, ['init', 'a', '--force']);
  expect(init.exitCode).toBe(1);
  expect(init.stderr).toBe(
    'aws-iam-login: profile a is a role, which has no MFA device of its own\n  hint: run: aws-iam-login init default\n',
  );
  const asked = await runProcess(home, ['rotate', 'a']);
  expect(asked.exitCode).toBe(3);
  expect(asked.stderr).toContain(
    'to rotate the key of profile default, whose role was named, needs a confirmation',
  );
  expect(asked.stderr).toContain('hint: name the profile itself: aws-iam-login rotate default\n');
  expect(aws.keys(jane)).toHaveLength(1);
  const done = await run(home, ['rotate', 'a', '--yes']);
  expect(done.exitCode).toBe(0);
  expect(sectionOf(home, 'default')['aws_access_key_id']).not.toBe(jane.accessKeyId);
  expect(sectionOf(home, 'default')['aws_access_key_id']).toBe(aws.keys(jane)[0]?.accessKeyId);
});

test('eight processes that need one role make one AssumeRole', async () => {
  storeMfaSession();
  writeConfig(`[profile prod]\nrole_arn = ${newRole('admin')}\nsource_profile = default\n`);
  aws.fault('AssumeRole', 'hold');
  const running = Array.from({ length: 8 }, () => start(home, ['env', 'prod']));
  await aws.untilHeld();
  aws.release();
  const ended = await Promise.all(running.map((each) => each.ended));
  expect(new Set(ended.map(({ stdout }) => stdout)).size).toBe(1);
  expect(ended.map(({ exitCode }) => exitCode)).toEqual(ended.map(() => 0));
  expect(aws.count('AssumeRole')).toBe(1);
});

test('the session of a user profile that is a role as well stands beside the role session', () => {
  writeCredentials(home, `[self]\n${keyLines(jane)}`);
  writeConfig(
    `[profile self]\nrole_arn = ${newRole('a')}\nsource_profile = self-user-sts\n[profile next]\nrole_arn = ${newRole('b')}\nsource_profile = self\n`,
  );
  const shared = readSharedFiles(home.env);
  for (const name of ['self', 'next']) {
    const { user, roles } = resolveRoleChain(getProfile(name, shared), shared);
    expect(sessionOwner(user)).toBe('self-user');
    expect(roles.map(({ profile }) => profile.name)).toEqual([name]);
  }
});
