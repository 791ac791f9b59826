import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { keepKey } from '../src/stores/keys.ts';
import { type Scene, useScene } from './support/fixture.ts';
import type { TestStore } from './support/key-store.ts';
import { faultyPass, makePassStore, wrapPass } from './support/pass.ts';
import { keyLines, run as runHere, runProcess, sectionOf, writeCredentials } from './support/program.ts';

// The key in a real `pass`. Each test has a GnuPG home and a password store of its own.

vi.setConfig({ testTimeout: 120_000 });

let scene: Scene;
let store: TestStore;
useScene((begun) => {
  scene = begun;
  store = makePassStore(scene.home);
  Object.assign(scene.home.env, store.env);
});
afterEach(() => store.end());

const run = (...args: string[]) => runHere(scene.home, args);

const credentials = (): string => fs.readFileSync(scene.home.credentials, 'utf8');

const toPass = () => run('init', 'default', '--key-store', 'pass', '--yes');

/** The section of a profile whose key is in pass. */
const placed = (accessKeyId: string) => ({
  aws_iam_login_key_store: 'pass',
  aws_iam_login_access_key_id: accessKeyId,
});

const itemOf = (accessKeyId: string): unknown => JSON.parse(store.show(accessKeyId) ?? 'null');

const roleOf = (name: string, more = '') =>
  `[profile ${name}]\nrole_arn = arn:aws:iam::123456789012:role/${name}\nsource_profile = default\n${more}`;

