import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { shortId } from '../src/rotation/description.ts';
import type { Fault } from './local-aws/faults.ts';
import { withFault } from './support/faults.ts';
import { run, sessionLines, snapshot, start } from './support/program.ts';
import {
  type Outcome,
  type Scene,
  expectAtRest,
  isAtRest,
  journalFiles,
  newScene,
  pairIn,
  recover,
  runHere,
} from './support/rotation.ts';
import { atSize } from './support/size.ts';
import { closeTerminals, openTerminal } from './support/terminal.ts';

let scene: Scene;

beforeEach(async () => {
  scene = await newScene();
});

afterEach(async () => {
  await closeTerminals();
  await scene.remove();
});

const rotate = (...options: string[]): Promise<Outcome> => runHere(scene, ['default', 'rotate', ...options]);

const code = (): string[] => ['--token-code', scene.phone.code()];

const actions = (): string[] => scene.aws.calls.map(({ action }) => action);

const ids = (): string[] => scene.aws.keys(scene.user).map(({ accessKeyId }) => accessKeyId);

/** Runs a rotation that ends with a fault at a call of this action, and leaves a journal. */
const interruptAt = async (action: string, fault: Fault = { kind: 'drop' }): Promise<Outcome> => {
  scene.aws.fault(action, fault, { times: 3 });
  const outcome = await rotate('--yes');
  scene.aws.clearFaults();
  expect(outcome.exitCode).toBe(1);
  expect(journalFiles(scene)).toEqual(['aws.123456789012.jane.ini']);
  return outcome;
};

describe('a rotation', () => {
  test('replaces the key in every profile of both files, and no other byte', async () => {
    const { exitCode, stdout, stderr } = await rotate();
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    await expectAtRest(scene);
    const oldId = shortId(scene.user.accessKeyId);
    const newId = shortId(pairIn(scene).accessKeyId);
    const where = 'in [default], [long.term@x] of ~/.aws/credentials and [in-config] of ~/.aws/config';
    expect(stderr.replace(/after \d+ s/, 'after 0 s').split('\n')).toEqual([
      `aws-iam-login: 1/6 list: user jane has one access key, ${oldId}, made just now, ${where}`,
      `aws-iam-login: 2/6 create: ${newId}`,
      `aws-iam-login: 3/6 wait: AWS knows ${newId}, after 0 s`,
      `aws-iam-login: 4/6 write: ${newId} into ${where.slice(3)}`,
      `aws-iam-login: 5/6 deactivate: ${oldId}; ${newId} works without it`,
      `aws-iam-login: 6/6 delete: ${oldId}, last used just now (iam, eu-west-1)`,
      `aws-iam-login: access key ${newId} of user jane is active, ${where}; ${oldId} is deleted`,
      '',
    ]);
  });

  test('calls AWS in the order that leaves a working key, and the new key signs once it is known', async () => {
    const oldId = scene.user.accessKeyId;
    await rotate();
    const newId = pairIn(scene).accessKeyId;
    const probes = ['GetCallerIdentity', 'GetCallerIdentity', 'GetCallerIdentity'];
    expect(actions().filter((action) => !probes.includes(action))).toEqual([
      'ListAccessKeys',
      'CreateAccessKey',
      'ListAccessKeys',
      'UpdateAccessKey',
      'ListAccessKeys',
      'GetAccessKeyLastUsed',
      'DeleteAccessKey',
    ]);
    const signers = scene.aws.calls.map(({ accessKeyId }) => accessKeyId);
    expect(signers.slice(0, 3)).toEqual([oldId, oldId, oldId]);
    expect(new Set(signers.slice(3))).toEqual(new Set([newId]));
  });

  test('shows no secret and writes none but into the files', async () => {
    const { stdout, stderr } = await rotate('--json', '--debug');
    const secrets = [scene.user.secretAccessKey, pairIn(scene).secretAccessKey];
    const state = fs
      .readdirSync(scene.home.state, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => fs.readFileSync(join(entry.parentPath, entry.name), 'utf8'));
    for (const text of [stdout, stderr, ...state]) {
      for (const secret of secrets) expect(text).not.toContain(secret);
    }
  });

  test('with --json says which key is active where, with whole ids', async () => {
    const { stdout } = await rotate('--json');
    const { credentials, config } = scene.home;
    expect(JSON.parse(stdout)).toEqual({
      State: 'rotated',
      Account: '123456789012',
      UserName: 'jane',
      AccessKeyId: pairIn(scene).accessKeyId,
      Profiles: [
        { Profile: 'default', File: credentials },
        { Profile: 'long.term@x', File: credentials },
        { Profile: 'in-config', File: config },
      ],
      OtherAccessKey: { AccessKeyId: scene.user.accessKeyId, Status: 'deleted' },
    });
  });

  test('with --keep-old leaves the old key inactive', async () => {
    const { stderr } = await rotate('--keep-old');
    expect(stderr).toContain(`; ${shortId(scene.user.accessKeyId)} is inactive`);
    expect(scene.aws.keys(scene.user)).toEqual([
      { accessKeyId: scene.user.accessKeyId, status: 'Inactive' },
      { accessKeyId: pairIn(scene).accessKeyId, status: 'Active' },
    ]);
    expect(journalFiles(scene)).toEqual([]);
  });

  test('keeps in mind that the old key is to be kept', async () => {
    scene.aws.fault('UpdateAccessKey', 'drop', { times: 3 });
    await rotate('--keep-old');
    await rotate();
    expect(scene.aws.keys(scene.user)[0]?.status).toBe('Inactive');
  });

  test('names a session that stays valid as valid as before', async () => {
    const session = scene.aws.mintSession(scene.user, { mfa: true });
    fs.appendFileSync(
      scene.home.credentials,
      `\n[default-sts]\n${sessionLines(session, session.expiration)}`,
    );
    await rotate();
    const live = await run(scene.home, ['env', 'default']);
    expect(live.stdout).toContain(session.sessionToken);
  });

  test('takes the user from AWS: a profile whose username names somebody else changes only its own key', async () => {
    const bob = scene.aws.createUser({ name: 'bob', admin: true });
    const text = fs
      .readFileSync(scene.home.credentials, 'latin1')
      .replace('username = jane', 'username = bob');
    fs.writeFileSync(scene.home.credentials, text, 'latin1');
    expect((await rotate()).exitCode).toBe(0);
    expect(scene.aws.keys(bob)).toEqual([{ accessKeyId: bob.accessKeyId, status: 'Active' }]);
    expect(ids()).toEqual([pairIn(scene).accessKeyId]);
    expect(ids()).not.toEqual([scene.user.accessKeyId]);
  });

  test('knows users with a path, and other partitions', async () => {
    const user = scene.aws.createUser({
      name: 'wang.li@x',
      path: '/team/a/',
      partition: 'aws-cn',
      account: '210987654321',
    });
    fs.writeFileSync(
      scene.home.credentials,
      `[default]\naws_access_key_id = ${user.accessKeyId}\naws_secret_access_key = ${user.secretAccessKey}\nregion = cn-northwest-1\n`,
    );
    expect((await rotate()).stderr).toContain('of user wang.li@x is active');
    expect(scene.aws.keys(user)).toEqual([{ accessKeyId: pairIn(scene).accessKeyId, status: 'Active' }]);
  });

  test('writes through a symbolic link and keeps the mode of the file', async () => {
    const real = join(scene.home.folder, 'real');
    fs.renameSync(scene.home.credentials, real);
    fs.symlinkSync(real, scene.home.credentials);
    fs.chmodSync(real, 0o640);
    await rotate();
    await expectAtRest(scene);
    expect(fs.lstatSync(scene.home.credentials).isSymbolicLink()).toBe(true);
    expect(fs.statSync(real).mode & 0o777).toBe(0o640);
  });
});

