import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readJournals } from '../src/rotation/journal.ts';
import { shortId } from '../src/rotation/description.ts';
import { start } from './support/program.ts';
import {
  type Moment,
  type Outcome,
  type Place,
  type Scene,
  everyOther,
  expectAtRest,
  expectNoLockOut,
  inParallel,
  isAtRest,
  journalFiles,
  newScene,
  pairIn,
  runHere,
  spread,
  ways,
  works,
} from './support/rotation.ts';
import { atSize } from './support/size.ts';
import { closeTerminals, openTerminal } from './support/terminal.ts';

// What other programs and people do in the midst of a rotation: files that come back, keys that somebody makes, Ctrl-C.

vi.setConfig({ testTimeout: atSize(240_000, 1_800_000) });

let scene: Scene;

beforeEach(async () => {
  scene = await newScene();
});

afterEach(async () => {
  await closeTerminals();
  await scene.remove();
});

const rotate = (...options: string[]): Promise<Outcome> => runHere(scene, ['rotate', 'default', ...options]);

const ids = (): string[] => scene.aws.keys(scene.user).map(({ accessKeyId }) => accessKeyId);

const inScene = async <Result>(
  work: (own: Scene) => Promise<Result>,
  place: Place = 'file',
): Promise<Result> => {
  const own = await newScene(place);
  try {
    return await work(own);
  } finally {
    await own.remove();
  }
};

const rotateIn = (own: Scene, ...options: string[]): Promise<Outcome> =>
  runHere(own, ['rotate', 'default', '--token-code', own.phone.code(), ...options]);

/** What another program does to the files in the midst of a rotation. */
const accidents: Readonly<Record<string, (own: Scene) => void>> = {
  'an editor writes the old credentials back': ({ home, before }) =>
    fs.writeFileSync(home.credentials, before.credentials),
  'a sync tool puts both old files back': ({ home, before }) => {
    for (const kind of ['credentials', 'config'] as const) {
      fs.writeFileSync(`${home[kind]}~`, before[kind], { mode: 0o600 });
      fs.renameSync(`${home[kind]}~`, home[kind]);
    }
  },
  'the old config file comes back': ({ home, before }) => fs.writeFileSync(home.config, before.config),
};

const names = Object.keys(accidents);

const policies = {
  none: () => {},
  'one that demands MFA': ({ aws, user }: Scene) => aws.denyWithoutMfa(user),
} as const;

/** Runs a command while an accident happens before or after AWS acts on one of its calls. */
const withAccident = async (
  own: Scene,
  { index, after }: Moment,
  accident: (own: Scene) => void,
  command: () => Promise<Outcome>,
): Promise<Outcome> => {
  own.aws.fault('*', { kind: 'hold', after }, { skip: index });
  const running = command();
  await own.aws.untilHeld();
  accident(own);
  own.aws.clearFaults();
  own.aws.release();
  return running;
};

/** What has to hold after an accident, and the two ways on from there. */
const expectSafe = async (own: Scene, outcome: Outcome, way: string): Promise<void> => {
  // a success means that what the files hold works, in every profile
  if (outcome.exitCode === 0) return expectAtRest(own);
  expect(journalFiles(own)).toHaveLength(1);
  const [journal] = readJournals(own.home.state);
  if (own.store === undefined) expect(journal?.newSecret).toBeDefined();
  else expect(own.store.names()).toContain(journal?.newId);
  expect(outcome.stderr).toMatch(/\n {2}hint: .*aws-iam-login rotate default --resume/);
  await expectNoLockOut(own);
  const next = await rotateIn(own, way === 'abort' ? '--abort' : '--resume', '--yes');
  if (!isAtRest(own)) expect(next).toBe('a way on');
  await expectAtRest(own);
};

const momentsOf = (count: number): Moment[] =>
  Array.from({ length: count }, (_, index) => index).flatMap((index) =>
    [false, true].map((after) => ({ index, after })),
  );

type Row = { readonly policy: keyof typeof policies; readonly place: Place };

const rows: readonly Row[] = [
  { policy: 'none', place: 'file' },
  { policy: 'one that demands MFA', place: 'file' },
  { policy: 'none', place: 'pass' },
  { policy: 'none', place: 'system' },
];

const counted = new Map<keyof typeof policies, Promise<number>>();

/** How many calls a rotation has: AWS is called alike wherever the key is. */
const countCalls = (policy: keyof typeof policies): Promise<number> => {
  const count =
    counted.get(policy) ??
    inScene(async (own) => {
      policies[policy](own);
      expect(await rotateIn(own)).toMatchObject({ exitCode: 0 });
      return own.aws.calls.length;
    });
  counted.set(policy, count);
  return count;
};