describe('init --key-store pass', () => {
  test('moves the key out of the file and says where it is', async () => {
    const { accessKeyId, secretAccessKey, name } = scene.jane;
    const { exitCode, stdout, stderr } = await toPass();
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    expect(sectionOf(scene.home, 'default')).toEqual({
      mfa_serial: scene.phone.serialNumber,
      username: name,
      ...placed(accessKeyId),
    });
    expect(itemOf(accessKeyId)).toEqual({
      Version: 1,
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
    });
    expect(stderr).toContain(`(pass show aws-iam-login/${accessKeyId})`);
    expect(stderr).toContain(
      'AWS tools that name default find no key there any more; they work with [default-sts].',
    );
    expect(stderr).toContain('hint: aws-iam-login rotate default replaces it');
    expect(stderr).not.toContain(secretAccessKey);
  });

  test('changes nothing without an answer', async () => {
    const before = credentials();
    const { exitCode, stderr } = await run('init', 'default', '--key-store', 'pass');
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('--yes') });
    expect([credentials(), store.names()]).toEqual([before, []]);
  });

  test('a second time says where the key is', async () => {
    await toPass();
    const { exitCode, stderr } = await toPass();
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(
      /^aws-iam-login: the access key …\w{4} is in .* \(kept in the password store pass\) already\n$/,
    );
  });

  test('takes every profile along that shares the key, in both files, and no other', async () => {
    const bob = scene.aws.createUser({ name: 'bob' });
    writeCredentials(
      scene.home,
      `${credentials()}\n[work]\n${keyLines(scene.jane)}\n[bob]\n${keyLines(bob)}`,
    );
    fs.writeFileSync(scene.home.config, `[profile in-config]\n${keyLines(scene.jane)}region = eu-west-1\n`);
    expect(await toPass()).toMatchObject({ exitCode: 0 });
    const { accessKeyId } = scene.jane;
    expect(sectionOf(scene.home, 'work')).toEqual(placed(accessKeyId));
    expect(sectionOf(scene.home, 'bob')).toEqual({
      aws_access_key_id: bob.accessKeyId,
      aws_secret_access_key: bob.secretAccessKey,
    });
    const [first, ...lines] = fs.readFileSync(scene.home.config, 'utf8').trimEnd().split('\n');
    expect([first, ...lines.toSorted()]).toEqual([
      '[profile in-config]',
      `aws_iam_login_access_key_id = ${accessKeyId}`,
      'aws_iam_login_key_store = pass',
      'region = eu-west-1',
    ]);
    expect(store.names()).toEqual([accessKeyId]);
    // and all of them back again
    expect(await run('init', 'work', '--key-store', 'file', '--yes')).toMatchObject({ exitCode: 0 });
    expect(sectionOf(scene.home, 'default')).toMatchObject({ aws_access_key_id: accessKeyId });
    expect(fs.readFileSync(scene.home.config, 'utf8')).toContain(scene.jane.secretAccessKey);
    expect(store.names()).toEqual([]);
  });

  test('points the roles at the session that would find no key any more, those without mfa_serial too', async () => {
    fs.writeFileSync(
      scene.home.config,
      roleOf('admin') + roleOf('dev', `mfa_serial = ${scene.phone.serialNumber}\n`),
    );
    const { stderr } = await toPass();
    const config = fs.readFileSync(scene.home.config, 'utf8');
    expect(config.match(/^source_profile = default-sts$/gm)).toHaveLength(2);
    expect(stderr).toContain('init default --roles --undo brings the old lines back');
    const undone = await run('init', 'default', '--roles', '--undo', '--yes');
    expect(undone).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining(
        'as before: other AWS tools find no key in default, it is in the password store pass\n',
      ),
    });
    expect(fs.readFileSync(scene.home.config, 'utf8').match(/^source_profile = default$/gm)).toHaveLength(2);
  });

  test('takes a store that is set up by PASSWORD_STORE_KEY, or for our items only', async () => {
    const folder = store.env['PASSWORD_STORE_DIR'] ?? '';
    fs.rmSync(join(folder, '.gpg-id'));
    scene.home.env['PASSWORD_STORE_KEY'] = 'jane@example.com';
    expect(await toPass()).toMatchObject({ exitCode: 0 });
    expect(await run('init', 'default', '--key-store', 'file', '--yes')).toMatchObject({ exitCode: 0 });
    delete scene.home.env['PASSWORD_STORE_KEY'];
    fs.mkdirSync(join(folder, 'aws-iam-login'), { recursive: true });
    fs.writeFileSync(join(folder, 'aws-iam-login', '.gpg-id'), 'jane@example.com\n');
    expect(await toPass()).toMatchObject({ exitCode: 0 });
    expect(itemOf(scene.jane.accessKeyId)).toMatchObject({ AccessKeyId: scene.jane.accessKeyId });
  });

  test('does what init does for a profile that was never initialised', async () => {
    writeCredentials(scene.home, `[default]\n${keyLines(scene.jane)}`);
    expect(await toPass()).toMatchObject({ exitCode: 0 });
    expect(sectionOf(scene.home, 'default')).toEqual({
      mfa_serial: scene.phone.serialNumber,
      username: scene.jane.name,
      ...placed(scene.jane.accessKeyId),
    });
  });

  test('warns of credentials that AWS tools without a key would go on to', async () => {
    scene.home.env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'] = '/v2/x';
    scene.home.env['AWS_EC2_METADATA_DISABLED'] = 'false';
    scene.home.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] = scene.aws.url;
    const { exitCode, stderr } = await toPass();
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      'AWS tools that find no key in default go on to the credentials of this container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI)',
    );
    expect(stderr).toContain("go on to the role of this machine (an instance's metadata service)");
  });
});

const sentence = (text: string): RegExp => new RegExp(`^aws-iam-login: ${text}.*\n {2}hint: .*\n$`);

const moveOf = async (profile: string) => {
  const before = credentials();
  const { exitCode, stderr } = await run('init', profile, '--key-store', 'pass', '--yes');
  return { exitCode, stderr, isUnchanged: credentials() === before && store.names().length === 0 };
};

const refusedFor = (text: string) => ({
  exitCode: 1,
  isUnchanged: true,
  stderr: expect.stringMatching(sentence(text)),
});