/** What AWS has done but tell. */
const changes = (): string[] =>
  scene.aws.calls
    .filter(({ action, status }) => status === 200 && !/^(Get|List)/.test(action))
    .map(({ action }) => action);

const refuse = async (text: string, args: readonly string[] = ['default', 'rotate']): Promise<string> => {
  fs.writeFileSync(scene.home.credentials, text);
  const before = snapshot(scene.home);
  const { exitCode, stderr } = await runHere(scene, args);
  expect(exitCode).not.toBe(0);
  expect(snapshot(scene.home)).toEqual(before);
  expect(changes()).toEqual([]);
  expect(journalFiles(scene)).toEqual([]);
  return stderr;
};
const lines = ({ accessKeyId, secretAccessKey }: { accessKeyId: string; secretAccessKey: string }): string =>
  `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`;

describe('a rotation is refused, and AWS and the files stay as they are,', () => {
  test('where the key comes from a credential_process', async () => {
    expect(await refuse('[default]\ncredential_process = pass show aws\n')).toMatch(
      /comes from its credential_process, where a new one cannot be stored .*\n {2}hint: rotate the key where/,
    );
  });

  test('for a role whose source is missing', async () => {
    const text = '[default]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base-sts\n';
    expect(await refuse(text)).toContain('source_profile base of profile default is neither in');
  });

  test('for a session', async () => {
    const session = scene.aws.mintSession(scene.user);
    expect(await refuse(`[default]\n${sessionLines(session, session.expiration)}`)).toContain(
      'holds a session',
    );
  });

  test('for the key of a root user', async () => {
    expect(await refuse(`[default]\n${lines(scene.aws.createRootKey())}`)).toContain('is a root key');
  });

  test('for half a key, and for two halves in two files', async () => {
    const [id = '', secret = ''] = lines(scene.user).split('\n');
    expect(await refuse(`[default]\n${id}\n`)).toContain('aws_secret_access_key is missing');
    fs.writeFileSync(scene.home.config, `[default]\n${secret}\n`);
    expect(await refuse(`[default]\n${id}\n`)).toContain('are not in the same file');
  });

  test('for a file that AWS tools reject, naming the line', async () => {
    expect(await refuse(`[default]\n${lines(scene.user)}nonsense\n`)).toContain(' line 4: ');
  });

  test('for an unknown profile, and for a wrong key', async () => {
    expect(await refuse(`[default]\n${lines(scene.user)}`, ['rotate', 'defualt'])).toContain(
      'did you mean default?',
    );
    expect(
      await refuse(`[default]\n${lines({ ...scene.user, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' })}`),
    ).toContain('AWS does not know the access key …MPLE');
  });

  test('for --resume and --abort where nothing is unfinished', async () => {
    const text = `[default]\n${lines(scene.user)}`;
    expect(await refuse(text, ['rotate', 'default', '--resume'])).toContain('there is nothing to resume');
    expect(await refuse(text, ['rotate', 'default', '--abort'])).toContain('there is nothing to abort');
    expect(await refuse(text, ['rotate', 'default', '--abort', '--resume'])).toContain('do not go together');
  });

  test('where the profile was not named and nobody can be asked', async () => {
    const text = `[default]\n${lines(scene.user)}`;
    expect(await refuse(text, ['rotate'])).toContain('hint: give --yes');
  });

  test('where the policy forbids what is needed', async () => {
    scene.aws.deny(scene.user, 'iam:CreateAccessKey');
    const stderr = await refuse(`[default]\n${lines(scene.user)}`);
    expect(stderr).toContain('not authorized to perform: iam:CreateAccessKey');
    expect(stderr).toContain('aws-iam-login policy prints what the user needs');
  });

  test('where the journal cannot be understood', async () => {
    fs.mkdirSync(join(scene.home.state, 'rotations'), { recursive: true, mode: 0o700 });
    const path = join(scene.home.state, 'rotations', 'aws.123456789012.jane.ini');
    fs.writeFileSync(path, 'phase=created\n');
    const { stderr, exitCode } = await rotate();
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('it may hold the only copy of a new secret access key'),
    });
    expect(fs.readFileSync(path, 'utf8')).toBe('phase=created\n');
    expect(actions()).toEqual([]);
  });
});