describe.each(rows)('with the policy $policy and the key in $place, a rotation', ({ policy, place }) => {
  const prepare = policies[policy];
  const isWhole = policy === 'none' && place === 'file';

  test.each(Object.entries(accidents).slice(place === 'file' ? 0 : atSize(-1, 0)))(
    'never ends without a working key when %s before or after any call',
    async (name, accident) => {
      const count = await countCalls(policy);
      const cases = atSize(
        spread(everyOther(momentsOf(count), names.indexOf(name)), isWhole ? 4 : 2).map((moment, at) => ({
          ...moment,
          way: ways[at % 2] ?? 'rotate',
        })),
        // what comes after differs little with a store: there every moment meets one of the two ways
        momentsOf(count).flatMap((moment) =>
          ways
            .filter((_, way) => place === 'file' || way === (moment.index + Number(moment.after)) % 2)
            .map((way) => ({ ...moment, way })),
        ),
      );
      let stopped = 0;
      await inParallel(cases, 8, (moment) =>
        inScene(async (own) => {
          prepare(own);
          const outcome = await withAccident(own, moment, accident, () => rotateIn(own));
          stopped += Number(outcome.exitCode !== 0);
          await expectSafe(own, outcome, moment.way).catch((error: unknown) => {
            const when = `${moment.after ? 'after' : 'before'} call ${moment.index + 1}`;
            throw new Error(`${name} ${when}, then ${moment.way}: ${outcome.stderr}`, { cause: error });
          });
        }, place),
      );
      expect(stopped).toBeGreaterThan(0);
      process.stdout.write(
        `accidents: ${cases.length} under the policy ${policy}, the key in ${place}, ${stopped} stopped it: ${name}\n`,
      );
    },
  );
});

/** Interrupts a rotation when both keys are there and the new one is in the files; returns the credentials file. */
const interrupted = async (own: Scene): Promise<string> => {
  own.aws.fault('DeleteAccessKey', 'drop', { times: 3 });
  await rotateIn(own);
  own.aws.clearFaults();
  own.aws.forgetCalls();
  return fs.readFileSync(own.home.credentials, 'latin1');
};

test('an abort never ends without a working key when the new credentials come back before or after any call', async () => {
  const count = await inScene(async (own) => {
    await interrupted(own);
    expect(await rotateIn(own, '--abort')).toMatchObject({ exitCode: 0 });
    return own.aws.calls.length;
  });
  let stopped = 0;
  await inParallel(atSize(spread(momentsOf(count), 5), momentsOf(count)), 8, (moment) =>
    inScene(async (own) => {
      const text = await interrupted(own);
      const comeBack = (): void => fs.writeFileSync(own.home.credentials, text, 'latin1');
      const outcome = await withAccident(own, moment, comeBack, () => rotateIn(own, '--abort'));
      await expectNoLockOut(own);
      stopped += Number(outcome.exitCode !== 0);
      if (outcome.exitCode !== 0) await rotateIn(own, '--resume');
      await expectAtRest(own);
    }),
  );
  expect(stopped).toBeGreaterThan(0);
});

test('a rotation never ends without a working key while another program writes the old file at every call', async () => {
  const [restore = () => {}] = Object.values(accidents);
  let isOver = false;
  scene.aws.fault('*', { kind: 'hold', after: true }, { times: 100_000 });
  const running = rotate().finally(() => {
    isOver = true;
  });
  const release = async (): Promise<void> => {
    await Promise.race([scene.aws.untilHeld(), running]);
    if (isOver) return;
    restore(scene);
    scene.aws.release();
    await release();
  };
  await release();
  const outcome = await running;
  scene.aws.clearFaults();
  expect(outcome.exitCode).toBe(1);
  await expectSafe(scene, outcome, 'rotate');
});

/** Runs a rotation that is held at a call while something happens. */
const holdAt =
  (action: string, after: boolean) =>
  async (happen: () => void): Promise<Outcome> => {
    scene.aws.fault(action, { kind: 'hold', after });
    const running = rotate();
    await scene.aws.untilHeld();
    happen();
    scene.aws.clearFaults();
    scene.aws.release();
    return running;
  };

