import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { faultEnvironment, withFault } from './support/faults.ts';
import { type PassFault, faultyPass, passCalls, wrapPass } from './support/pass.ts';
import { type Ended, sectionOf, start } from './support/program.ts';
import {
  type Outcome,
  type Scene,
  filesWith,
  inParallel,
  newScene,
  pairIn,
  runHere,
  spread,
  works,
} from './support/rotation.ts';
import { atSize } from './support/size.ts';

// A key on its way into pass and back, in profiles of both files, interrupted wherever that is possible.

vi.setConfig({ testTimeout: atSize(240_000, 1_800_000) });

const lanes = 4;
const directions = ['pass', 'file'] as const;
type Direction = (typeof directions)[number];

const args = (to: Direction): string[] => ['init', 'default', '--key-store', to, '--yes'];

/** A scene before a move in this direction, with an empty store before one to pass. */
const inScene = async <Result>(to: Direction, work: (scene: Scene) => Promise<Result>): Promise<Result> => {
  const scene = await newScene('pass', to === 'pass');
  try {
    wrapPass(scene.home);
    return await work(scene);
  } finally {
    await scene.remove();
  }
};

const move = (scene: Scene, to: Direction, env: Record<string, string> = {}): Promise<Ended> =>
  start(scene.home, args(to), { env }).ended;

const holders = ({ home }: Scene): string[] =>
  fs
    .readFileSync(home.credentials, 'latin1')
    .concat(fs.readFileSync(home.config, 'latin1'))
    .match(/^aws_iam_login_access_key_id|^aws_access_key_id(?!.*EXAMPLE)/gm) ?? [];

/** The key is in pass and in no file, or in the files and not in pass, for all three profiles; and it works. */
const expectMoved = async (scene: Scene, to: Direction): Promise<void> => {
  const { home, user, store } = scene;
  const { accessKeyId, secretAccessKey } = user;
  const setting = to === 'pass' ? 'aws_iam_login_access_key_id' : 'aws_access_key_id';
  expect(holders(scene)).toEqual([setting, setting, setting]);
  expect(store?.names()).toEqual(to === 'pass' ? [accessKeyId] : []);
  const notes = join(home.state, 'key-stores');
  const noted = fs.existsSync(notes) ? fs.readdirSync(notes) : [];
  expect(noted.filter((name) => !name.startsWith('.'))).toEqual(to === 'pass' ? [accessKeyId] : []);
  if (to === 'pass') expect(filesWith(home.folder, [secretAccessKey])).toEqual([]);
  expect(await works(scene, pairIn(scene))).toBe(true);
};

/** After an interruption the key is where its profiles say, and either direction comes to its end. */
const expectRest = async (scene: Scene, to: Direction, number: number): Promise<void> => {
  expect(holders(scene)).toHaveLength(3);
  expect(await works(scene, pairIn(scene))).toBe(true);
  expect(await works(scene, pairIn(scene, 'long.term@x'))).toBe(true);
  const next = number % 2 === 0 ? to : directions[1 - directions.indexOf(to)];
  const outcome: Outcome = await runHere(scene, args(next ?? to));
  expect(outcome).toMatchObject({ exitCode: 0 });
  await expectMoved(scene, next ?? to);
};

const named =
  (what: string) =>
  (error: unknown): never => {
    throw new Error(what, { cause: error });
  };

// A kill before one of these leaves what a kill after the operation before it leaves.
const readingOnly =
  /^(accessSync|closeSync|existsSync|fstatSync|lstatSync|readdirSync|readFileSync|readlinkSync|readSync|realpathSync|statSync|statfsSync)$/;

const log = ({ home }: Scene): string => join(home.folder, 'operations.log');

const faultOf = (scene: Scene, action: string, at: number) =>
  faultEnvironment({ under: join(scene.home.folder, '.aws'), action, at, log: log(scene) });