describe('with two keys', () => {
  test.each(['Active', 'Inactive'] as const)(
    'of which one is %s, nothing is changed and both are shown',
    async (status) => {
      const other = scene.aws.addAccessKey(scene.user);
      scene.aws.setKeyStatus(other.accessKeyId, status);
      const before = snapshot(scene.home);
      const { exitCode, stderr } = await rotate('--yes');
      expect(exitCode).toBe(1);
      expect(stderr).toContain(
        `${shortId(scene.user.accessKeyId)}: active, made just now, last used just now (iam, eu-west-1), in [default], `,
      );
      expect(stderr).toContain(
        `${shortId(other.accessKeyId)}: ${status.toLowerCase()}, made just now, never used, in no profile here\n`,
      );
      expect(stderr).toContain('has two access keys, the most that AWS allows');
      expect(stderr).toContain(`--delete-other deletes ${shortId(other.accessKeyId)} first`);
      expect(snapshot(scene.home)).toEqual(before);
      expect(changes()).toEqual([]);
    },
  );

  test('--delete-other deletes the other one first, also while the quota still counts it', async () => {
    const other = scene.aws.addAccessKey(scene.user);
    scene.aws.fault('CreateAccessKey', { kind: 'error', status: 409, code: 'LimitExceeded' }, { times: 2 });
    const { stderr } = await rotate('--delete-other', '--yes');
    expect(stderr).toContain(`deleted: the other key ${shortId(other.accessKeyId)}`);
    await expectAtRest(scene);
  });

  test('--delete-other asks first, and without a terminal does not delete', async () => {
    scene.aws.addAccessKey(scene.user);
    const { exitCode, stderr } = await rotate('--delete-other');
    expect(exitCode).toBe(3);
    expect(stderr).toContain('needs a confirmation, and there is no terminal to ask on');
    expect(ids()).toHaveLength(2);
  });

  test('--delete-other deletes no key that another profile uses', async () => {
    const other = scene.aws.addAccessKey(scene.user);
    fs.appendFileSync(
      scene.home.credentials,
      `\n[second]\naws_access_key_id = ${other.accessKeyId}\naws_secret_access_key = ${other.secretAccessKey}\n`,
    );
    const { exitCode, stderr } = await rotate('--delete-other', '--yes');
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`is in [second] of ~/.aws/credentials: it was not deleted`);
    expect(ids()).toHaveLength(2);
  });

  test('of which AWS lists one late, nothing is changed either', async () => {
    scene.aws.setPropagation({ listed: { seconds: 600 } });
    scene.aws.addAccessKey(scene.user);
    const { exitCode, stderr } = await rotate();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('LimitExceeded');
    expect(ids()).toHaveLength(2);
    expect(journalFiles(scene)).toEqual([]);
  });
});

const addSession = (options: { mfa: boolean; seconds?: number }, user = scene.user): void => {
  const session = scene.aws.mintSession(user, options);
  fs.appendFileSync(scene.home.credentials, `\n[default-sts]\n${sessionLines(session, session.expiration)}`);
};