describe('when the old credentials come back', () => {
  const [restore = () => {}] = Object.values(accidents);

  const restoreAt = (action: string, after: boolean): Promise<Outcome> =>
    holdAt(action, after)(() => restore(scene));

  test('after the deactivation, nothing is deleted, and the old key is active again', async () => {
    const { exitCode, stderr } = await restoreAt('GetAccessKeyLastUsed', true);
    expect(exitCode).toBe(1);
    const old = shortId(scene.user.accessKeyId);
    expect(stderr).toMatch(
      new RegExp(
        `aws-iam-login: \\[default\\], \\[long\\.term@x\\] of \\S+ hold the old access key ${old} again, .*: ` +
          `nothing was deleted, ${old} is active again, and the journal keeps the new key …\\w{4}\n` +
          '  hint: aws-iam-login rotate default --resume writes …\\w{4} again and goes on, aws-iam-login rotate default --abort goes back\n$',
      ),
    );
    expect(scene.aws.keys(scene.user).map(({ status }) => status)).toEqual(['Active', 'Active']);
    expect(await works(scene, pairIn(scene))).toBe(true);
    expect(await rotate('--resume')).toMatchObject({ exitCode: 0 });
    await expectAtRest(scene);
    expect(pairIn(scene).accessKeyId).not.toBe(scene.user.accessKeyId);
  });

  test('while the old key is deleted, the journal keeps the new one, and --resume writes it again', async () => {
    const { exitCode, stderr } = await restoreAt('DeleteAccessKey', true);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /hold the old access key …\w{4} again, .*: …\w{4} is deleted, and the journal keeps the new key …\w{4}\n {2}hint: aws-iam-login rotate default --resume writes …\w{4} again and goes on\n$/,
    );
    expect(ids()).toHaveLength(1);
    expect((await rotate('--status')).stderr).toContain('--resume goes on');
    expect(await rotate('--resume')).toMatchObject({ exitCode: 0 });
    await expectAtRest(scene);
  });
});

/** Empties the credentials file, which alone holds the key, at a call of a rotation. */
const empty = async (action: string): Promise<Outcome> => {
  fs.writeFileSync(scene.home.config, '[default]\nregion = eu-west-1\n');
  const running = holdAt(action, true);
  const outcome = await running(() => fs.writeFileSync(scene.home.credentials, ''));
  expect(outcome.exitCode).toBe(1);
  expect(outcome.stderr).toMatch(
    /no profile holds the new access key …\w{4} any more: .* the journal keeps the new key/,
  );
  await expectNoLockOut(scene);
  return outcome;
};

describe('when the credentials file is emptied', () => {
  test.each(['UpdateAccessKey', 'GetAccessKeyLastUsed', 'DeleteAccessKey'])(
    'at %s, --resume writes the new key into its profile',
    async (action) => {
      await empty(action);
      expect(await rotate('--resume')).toMatchObject({ exitCode: 0 });
      expect(scene.aws.keys(scene.user)).toEqual([
        { accessKeyId: pairIn(scene).accessKeyId, status: 'Active' },
      ]);
      expect(pairIn(scene).accessKeyId).not.toBe(scene.user.accessKeyId);
      expect(await works(scene, pairIn(scene))).toBe(true);
    },
  );

  test('--abort writes the old key into its profile', async () => {
    await empty('UpdateAccessKey');
    expect(await rotate('--abort')).toMatchObject({ exitCode: 0 });
    expect(ids()).toEqual([scene.user.accessKeyId]);
    expect(pairIn(scene)).toMatchObject({ accessKeyId: scene.user.accessKeyId });
    expect(await works(scene, pairIn(scene))).toBe(true);
  });

  test('in the answer to CreateAccessKey that is lost, --abort writes the old key into its profile', async () => {
    scene.aws.fault('CreateAccessKey', { kind: 'drop', after: true }, { times: 3 });
    await rotate();
    fs.writeFileSync(scene.home.credentials, '');
    fs.writeFileSync(scene.home.config, '');
    expect(await rotate('--abort', '--yes')).toMatchObject({ exitCode: 0 });
    expect(ids()).toEqual([scene.user.accessKeyId]);
    expect(await works(scene, pairIn(scene))).toBe(true);
  });

  test('and the profile then has a key of its own, that one is not written over', async () => {
    await empty('GetAccessKeyLastUsed');
    const bob = scene.aws.createUser({ name: 'bob' });
    const text = `[default]\naws_access_key_id = ${bob.accessKeyId}\naws_secret_access_key = ${bob.secretAccessKey}\n`;
    fs.writeFileSync(scene.home.credentials, text);
    const { exitCode, stderr } = await rotate('--resume');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('[default] holds another one: nothing was deleted');
    expect(stderr).toContain('(aws_access_key_id, aws_secret_access_key) from [default], then');
    expect(fs.readFileSync(scene.home.credentials, 'utf8')).toBe(text);
    await expectNoLockOut(scene);
    fs.writeFileSync(scene.home.credentials, '[default]\n');
    expect(await rotate('--resume')).toMatchObject({ exitCode: 0 });
    expect(await works(scene, pairIn(scene))).toBe(true);
  });
});

