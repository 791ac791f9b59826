import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { faultEnvironment } from './support/faults.ts';
import { type Ended, start } from './support/program.ts';
import { type PassFault, faultyPass, passCalls, wrapPass } from './support/pass.ts';
import {
  type Place,
  type Scene,
  type Way,
  expectAtRest,
  everyOther,
  expectRecovery,
  inParallel,
  keyPlaces,
  newScene,
  recover,
  spread,
  ways,
} from './support/rotation.ts';
import { atSize } from './support/size.ts';

// The built program as a process of its own, killed in the midst of a rotation. What comes after happens in this
// process, a minute later by a clock that AWS shares.

const lanes = 4;

const report = (line: string): void => {
  process.stdout.write(`kills: ${line}\n`);
};

const inScene = async <Result>(
  work: (scene: Scene) => Promise<Result>,
  place: Place = 'file',
): Promise<Result> => {
  const scene = await newScene(place);
  try {
    return await work(scene);
  } finally {
    await scene.remove();
  }
};

const startRotation = (scene: Scene, env: Record<string, string> = {}) =>
  start(scene.home, ['default', 'rotate', '--token-code', scene.phone.code()], { env });

const wayOf = (index: number): Way => ways[index % 2] ?? 'rotate';

const killPolicies = {
  none: () => {},
  'one that demands MFA': ({ aws, user }: Scene) => aws.denyWithoutMfa(user),
} as const;

const known = new Map<keyof typeof killPolicies, Promise<string[]>>();

/** The calls of a rotation: AWS is called alike wherever the key is. */
const actionsUnder = (policy: keyof typeof killPolicies): Promise<string[]> => {
  const actions =
    known.get(policy) ??
    inScene(async (scene) => {
      killPolicies[policy](scene);
      expect(await startRotation(scene).ended).toMatchObject({ exitCode: 0 });
      const made = scene.aws.calls.map(({ action }) => action);
      await expectAtRest(scene);
      return made;
    });
  known.set(policy, actions);
  return actions;
};

const rows = [
  { policy: 'none', place: 'file' },
  { policy: 'one that demands MFA', place: 'file' },
  { policy: 'none', place: 'pass' },
  { policy: 'none', place: 'system' },
] as const;

describe.each(rows)('with the policy $policy and the key in $place, a rotation', ({ policy, place }) => {
  const prepare = killPolicies[policy];
  const isWhole = policy === 'none' && place === 'file';

  test(
    'comes to rest when it is killed before or after AWS acts',
    { timeout: atSize(240_000, 1_800_000) },
    async () => {
      const actions = await actionsUnder(policy);
      // what comes after differs little with MFA: there every moment meets one of the two ways
      const moments = actions.flatMap((action, index) =>
        [false, true].flatMap((after) =>
          (isWhole
            ? atSize<readonly Way[]>([wayOf(index + Number(after))], ways)
            : [wayOf(index + Number(after))]
          ).map((way) => ({
            action,
            index,
            after,
            way,
          })),
        ),
      );
      const cases = isWhole
        ? atSize(spread(everyOther(moments), 6), moments)
        : spread(moments, atSize(place === 'file' ? 3 : 1, moments.length));
      let killed = 0;
      await inParallel(cases, lanes, ({ action, index, after, way }) =>
        inScene(async (scene) => {
          prepare(scene);
          scene.aws.fault('*', { kind: 'hold', after }, { skip: index });
          const { child, ended } = startRotation(scene);
          await scene.aws.untilHeld();
          child.kill('SIGKILL');
          const { signal } = await ended;
          killed += Number(signal === 'SIGKILL');
          scene.aws.clearFaults();
          if (after) scene.aws.release();
          await expectRecovery(scene, way).catch((error: unknown) => {
            throw new Error(
              `killed ${after ? 'after' : 'before'} ${action}, call ${index + 1}, then ${way}`,
              {
                cause: error,
              },
            );
          });
          // once AWS has answered, the new key's secret is on the disk and no other key is needed
          const isKnown = index > actions.indexOf('CreateAccessKey') && way === 'rotate';
          expect(scene.aws.count('CreateAccessKey')).toBeLessThanOrEqual(isKnown ? 1 : 2);
        }, place),
      );
      expect(killed).toBe(cases.length);
      report(
        `${killed} before and after ${actions.length} calls, under the policy ${policy}, the key in ${place}`,
      );
    },
  );
});