describe('MFA', () => {
  test('is not asked for without a policy that demands it', async () => {
    await rotate();
    expect(actions()).not.toContain('GetSessionToken');
  });

  test('costs one code where the policy demands it', async () => {
    scene.aws.denyWithoutMfa(scene.user);
    expect(await rotate(...code())).toMatchObject({ exitCode: 0 });
    expect(scene.aws.count('GetSessionToken')).toBe(1);
    await expectAtRest(scene);
  });

  test.each(['iam:CreateAccessKey', 'iam:UpdateAccessKey', 'iam:DeleteAccessKey'])(
    'is asked for when it is first demanded, which is at %s',
    async (demanded) => {
      const all = ['List', 'Create', 'Update', 'Delete'].map((verb) => `iam:${verb}AccessKey`);
      const open = [...all, 'iam:ListAccessKeys', 'iam:GetAccessKeyLastUsed'].filter(
        (each) => each !== demanded,
      );
      scene.aws.denyWithoutMfa(scene.user, open);
      expect(await rotate(...code())).toMatchObject({ exitCode: 0 });
      expect(scene.aws.count('GetSessionToken')).toBe(1);
      await expectAtRest(scene);
    },
  );

  test('is not asked for because the last use is a secret', async () => {
    scene.aws.denyWithoutMfa(scene.user, [
      'iam:ListAccessKeys',
      'iam:CreateAccessKey',
      'iam:UpdateAccessKey',
      'iam:DeleteAccessKey',
    ]);
    const { stderr } = await rotate();
    expect(stderr).toContain('last use unknown');
    await expectAtRest(scene);
  });

  test('takes a live session for it, without a code', async () => {
    scene.aws.denyWithoutMfa(scene.user);
    addSession({ mfa: true });
    expect(await rotate()).toMatchObject({ exitCode: 0 });
    expect(actions()).not.toContain('GetSessionToken');
    await expectAtRest(scene);
  });

  test('takes no session that has no MFA, is of another user, or ends too soon', async () => {
    for (const session of [
      () => addSession({ mfa: false }),
      () => addSession({ mfa: true }, scene.aws.createUser({ name: 'bob', admin: true })),
      () => addSession({ mfa: true, seconds: 200 }),
    ]) {
      await scene.remove();
      scene = await newScene();
      scene.aws.denyWithoutMfa(scene.user);
      session();
      expect(await rotate(...code())).toMatchObject({ exitCode: 0 });
      expect(scene.aws.count('GetSessionToken')).toBe(1);
      await expectAtRest(scene);
    }
  });

  test('that cannot be asked for ends the rotation before anything is changed', async () => {
    scene.aws.denyWithoutMfa(scene.user);
    const { exitCode, stderr } = await rotate();
    expect(exitCode).toBe(3);
    expect(stderr).toContain('--token-code');
    expect(isAtRest(scene)).toBe(true);
    expect(ids()).toEqual([scene.user.accessKeyId]);
  });

  test('that is not set up is explained', async () => {
    scene.aws.denyWithoutMfa(scene.user);
    const text = fs.readFileSync(scene.home.credentials, 'latin1').replace(/mfa_serial.*\r\n/, '');
    fs.writeFileSync(scene.home.credentials, text, 'latin1');
    const { exitCode, stderr } = await rotate();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('hint: if the policy demands MFA: aws-iam-login init default');
  });
});

describe('while AWS settles', () => {
  test.each([0, 1, 2, 8, 15, 30])(
    'for %s s, with flapping, the rotation waits no second longer',
    async (seconds) => {
      const flapping = { seconds, answers: [false, true, true, false, false, true] };
      scene.aws.setPropagation({
        created: { sts: flapping, iam: flapping },
        changed: { sts: flapping, iam: flapping },
        listed: flapping,
      });
      const { exitCode } = await rotate();
      expect(exitCode).toBe(0);
      expect(scene.clock.slept()).toBeLessThan(seconds * 1000 + 1000);
      await expectAtRest(scene);
    },
  );

  test('for longer than a minute, the rotation stops and can go on later', async () => {
    scene.aws.setPropagation({ created: { sts: { seconds: 90 } } });
    const { exitCode, stderr } = await rotate();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('after a minute');
    expect(stderr).toContain('--resume goes on');
    expect(pairIn(scene).accessKeyId).toBe(scene.user.accessKeyId);
    await scene.clock.sleep(60_000);
    expect(await rotate('--resume')).toMatchObject({ exitCode: 0 });
    await expectAtRest(scene);
  });

  test('a key that STS knows and IAM does not is waited for, too', async () => {
    // of the 12 s those count that pass by themselves, too
    const began = scene.clock.now();
    scene.aws.setPropagation({ created: { iam: { seconds: 12 } } });
    await rotate();
    expect(scene.clock.slept()).toBeGreaterThan(0);
    expect(scene.clock.now() - began).toBeGreaterThan(12_000);
    await expectAtRest(scene);
  });

  test('the wait counts down', async () => {
    scene.aws.setPropagation({ created: { sts: { seconds: 25 } } });
    const { stderr } = await rotate();
    const waits = [...stderr.matchAll(/waiting until AWS knows …\w{4} everywhere: (\d+) s at most$/gm)];
    const left = waits.map(([, seconds]) => Number(seconds));
    expect(left).toHaveLength(2);
    expect(left).toEqual(left.toSorted((one, other) => other - one));
    expect(Math.max(...left)).toBeLessThan(60);
  });

  test('a new key that fails without the old one brings the old one back', async () => {
    scene.aws.fault('GetCallerIdentity', 'InvalidClientTokenId', { skip: 4, times: 100_000 });
    const { exitCode, stderr } = await rotate();
    scene.aws.clearFaults();
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /failed once …\w{4} was inactive, so …\w{4} is active again\n {2}hint: .*--abort goes back/,
    );
    expect(scene.aws.keys(scene.user).map(({ status }) => status)).toEqual(['Active', 'Active']);
    expect(await rotate('--abort')).toMatchObject({ exitCode: 0 });
    await expectAtRest(scene);
    expect(pairIn(scene).accessKeyId).toBe(scene.user.accessKeyId);
  });
});