const day = 86_400_000;

/** A CreateAccessKey that AWS never got: its journal is there. */
const failToCreate = async (): Promise<void> => {
  scene.aws.fault('CreateAccessKey', 'drop', { times: 3 });
  expect((await rotate()).exitCode).toBe(1);
  scene.aws.clearFaults();
  expect(journalFiles(scene)).toHaveLength(1);
};

describe('a key that the user has and did not have before', () => {
  test('is not the lost one when somebody made it days after CreateAccessKey', async () => {
    await failToCreate();
    await scene.clock.sleep(3 * day);
    const other = scene.aws.addAccessKey(scene.user);
    const { exitCode, stderr } = await rotate('--yes');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('has two access keys, the most that AWS allows');
    expect(stderr).toContain(`--delete-other deletes ${shortId(other.accessKeyId)} first`);
    expect(stderr).not.toContain('its secret is lost');
    expect(ids()).toEqual([scene.user.accessKeyId, other.accessKeyId]);
  });

  test('is not the lost one when somebody made it a minute after CreateAccessKey, nor for --abort', async () => {
    await failToCreate();
    await scene.clock.sleep(61_000);
    const other = scene.aws.addAccessKey(scene.user);
    const { exitCode, stderr } = await rotate('--abort', '--yes');
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining(`another access key, ${shortId(other.accessKeyId)}`),
    });
    expect(ids()).toEqual([scene.user.accessKeyId, other.accessKeyId]);
  });

  test('is not the lost one when it has been used', async () => {
    await failToCreate();
    const other = scene.aws.addAccessKey(scene.user);
    expect(await works(scene, other)).toBe(true);
    expect((await rotate('--yes')).exitCode).toBe(1);
    expect(ids()).toEqual([scene.user.accessKeyId, other.accessKeyId]);
    expect(await rotate('--yes', '--delete-other')).toMatchObject({ exitCode: 0 });
    await expectAtRest(scene);
  });

  test('is not the lost one when AWS does not tell whether it has been used', async () => {
    scene.aws.fault('CreateAccessKey', { kind: 'drop', after: true }, { times: 3 });
    await rotate();
    const both = ids();
    expect(both).toHaveLength(2);
    scene.aws.deny(scene.user, 'iam:GetAccessKeyLastUsed');
    const { exitCode, stderr } = await rotate('--yes');
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`another access key, ${shortId(both[1] ?? '')}`);
    expect(ids()).toEqual(both);
  });

  test.each([-7200, 7200])('is judged by the clock of AWS, which is %s s ahead of ours', async (seconds) => {
    scene.aws.setClockOffset(seconds);
    scene.aws.fault('CreateAccessKey', { kind: 'drop', after: true }, { skip: 1 });
    expect((await rotate()).exitCode).toBe(1);
    scene.aws.clearFaults();
    expect(await rotate('--yes')).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('its secret is lost'),
    });
    await expectAtRest(scene);
    // one that was made by the time that our clock shows is somebody else's
    await failToCreate();
    scene.aws.setClockOffset(0);
    scene.aws.addAccessKey(scene.user);
    scene.aws.setClockOffset(seconds);
    expect((await rotate('--yes')).exitCode).toBe(1);
    expect(ids()).toHaveLength(2);
  });

  test('is found with a journal of version 1.0.0, and only if it was made at that time', async () => {
    const path = join(scene.home.state, 'rotations', 'aws.123456789012.jane.ini');
    const writeOldJournal = (sentAt: number): void => {
      const { accessKeyId, secretAccessKey } = scene.user;
      fs.mkdirSync(join(scene.home.state, 'rotations'), { recursive: true, mode: 0o700 });
      fs.chmodSync(scene.home.state, 0o700);
      fs.writeFileSync(
        path,
        `phase=creating\naborting=false\narn=${scene.user.arn}\nprofile=default\ncredentials_file=${scene.home.credentials}\nconfig_file=${scene.home.config}\nstarted_at=${sentAt}\nsent_at=${sentAt}\nkeep_old=false\nexisting[]=${accessKeyId}\nold_access_key_id=${accessKeyId}\nold_secret_access_key=${secretAccessKey}\n`,
        { mode: 0o600 },
      );
    };
    const other = scene.aws.addAccessKey(scene.user);
    writeOldJournal(scene.clock.now() - 3 * day);
    expect((await rotate('--yes')).stderr).toContain('has two access keys');
    expect(ids()).toContain(other.accessKeyId);
    writeOldJournal(scene.clock.now());
    expect((await rotate('--yes')).stderr).toContain('its secret is lost');
    await expectAtRest(scene);
  });
});