const operationsLog = (scene: Scene): string => join(scene.home.folder, 'operations.log');

const runWithFault = (scene: Scene, action: string, at: number): Promise<Ended> => {
  const fault = { under: join(scene.home.folder, '.aws'), action, at, log: operationsLog(scene) };
  return startRotation(scene, faultEnvironment(fault)).ended;
};

// A kill before one of these leaves what a kill after the operation before it leaves.
const readingOnly =
  /^(accessSync|closeSync|existsSync|fstatSync|lstatSync|readdirSync|readFileSync|readlinkSync|readSync|realpathSync|statSync|statfsSync)$/;

// a rotation with a key store costs seconds: that of the desktop is killed at few calls only where time is short
describe.each(atSize<readonly Place[]>(['file', 'pass'], keyPlaces))('with the key in %s', (place) => {
  test(
    'a rotation comes to rest when it is killed at any file operation',
    { timeout: atSize(240_000, 1_800_000) },
    async () => {
      const operations = await inScene(async (scene) => {
        await runWithFault(scene, 'kill', Number.MAX_SAFE_INTEGER);
        await expectAtRest(scene);
        const lines = fs.readFileSync(operationsLog(scene), 'utf8').trim().split('\n');
        return lines.map((line) => line.replace(/^\d+ /, ''));
      }, place);
      // each before it happens, which is after the one before it; a write can also be torn
      const changing = operations.filter((name) => !readingOnly.test(name)).length;
      const moments = operations.flatMap((name, index) => {
        if (readingOnly.test(name)) return [];
        return (name === 'writeSync' ? ['kill', 'torn'] : ['kill']).map((action) => ({
          name,
          at: index + 1,
          action,
        }));
      });
      const kinds = new Map(moments.map((moment) => [`${moment.name} ${moment.action}`, moment]));
      const cases =
        place === 'file'
          ? atSize([...new Set([...kinds.values(), ...spread(moments, 2)])], moments)
          : spread(moments, atSize(1, 80));
      let killed = 0;
      const killAt = async (at: number, name: string, action: string, number: number): Promise<void> => {
        const signal = await inScene(async (scene) => {
          const ended = await runWithFault(scene, action, at);
          await expectRecovery(scene, wayOf(number), number % 10 < 2).catch((error: unknown) => {
            throw new Error(`${action} at operation ${at}, ${name}, then ${wayOf(number)}`, { cause: error });
          });
          return ended.signal;
        }, place);
        if (signal === 'SIGKILL') killed += 1;
        // the end of a rotation that took fewer operations than the first one
        else if (at > operations.length - 10) await killAt(at - 1, name, action, number);
      };
      await inParallel(cases, lanes, ({ name, at, action }, number) => killAt(at, name, action, number));
      expect(killed).toBe(cases.length);
      report(
        `${killed} before and after ${atSize('some', 'each')} of ${changing} file operations that change something, the key in ${place}, writes also torn (${operations.length - changing} more only read)`,
      );
    },
  );
});