describe('a new key whose answer was lost', () => {
  let outcome: Outcome;

  beforeEach(async () => {
    outcome = await interruptAt('CreateAccessKey', { kind: 'drop', after: true });
  });

  test('is told at once', async () => {
    expect(ids()).toHaveLength(2);
    expect(outcome.stderr).toContain(
      'whether a new access key was made is not known, the old one works as before\n  hint: to find out and go on: aws-iam-login rotate default',
    );
    const again = await rotate('--status');
    expect(again.stderr).toContain('a new key was asked for, and its answer is not known');
  });

  test('is found at the next run and deleted with --yes, and the rotation goes on', async () => {
    const lost = ids()[1] ?? '';
    const { exitCode, stderr } = await rotate('--yes');
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      `has an access key ${shortId(lost)} since just now: the interrupted rotation made it`,
    );
    expect(stderr).toContain(`deleted: ${shortId(lost)}`);
    await expectAtRest(scene);
    expect(pairIn(scene).accessKeyId).not.toBe(scene.user.accessKeyId);
  });

  test('is deleted by --abort, and the old key stays', async () => {
    expect(await rotate('--abort', '--yes')).toMatchObject({ exitCode: 0 });
    await expectAtRest(scene);
    expect(pairIn(scene).accessKeyId).toBe(scene.user.accessKeyId);
  });

  test('is kept where nobody can be asked', async () => {
    const { exitCode, stderr } = await rotate();
    expect(exitCode).toBe(3);
    expect(stderr).toContain('needs a confirmation');
    expect(ids()).toHaveLength(2);
    expect(journalFiles(scene)).toHaveLength(1);
  });

  test('is offered for deletion on the terminal', async () => {
    const lost = shortId(ids()[1] ?? '');
    const terminal = await openTerminal(scene.home, 'aws-iam-login rotate default; echo "ended $?"');
    await terminal.until(/Delete the access key …\w{4}, whose secret nobody has\? \[y\/N\]/);
    await terminal.type('n\n');
    await terminal.until(/ended 130/);
    expect(ids()).toHaveLength(2);
    await terminal.close();
    const again = await openTerminal(scene.home, 'aws-iam-login rotate default; echo "ended $?"');
    await again.until(/whose secret nobody has/);
    await again.type('y\n');
    expect(await again.until(/ended 0/)).toContain(`deleted: ${lost}`);
    await expectAtRest(scene);
  });

  test('that somebody has put into a profile is a second key like any other', async () => {
    const lost = ids()[1] ?? '';
    fs.appendFileSync(
      scene.home.credentials,
      `\n[console]\naws_access_key_id = ${lost}\naws_secret_access_key = x\n`,
    );
    const { exitCode, stderr } = await rotate('--yes');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('has two access keys');
    expect(ids()).toHaveLength(2);
    expect(journalFiles(scene)).toEqual([]);
  });
});

/** A rotation with a disk that is full as soon as AWS has made a key. */
const rotateOnFullDisk = async (): Promise<Outcome> => {
  scene.aws.fault('CreateAccessKey', { kind: 'hold', after: true });
  const fault = { under: scene.home.state, action: 'ENOSPC', op: 'writeSync' };
  const rotation = rotate();
  await scene.aws.untilHeld();
  await withFault(fault, () => {
    scene.aws.release();
    return rotation;
  });
  return rotation;
};

describe('a new key that cannot be stored', () => {
  test('is deleted at once', async () => {
    const { exitCode, stderr } = await rotateOnFullDisk();
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/the new access key …\w{4} could not be stored and is deleted again/);
    expect(stderr).toContain('no space is left on the disk');
    expect(ids()).toEqual([scene.user.accessKeyId]);
    expect(isAtRest(scene)).toBe(true);
  });

  test('nor deleted is said to be there, and found at the next run', async () => {
    scene.aws.fault('DeleteAccessKey', 'drop', { times: 3 });
    const { stderr } = await rotateOnFullDisk();
    expect(stderr).toMatch(/the new access key …\w{4} could be neither stored nor deleted/);
    scene.aws.clearFaults();
    expect(await rotate('--yes')).toMatchObject({ exitCode: 0 });
    await expectAtRest(scene);
  });
});