const standing = {
  GetCallerIdentity: {
    skip: 1,
    says: /two keys are active: …\w{4}, in the files, and …\w{4}, kept in the journal until it is written;/,
  },
  UpdateAccessKey: {
    skip: 0,
    says: /…\w{4} is active and in the files; …\w{4} is active or already inactive;/,
  },
  DeleteAccessKey: {
    skip: 0,
    says: /…\w{4} is active and in the files; …\w{4} is inactive or already deleted;/,
  },
} as const;

const twoWays =
  'aws-iam-login rotate default --resume goes on, aws-iam-login rotate default --abort goes back';

describe.each(Object.entries(standing))('a rotation that is at %s', (action, { skip, says }) => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('says at %s what stands now and the two ways on', async (signal, exitCode) => {
    scene.aws.fault(action, 'hold', { skip });
    const running = start(scene.home, ['rotate', 'default']);
    await scene.aws.untilHeld();
    running.child.kill(signal);
    const ended = await running.ended;
    expect(ended.exitCode).toBe(exitCode);
    const last = ended.stderr.trimEnd().split('\n').at(-1) ?? '';
    expect(last).toMatch(says);
    expect(last).toMatch(/^aws-iam-login: the rotation was interrupted: /);
    expect(last.endsWith(twoWays)).toBe(true);
    scene.aws.clearFaults();
    scene.aws.release();
    expect(await rotate('--resume')).toMatchObject({ exitCode: 0 });
    await expectAtRest(scene);
  });
});

test('Ctrl-C on the terminal says what stands now, on a line of its own, also with --quiet', async () => {
  scene.aws.setPropagation({ created: { sts: { seconds: 3600 } } });
  for (const quiet of ['', ' --quiet']) {
    const terminal = await openTerminal(scene.home, `aws-iam-login default rotate${quiet}; echo "ended $?"`);
    if (quiet === '') await terminal.until(/waiting until AWS knows …\w{4} everywhere: \d+ s at most$/m);
    else await scene.aws.untilCalled('GetCallerIdentity', scene.aws.count('GetCallerIdentity') + 3);
    await terminal.press('C-c');
    const screen = await terminal.until(/--abort goes back/);
    expect(screen).toMatch(/^aws-iam-login: the rotation was interrupted: two keys are active/m);
    expect(screen).not.toContain('waiting until');
    await terminal.close();
  }
});

test('a signal before the rotation has changed anything says nothing', async () => {
  scene.aws.fault('ListAccessKeys', 'hold');
  const running = start(scene.home, ['rotate', 'default']);
  await scene.aws.untilHeld();
  running.child.kill('SIGINT');
  expect(await running.ended).toMatchObject({ exitCode: 130, stderr: '' });
});

describe('after a denied', () => {
  test.each([
    ['UpdateAccessKey', /two keys are active: …\w{4}, in the files, and …\w{4}\n/],
    ['DeleteAccessKey', /two keys are left: …\w{4} is active and in the files, …\w{4} is inactive\n/],
  ])('%s, the rotation says which keys there are and the two ways on', async (action, says) => {
    scene.aws.deny(scene.user, `iam:${action}`);
    const { exitCode, stderr } = await rotateIn(scene);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`not authorized to perform: iam:${action}`);
    expect(stderr).toMatch(says);
    expect(stderr).toContain(`  hint: ${twoWays}; `);
    expect(stderr).toContain('aws-iam-login policy prints');
    scene.aws.allow(scene.user);
    expect(await rotate('--abort')).toMatchObject({ exitCode: 0 });
    await expectAtRest(scene);
  });

  test('UpdateAccessKey of --abort, it says so too', async () => {
    scene.aws.fault('UpdateAccessKey', 'drop', { times: 3 });
    await rotate();
    scene.aws.clearFaults();
    scene.aws.deny(scene.user, 'iam:UpdateAccessKey');
    const { exitCode, stderr } = await rotateIn(scene, '--abort');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('aws-iam-login rotate default --abort goes back');
  });
});