describe.each(directions)('to %s', (to) => {
  test('a move comes to rest when it is killed', async () => {
    const moments = await inScene(to, async (scene) => {
      await move(scene, to, faultOf(scene, 'kill', Number.MAX_SAFE_INTEGER));
      await expectMoved(scene, to);
      const lines = fs.readFileSync(log(scene), 'utf8').trim().split('\n');
      return lines.flatMap((line, index) => {
        const name = line.replace(/^\d+ /, '');
        const actions = name === 'writeSync' ? ['kill', 'torn'] : ['kill'];
        return readingOnly.test(name) ? [] : actions.map((action) => ({ name, at: index + 1, action }));
      });
    });
    const cases = spread(moments, atSize(2, moments.length));
    let killed = 0;
    const killAt = async (at: number, name: string, action: string, number: number): Promise<void> => {
      const signal = await inScene(to, async (scene) => {
        const ended = await move(scene, to, faultOf(scene, action, at));
        await expectRest(scene, to, number).catch(named(`${action} at operation ${at}, ${name}`));
        return ended.signal;
      });
      if (signal === 'SIGKILL') killed += 1;
      // this run took fewer operations than the first one, or has its writes elsewhere
      else if (at > 1) await killAt(at - 1, name, action, number);
    };
    await inParallel(cases, lanes, ({ name, at, action }, number) => killAt(at, name, action, number));
    expect(killed).toBe(cases.length);
  });

  test('a move comes to rest when it is killed, or pass fails, at any call of pass', async () => {
    const calls = await inScene(to, async (scene) => {
      expect(await move(scene, to)).toMatchObject({ exitCode: 0 });
      return passCalls(scene.home).length;
    });
    const faults: readonly PassFault[] = ['before', 'after', 'torn', 'fail', 'locked'];
    const all = Array.from({ length: calls }, (_, index) => index + 1).flatMap((at) =>
      faults.map((fault) => ({ fault, at })),
    );
    const cases = spread(all, atSize(3, all.length));
    let ended = 0;
    await inParallel(cases, lanes, ({ fault, at }, number) =>
      inScene(to, async (scene) => {
        const { exitCode } = await move(scene, to, faultyPass(fault, at));
        ended += Number(exitCode !== 0);
        await expectRest(scene, to, number).catch(named(`${fault} at call ${at} of pass`));
      }),
    );
    expect(ended).toBe(cases.length);
  });

  let counted: Promise<number> | undefined;

  test.each(['ENOSPC', 'EIO'])(
    'a move comes to rest whichever file operation fails with %s',
    async (code) => {
      const tryFault = (at: number, number: number): Promise<number> =>
        inScene(to, async (scene) => {
          const fault = { under: join(scene.home.folder, '.aws'), action: code, at };
          const { count, error } = await withFault(fault, () => runHere(scene, args(to)));
          expect(error).toBeUndefined();
          await expectRest(scene, to, number).catch(named(`${code} from operation ${at}`));
          return count;
        });
      const count = await (counted ??= tryFault(Number.MAX_SAFE_INTEGER, 0));
      expect(count).toBeGreaterThan(30);
      const all = Array.from({ length: count }, (_, index) => index + 1);
      for (const [number, at] of spread(all, atSize(2, 60)).entries()) await tryFault(at, number);
    },
  );
});

test('a move is refused that would write a file which has changed since it was shown', async () => {
  await inScene('pass', async (scene) => {
    const bob = scene.aws.createUser({ name: 'bob' });
    // pass is called when all is planned: then the profile gets another key
    const text = fs
      .readFileSync(scene.home.credentials, 'latin1')
      .replaceAll(scene.user.accessKeyId, bob.accessKeyId)
      .replaceAll(scene.user.secretAccessKey, bob.secretAccessKey);
    const other = join(scene.home.folder, 'other');
    fs.writeFileSync(other, text, 'latin1');
    const wrapper = join(scene.home.folder, 'bin', 'pass');
    const script = fs
      .readFileSync(wrapper, 'utf8')
      .replace('#!/bin/sh\n', `#!/bin/sh\ncat '${other}' >'${scene.home.credentials}'\n`);
    fs.writeFileSync(wrapper, script, { mode: 0o755 });
    fs.writeFileSync(scene.home.config, '');
    const { exitCode, stderr } = await runHere(scene, args('pass'));
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('no profile holds the access key'),
    });
    expect(sectionOf(scene.home, 'other')).toMatchObject({ aws_access_key_id: 'AKIAIOSFODNN7EXAMPLE' });
    expect(fs.readFileSync(scene.home.credentials, 'latin1')).toContain(bob.secretAccessKey);
  });
});