describe('a CreateAccessKey that AWS never got', () => {
  test('is looked for during a minute, and then the rotation begins anew', async () => {
    await interruptAt('CreateAccessKey');
    const begun = scene.clock.slept();
    const { exitCode, stderr } = await rotate();
    expect(exitCode).toBe(0);
    expect(stderr).toContain('looking for a minute whether it made a key');
    expect(scene.clock.slept() - begun).toBeGreaterThan(50_000);
    expect(scene.clock.slept() - begun).toBeLessThan(62_000);
    await expectAtRest(scene);
  });

  test('of long ago is not waited for', async () => {
    await interruptAt('CreateAccessKey');
    await scene.clock.sleep(3_600_000);
    const begun = scene.clock.slept();
    expect(await rotate()).toMatchObject({ exitCode: 0 });
    expect(scene.clock.slept() - begun).toBeLessThan(1000);
  });

  test('leaves no journal where AWS refused it', async () => {
    scene.aws.deny(scene.user, 'iam:CreateAccessKey');
    await rotate();
    expect(journalFiles(scene)).toEqual([]);
  });
});

describe('an unfinished rotation', () => {
  const phases = {
    created: { action: 'GetCallerIdentity', skip: 1, says: /is made and kept in the journal/ },
    stored: { action: 'UpdateAccessKey', skip: 0, says: /is about to be deactivated/ },
    deleting: { action: 'DeleteAccessKey', skip: 0, says: /its deletion may have begun/ },
  } as const;

  test.each(Object.entries(phases))(
    'in the phase %s is told by --status, without a call',
    async (phase, { action, skip, says }) => {
      scene.aws.fault(action, 'drop', { skip, times: 3 });
      await rotate();
      scene.aws.forgetCalls();
      const { exitCode, stdout, stderr } = await rotate('--status');
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
      expect(stderr).toMatch(says);
      expect(stderr).toContain('aws-iam-login rotate default --resume goes on');
      const status: unknown = JSON.parse((await rotate('--status', '--json')).stdout);
      expect(status).toMatchObject({ State: 'unfinished', UserName: 'jane', Phase: phase, Aborting: false });
      expect(actions()).toEqual([]);
    },
  );

  test.each(Object.entries(phases))('in the phase %s is undone by --abort', async (_, { action, skip }) => {
    scene.aws.fault(action, 'drop', { skip, times: 3 });
    await rotate();
    const { exitCode, stderr } = await rotate('--abort');
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/access key …\w{4} of user jane is active, in .*; …\w{4} is deleted\n$/);
    await expectAtRest(scene);
    expect(pairIn(scene).accessKeyId).toBe(scene.user.accessKeyId);
  });

  test('that has deleted the old key cannot be undone, and says so', async () => {
    await interruptAt('DeleteAccessKey', { kind: 'drop', after: true });
    const { exitCode, stderr } = await rotate('--abort');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /there is no way back: the old key …\w{4} is deleted; access key …\w{4} of user jane is active/,
    );
    await expectAtRest(scene);
  });

  test('whose abort was interrupted is undone by whatever comes next', async () => {
    await interruptAt('DeleteAccessKey');
    scene.aws.fault('DeleteAccessKey', 'drop', { times: 3 });
    await rotate('--abort');
    scene.aws.clearFaults();
    const { stderr } = await rotate();
    expect(stderr).toContain('undoing the rotation of user jane');
    await expectAtRest(scene);
    expect(pairIn(scene).accessKeyId).toBe(scene.user.accessKeyId);
  });

  test('goes on for any profile that holds one of its keys', async () => {
    await interruptAt('UpdateAccessKey');
    expect(await runHere(scene, ['rotate', 'in-config'])).toMatchObject({ exitCode: 0 });
    await expectAtRest(scene);
  });

  test('keeps the new secret until it is over, and lets nobody else read it', async () => {
    const journal = (): string =>
      fs.readFileSync(join(scene.home.state, 'rotations', 'aws.123456789012.jane.ini'), 'utf8');
    scene.aws.fault('GetCallerIdentity', 'drop', { skip: 1, times: 3 });
    await rotate();
    expect(journal()).toContain('new_secret_access_key');
    expect(fs.statSync(join(scene.home.state, 'rotations', 'aws.123456789012.jane.ini')).mode & 0o777).toBe(
      0o600,
    );
    await interruptAt('UpdateAccessKey');
    expect(journal()).toContain(`new_secret_access_key=${pairIn(scene).secretAccessKey}`);
    await recover(scene, 'rotate');
    await expectAtRest(scene);
    expect(journalFiles(scene)).toEqual([]);
  });

  test('about other files is not touched', async () => {
    await interruptAt('UpdateAccessKey');
    const copy = join(scene.home.folder, 'copy');
    fs.copyFileSync(scene.home.credentials, copy);
    const elsewhere = {
      ...scene,
      home: { ...scene.home, env: { ...scene.home.env, AWS_SHARED_CREDENTIALS_FILE: copy } },
    };
    const { exitCode, stderr } = await runHere(elsewhere, ['rotate', 'default']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`is about other files: ~/.aws/credentials and`);
    expect(fs.readFileSync(copy)).toEqual(fs.readFileSync(scene.home.credentials));
  });

  test('finds its way when somebody else has deleted the old key', async () => {
    scene.aws.fault('GetCallerIdentity', 'drop', { skip: 1, times: 3 });
    await rotate();
    scene.aws.setKeyStatus(scene.user.accessKeyId, 'Deleted');
    const { exitCode, stderr } = await rotate('--abort');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('there is no way back');
    await expectAtRest(scene);
  });
});