describe.each(atSize<readonly Place[]>(['file'], keyPlaces))(
  'with a propagation delay of two seconds and the key in %s',
  (place) => {
    const preload = fileURLToPath(new URL('support/kill-inside.cjs', import.meta.url));
    const delay = { seconds: 2 };
    const delayEverything = ({ aws }: Scene): void =>
      aws.setPropagation({
        created: { sts: { seconds: 2, answers: [false, false, true, false] }, iam: delay },
        changed: { sts: delay, iam: delay },
        listed: delay,
      });
    const kills = place === 'file' ? atSize(1, 20) : atSize(1, 5);

    test(
      'a rotation comes to rest when it is killed inside any step',
      { timeout: atSize(240_000, 1_800_000) },
      async () => {
        const turns = await inScene(async (scene) => {
          delayEverything(scene);
          const log = join(scene.home.folder, 'turns.log');
          const env = { NODE_OPTIONS: `--require=${preload}`, KILL_LOG: log };
          expect(await startRotation(scene, env).ended).toMatchObject({ exitCode: 0 });
          const lines = fs.readFileSync(log, 'utf8').trim().split('\n');
          return lines.map((line) => Number(line.split(' ')[1]));
        }, place);
        expect(turns).toHaveLength(6);
        const cases = turns.flatMap((count, index) =>
          Array.from({ length: kills }, (_, kill) => ({
            step: index + 1,
            // the number of turns differs from run to run
            at: Math.max(1, Math.floor((count * 0.9 * (kill + 0.5)) / kills)),
            way: wayOf(kill + index),
          })),
        );
        let killed = 0;
        const killInside = async (step: number, at: number, way: Way): Promise<void> => {
          const signal = await inScene(async (scene) => {
            delayEverything(scene);
            const env = {
              NODE_OPTIONS: `--require=${preload}`,
              KILL_STEP: String(step),
              KILL_AT: String(at),
            };
            const ended = await startRotation(scene, env).ended;
            await expectRecovery(scene, way).catch((error: unknown) => {
              throw new Error(`killed in step ${step} at turn ${at}, then ${way}`, { cause: error });
            });
            expect(ended).toMatchObject(ended.signal === null ? { exitCode: 0 } : { signal: 'SIGKILL' });
            return ended.signal;
          }, place);
          if (signal === 'SIGKILL') killed += 1;
          // this run took fewer turns than the first one
          else if (at > 1) await killInside(step, Math.ceil(at / 2), way);
        };
        await inParallel(cases, 8, ({ step, at, way }) => killInside(step, at, way));
        expect(killed).toBe(cases.length);
        report(`${killed} inside 6 steps, with a propagation delay of 2 s, the key in ${place}`);
      },
    );
  },
);

test(
  'a rotation comes to rest when it is killed, or pass fails, at any call of pass',
  { timeout: atSize(240_000, 1_800_000) },
  async () => {
    const calls = await inScene(async (scene) => {
      wrapPass(scene.home);
      expect(await startRotation(scene).ended).toMatchObject({ exitCode: 0 });
      return passCalls(scene.home).length;
    }, 'pass');
    const faults: readonly PassFault[] = ['before', 'after', 'torn', 'fail', 'locked'];
    const all = Array.from({ length: calls }, (_, index) => index + 1).flatMap((at) =>
      faults.map((fault) => ({ fault, at })),
    );
    const cases = spread(all, atSize(3, all.length));
    let ended = 0;
    await inParallel(cases, lanes, ({ fault, at }, number) =>
      inScene(async (scene) => {
        wrapPass(scene.home);
        const { exitCode, stderr } = await startRotation(scene, faultyPass(fault, at)).ended;
        ended += Number(exitCode !== 0);
        await expectRecovery(scene, wayOf(number)).catch((error: unknown) => {
          throw new Error(`${fault} at call ${at} of pass, then ${wayOf(number)}: ${stderr}`, {
            cause: error,
          });
        });
      }, 'pass'),
    );
    expect(ended).toBe(cases.length);
    report(`${cases.length} at ${calls} calls of pass`);
  },
);

test('an abort after AWS and pass have dropped the old key goes on to the end, and says that there is no way back', async () => {
  const lastRemoval = await inScene(async (scene) => {
    wrapPass(scene.home);
    expect(await startRotation(scene).ended).toMatchObject({ exitCode: 0 });
    return passCalls(scene.home).lastIndexOf('rm') + 1;
  }, 'pass');
  await inScene(async (scene) => {
    wrapPass(scene.home);
    expect(await startRotation(scene, faultyPass('after', lastRemoval)).ended).toMatchObject({
      signal: 'SIGKILL',
    });
    expect(await recover(scene, 'abort')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/there is no way back: the old key …\w{4} is deleted; .* is active/),
    });
    await expectAtRest(scene);
  }, 'pass');
});