describe('a move is refused, and nothing is changed,', () => {
  test('where pass is not set up', async () => {
    fs.rmSync(join(store.env['PASSWORD_STORE_DIR'] ?? '', '.gpg-id'));
    expect(await moveOf('default')).toMatchObject(
      refusedFor('the password store pass is not set up: there is no '),
    );
  });

  test('where pass cannot encrypt, with what gpg says of it and no word of a lock', async () => {
    fs.writeFileSync(join(store.env['PASSWORD_STORE_DIR'] ?? '', '.gpg-id'), 'nobody\n');
    const { exitCode, isUnchanged, stderr } = await moveOf('default');
    expect({ exitCode, isUnchanged }).toEqual({ exitCode: 1, isUnchanged: true });
    expect(stderr).toMatch(
      /^aws-iam-login: could not change aws-iam-login\/\w+ in the password store pass: gpg: .*No public key\n {2}hint: try it by hand: pass insert aws-iam-login\/test\n$/m,
    );
  });

  test('where there is no pass', async () => {
    scene.home.env['PATH'] = join(scene.home.folder, 'bin');
    expect(await moveOf('default')).toMatchObject(
      refusedFor('the password store pass is not there: no program pass is found'),
    );
  });

  test('while a rotation of the key is unfinished', async () => {
    scene.aws.fault('DeleteAccessKey', 'drop', { times: 3 });
    await run('rotate', 'default');
    expect(await moveOf('default')).toMatchObject(
      refusedFor('a rotation of the access key of profile default is unfinished'),
    );
  });

  test('for a role', async () => {
    fs.writeFileSync(
      scene.home.config,
      '[profile admin]\nrole_arn = arn:aws:iam::123456789012:role/admin\nsource_profile = default\n',
    );
    const { stderr } = await run('init', 'admin', '--key-store', 'pass');
    expect(stderr).toContain('hint: run: aws-iam-login init default --key-store pass\n');
  });

  test('for a key that comes from a credential_process', async () => {
    const key = JSON.stringify({
      Version: 1,
      AccessKeyId: scene.jane.accessKeyId,
      SecretAccessKey: scene.jane.secretAccessKey,
    });
    writeCredentials(
      scene.home,
      `[default]\nmfa_serial = ${scene.phone.serialNumber}\nusername = jane\ncredential_process = echo '${key}'\n`,
    );
    expect(await moveOf('default')).toMatchObject(
      refusedFor('the access key of profile default comes from its credential_process'),
    );
  });

  test("for aws-mfa's profiles", async () => {
    writeCredentials(
      scene.home,
      `[work-long-term]\n${keyLines(scene.jane)}aws_mfa_device = ${scene.phone.serialNumber}\n`,
    );
    expect(await moveOf('work')).toMatchObject(
      refusedFor('the key of profile work is in \\[work-long-term\\], where aws-mfa looks for it'),
    );
  });

  test('for a profile that is named like a session', async () => {
    writeCredentials(
      scene.home,
      `[x-sts]\n${keyLines(scene.jane)}mfa_serial = ${scene.phone.serialNumber}\nusername = jane\n`,
    );
    expect(await moveOf('x-sts')).toMatchObject(refusedFor('profile x-sts is named like a session'));
  });
});

test.each([
  [['--key-store', 'pass', '--roles'], '--key-store and --roles do not go together'],
  [['--key-store', 'vault'], '--key-store is one of system, pass, file, not vault'],
  [['--yes'], '--yes goes with --roles and --key-store'],
])('init %j is a usage error', async (args, says) => {
  const { exitCode, stderr } = await run('init', 'default', ...args);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(says) });
});