describe('at the same time', () => {
  const calls = [
    'GetCallerIdentity',
    'ListAccessKeys',
    'CreateAccessKey',
    'UpdateAccessKey',
    'GetAccessKeyLastUsed',
    'DeleteAccessKey',
  ];

  test.each(atSize(calls.slice(0, 3), calls))(
    'a second rotation waits while the first one is at %s, and then says it is done',
    async (action) => {
      scene.aws.fault(action, 'hold', { skip: action === 'GetCallerIdentity' ? 1 : 0 });
      const first = start(scene.home, ['rotate', 'default']);
      await scene.aws.untilHeld();
      const second = start(scene.home, ['rotate', 'default']);
      await second.says('is rotating a key of user jane: waiting for it');
      scene.aws.release();
      expect(await first.ended).toMatchObject({ exitCode: 0 });
      const { exitCode, stderr } = await second.ended;
      expect({ exitCode, stderr }).toMatchObject({
        exitCode: 0,
        stderr: expect.stringContaining('another process has rotated the key: access key '),
      });
      expect(scene.aws.count('CreateAccessKey')).toBe(1);
      await expectAtRest(scene);
    },
  );

  test('each of two processes is told when the other one did the opposite', async () => {
    await interruptAt('UpdateAccessKey');
    scene.aws.fault('DeleteAccessKey', 'hold');
    const back = start(scene.home, ['rotate', 'default', '--abort']);
    await scene.aws.untilHeld();
    const forth = start(scene.home, ['rotate', 'default']);
    await forth.says('waiting for it');
    scene.aws.release();
    expect(await back.ended).toMatchObject({ exitCode: 0 });
    const { exitCode, stderr } = await forth.ended;
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('another process has undone the rotation: access key '),
    });
    await interruptAt('UpdateAccessKey');
    scene.aws.fault('DeleteAccessKey', 'hold');
    const forthAgain = start(scene.home, ['rotate', 'default']);
    await scene.aws.untilHeld();
    const backAgain = start(scene.home, ['rotate', 'default', '--abort']);
    await backAgain.says('waiting for it');
    scene.aws.release();
    expect(await forthAgain.ended).toMatchObject({ exitCode: 0 });
    const last = await backAgain.ended;
    expect({ exitCode: last.exitCode, stderr: last.stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('there is no way back: another process has rotated the key'),
    });
    await expectAtRest(scene);
  });

  test('a second rotation goes on when the first one is killed', async () => {
    scene.aws.fault('UpdateAccessKey', 'hold');
    const first = start(scene.home, ['rotate', 'default']);
    await scene.aws.untilHeld();
    const second = start(scene.home, ['rotate', 'default']);
    await second.says('waiting for it');
    first.child.kill('SIGKILL');
    expect(await second.ended).toMatchObject({ exitCode: 0 });
    expect(scene.aws.count('CreateAccessKey')).toBe(1);
    await expectAtRest(scene);
  });

  test.each(atSize(calls.slice(3), calls))(
    'a login loses nothing while a rotation is at %s',
    async (action) => {
      scene.aws.fault(action, 'hold', { skip: action === 'GetCallerIdentity' ? 1 : 0 });
      const rotation = start(scene.home, ['rotate', 'default']);
      await scene.aws.untilHeld();
      expect(await run(scene.home, ['login', 'default', ...code()])).toMatchObject({ exitCode: 0 });
      scene.aws.release();
      expect(await rotation.ended).toMatchObject({ exitCode: 0 });
      expect(pairIn(scene, 'default-sts').accessKeyId).toMatch(/^ASIA/);
      await expectAtRest(scene);
    },
  );

  test('a login whose key is rotated before AWS sees the code goes on with the new key and the same code', async () => {
    const terminal = await openTerminal(scene.home, 'aws-iam-login login default; echo "ended $?"');
    await terminal.until(/Enter MFA code for /);
    expect(await rotate()).toMatchObject({ exitCode: 0 });
    await terminal.type(`${scene.phone.code()}\n`);
    await terminal.until(/ended 0/);
    expect(scene.aws.count('GetSessionToken')).toBe(2);
    expect(pairIn(scene, 'default-sts').accessKeyId).toMatch(/^ASIA/);
    await expectAtRest(scene);
  });

  test('rotations of two users do not wait for each other', async () => {
    const bob = scene.aws.createUser({ name: 'bob' });
    fs.appendFileSync(
      scene.home.credentials,
      `\n[bob]\naws_access_key_id = ${bob.accessKeyId}\naws_secret_access_key = ${bob.secretAccessKey}\n`,
    );
    scene.aws.fault('UpdateAccessKey', 'hold');
    const first = start(scene.home, ['rotate', 'default']);
    await scene.aws.untilHeld();
    expect(await run(scene.home, ['rotate', 'bob'])).toMatchObject({ exitCode: 0 });
    scene.aws.release();
    expect(await first.ended).toMatchObject({ exitCode: 0 });
    expect(scene.aws.keys(bob)).toEqual([
      { accessKeyId: pairIn(scene, 'bob').accessKeyId, status: 'Active' },
    ]);
    expect(ids()).toEqual([pairIn(scene).accessKeyId]);
  });
});

describe('on the terminal', () => {
  test('a rotation without a named profile shows profile and key, and asks', async () => {
    const terminal = await openTerminal(scene.home, 'aws-iam-login rotate; echo "ended $?"');
    const last = shortId(scene.user.accessKeyId);
    await terminal.until(
      new RegExp(`Replace the access key ${last} of user jane in \\[default\\], .* of ~/\\.aws/.* \\[y/N\\]`),
    );
    await terminal.press('Enter');
    await terminal.until(/ended 130/);
    expect(ids()).toEqual([scene.user.accessKeyId]);
    await terminal.close();
    const again = await openTerminal(scene.home, 'aws-iam-login rotate; echo "ended $?"');
    await again.until(/\[y\/N\]/);
    await again.type('y\n');
    await again.until(/ended 0/);
    await expectAtRest(scene);
  });

  test('the code is asked for once, and the wait is one line that changes', async () => {
    scene.aws.denyWithoutMfa(scene.user);
    scene.aws.setPropagation({ created: { sts: { seconds: 3600 } } });
    const terminal = await openTerminal(scene.home, 'aws-iam-login default rotate; echo "ended $?"');
    await terminal.until(/Enter MFA code for /);
    await terminal.type(`${scene.phone.code()}\n`);
    await terminal.until(/waiting until AWS knows …\w{4} everywhere: \d+ s at most$/m);
    scene.aws.setKeyStatus(ids()[1] ?? '', 'Active');
    const screen = await terminal.until(/ended 0/);
    expect(screen).not.toContain('waiting until');
    expect(screen.match(/Enter MFA code/g)).toHaveLength(1);
    await expectAtRest(scene);
  });

  test('Ctrl-C in the midst leaves a rotation that can be resumed', async () => {
    scene.aws.fault('UpdateAccessKey', 'hold');
    const terminal = await openTerminal(scene.home, 'aws-iam-login default rotate; echo "ended $?"');
    await scene.aws.untilHeld();
    await terminal.press('C-c');
    await terminal.until(/the rotation was interrupted: .* --abort goes back/s);
    expect(await rotate('--resume')).toMatchObject({ exitCode: 0 });
    await expectAtRest(scene);
  });
});

const policyOf = async (...args: string[]): Promise<{ Statement: Record<string, unknown>[] }> => {
  const { stdout } = await runHere(scene, ['policy', ...args]);
  const parsed: { Statement: Record<string, unknown>[] } = JSON.parse(stdout);
  return parsed;
};

describe('policy', () => {
  test('is JSON with what rotate and init need, with the MFA condition and users with paths', async () => {
    const { Statement } = await policyOf();
    const own = ['arn:aws:iam::*:user/${aws:username}', 'arn:aws:iam::*:user/*/${aws:username}'];
    expect(Statement).toEqual([
      { Sid: 'FindOwnMfaDevices', Effect: 'Allow', Action: 'iam:ListMFADevices', Resource: own },
      {
        Sid: 'RotateOwnAccessKeys',
        Effect: 'Allow',
        Action: [
          'iam:CreateAccessKey',
          'iam:DeleteAccessKey',
          'iam:GetAccessKeyLastUsed',
          'iam:ListAccessKeys',
          'iam:UpdateAccessKey',
        ],
        Resource: own,
        Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } },
      },
    ]);
  });

  test('has no condition with --no-mfa', async () => {
    expect((await policyOf('--no-mfa')).Statement[1]).not.toHaveProperty('Condition');
  });

  test.each([
    ['mfa_serial = arn:aws-cn:iam::123456789012:mfa/x', [], 'arn:aws-cn:'],
    ['region = us-gov-west-1', [], 'arn:aws-us-gov:'],
    ['', ['--region', 'eusc-de-east-1'], 'arn:aws-eusc:'],
    ['', [], 'arn:aws:'],
  ])('is of the partition that %s %s tells', async (line, args, start_) => {
    fs.writeFileSync(scene.home.credentials, `[default]\n${line}\n`);
    fs.rmSync(scene.home.config);
    expect(JSON.stringify(await policyOf(...args))).toContain(`"${start_}iam::*:user/`);
  });

  test('needs no files', async () => {
    fs.rmSync(join(scene.home.folder, '.aws'), { recursive: true });
    expect((await policyOf()).Statement).toHaveLength(2);
  });

  test('names every call that a rotation makes', async () => {
    scene.aws.denyWithoutMfa(scene.user);
    await rotate(...code());
    const [devices, keys] = (await policyOf()).Statement;
    const allowed = [devices, keys].flatMap((statement) => statement?.['Action']);
    const made = scene.aws.calls
      .filter(({ service }) => service === 'iam')
      .map(({ action }) => `iam:${action}`);
    for (const action of made) expect(allowed).toContain(action);
  });
});