describe('with the key in pass', () => {
  beforeEach(async () => {
    await toPass();
  });

  test('login, a role, env, a live session and init work as before', async () => {
    scene.aws.createRole({
      name: 'admin',
      account: scene.jane.account,
      trusts: [scene.jane.account],
      requireMfa: true,
    });
    fs.writeFileSync(
      scene.home.config,
      '[profile admin]\nrole_arn = arn:aws:iam::123456789012:role/admin\nsource_profile = default\n',
    );
    expect(await run('env', 'admin', '--token-code', scene.phone.code())).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('AWS_SESSION_TOKEN'),
    });
    // a live session never asks the store
    scene.home.env['PATH'] = join(scene.home.folder, 'bin');
    for (const args of [
      ['env', 'default'],
      ['credential-process', 'admin'],
      ['login', '--if-needed'],
    ])
      expect(await run(...args)).toMatchObject({ exitCode: 0 });
  });

  test('list and status name the store', async () => {
    expect((await run('list')).stdout).toMatch(/default +user +none +pass/);
    expect((await run('status')).stdout).toMatch(/access key +…\w{4} in the password store pass\n/);
    expect(JSON.parse((await run('list', '--json')).stdout)).toMatchObject({
      Profiles: [{ Profile: 'default', Kind: 'user', KeyStore: 'pass', AccessKeyId: scene.jane.accessKeyId }],
    });
  });

  test('doctor tells where the key is, and what an interrupted move has left in the store', async () => {
    const doctor = async () => (await run('doctor', '--offline')).stdout.replaceAll(/\s+/g, ' ');
    expect(await doctor()).toContain('ok the access key is in the password store pass and in no file');
    writeCredentials(scene.home, `[default]\n${keyLines(scene.jane)}`);
    expect(await doctor()).toMatch(
      /warning the password store pass may have the access key …\w{4}, which no profile has there aws-iam-login init default --key-store file/,
    );
    expect(await run('init', 'default', '--key-store', 'file', '--yes')).toMatchObject({ exitCode: 0 });
    expect(store.names()).toEqual([]);
    expect(await doctor()).toContain('ok the access key is in a file, in plain text');
  });

  test('keys that somebody has written into the profile win, as in every AWS tool', async () => {
    const bob = scene.aws.createUser({ name: 'bob' });
    writeCredentials(scene.home, credentials().replace('[default]\n', `[default]\n${keyLines(bob)}`));
    expect((await run('init', '--force')).exitCode).toBe(1);
    expect(scene.aws.calls.at(-1)).toMatchObject({ action: 'ListMFADevices' });
    expect((await run('list')).stdout).not.toContain('pass');
  });

  test('a store that lost the key is named', async () => {
    fs.rmSync(join(store.env['PASSWORD_STORE_DIR'] ?? '', 'aws-iam-login'), { recursive: true });
    const { exitCode, stderr } = await run('login', '--token-code', scene.phone.code());
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      sentence('the password store pass has no access key …\\w{4}, which profile default has there'),
    );
    expect(scene.aws.calls.filter(({ action }) => action === 'GetSessionToken')).toEqual([]);
  });

  test('a store whose folder is not there, as in cron, has not lost the key', async () => {
    delete scene.home.env['PASSWORD_STORE_DIR'];
    const { exitCode, stderr } = await run('login', '--token-code', scene.phone.code());
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      sentence('the password store pass is not there: there is no folder .*/\\.password-store'),
    );
  });

  test('a key that the store has lost and gets again stays there, though it cannot be read back: it may be the only copy', async () => {
    const { accessKeyId } = scene.jane;
    store.remove(accessKeyId);
    wrapPass(scene.home);
    // it is looked for, written, and read back
    const env = { ...scene.home.env, ...faultyPass('locked', 3) };
    const access = { env, mayAsk: false, limit: 60_000, onWait: () => {} };
    await expect(keepKey('pass', scene.jane, scene.home.state, access)).rejects.toThrow('is locked');
    expect(itemOf(accessKeyId)).toMatchObject({ AccessKeyId: accessKeyId });
  });

  test('an item that is no key is named, without what it is', async () => {
    const path = join(scene.home.folder, 'bin', 'pass');
    fs.writeFileSync(path, '#!/bin/sh\necho a-secret-of-somebody\n', { mode: 0o755 });
    const { exitCode, stderr } = await run('login', '--token-code', scene.phone.code());
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(sentence('what the password store pass holds for …\\w{4} is not that access key'));
    expect(stderr).not.toContain('a-secret');
  });

  test('a store that this version does not know is named', async () => {
    writeCredentials(scene.home, credentials().replace('store = pass', 'store = vault9'));
    const { exitCode, stderr } = await run('login', '--token-code', scene.phone.code());
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(sentence('vault9 is no key store that this version knows'));
  });

  test('pass sees no session of AWS in its variables', async () => {
    wrapPass(scene.home);
    const token = `token-of-${scene.jane.accessKeyId}`;
    scene.home.env['AWS_SESSION_TOKEN'] = token;
    scene.home.env['PASS_LOOK'] = '1';
    expect(await runProcess(scene.home, ['login', '--token-code', scene.phone.code()])).toMatchObject({
      exitCode: 0,
    });
    const seen = fs.readFileSync(join(scene.home.folder, 'processes.log'), 'utf8');
    expect(seen).toContain(`aws-iam-login/${scene.jane.accessKeyId}`);
    expect(seen).not.toContain(token);
  });
});
