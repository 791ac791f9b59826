import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Fault } from './local-aws/faults.ts';
import { sessionLines } from './support/program.ts';
import {
  type Place,
  type Scene,
  expectAtRest,
  expectRecovery,
  inParallel,
  newScene,
  runHere,
  spread,
  type Way,
  ways,
} from './support/rotation.ts';
import { atSize } from './support/size.ts';

// Rotations in this process, by a clock that need not be waited for.

const report = (line: string): void => {
  process.stdout.write(`faults: ${line}\n`);
};

const rotateArgs = (scene: Scene): string[] => ['default', 'rotate', '--token-code', scene.phone.code()];

/** Makes a scene, lets `work` happen in it, and takes it down. */
const inScene = async (work: (scene: Scene) => Promise<void>, place: Place = 'file'): Promise<void> => {
  const scene = await newScene(place);
  try {
    await work(scene);
  } finally {
    await scene.remove();
  }
};

const policies = {
  none: () => {},
  'one that demands MFA': ({ aws, user }: Scene) => aws.denyWithoutMfa(user),
  'one that demands MFA, and a live session': ({ aws, user, home }: Scene) => {
    aws.denyWithoutMfa(user);
    const session = aws.mintSession(user, { mfa: true });
    fs.appendFileSync(home.credentials, `\n\n[default-sts]\n${sessionLines(session, session.expiration)}`);
  },
} as const;

/** The actions of a whole rotation. */
const actionsOf = async (prepare: (scene: Scene) => void): Promise<string[]> => {
  let actions: string[] = [];
  await inScene(async (scene) => {
    prepare(scene);
    expect((await runHere(scene, rotateArgs(scene))).stderr).toContain('is active');
    actions = scene.aws.calls.map(({ action }) => action);
    await expectAtRest(scene);
  });
  return actions;
};

type Trouble = {
  readonly fault: Fault;
  /** How many requests meet it; the SDK sends most of them three times. */
  readonly times: number;
};

const troubles: Readonly<Record<string, Trouble>> = {
  'a 500': { fault: { kind: 'InternalFailure' }, times: 3 },
  'a 500 after the act': { fault: { kind: 'InternalFailure', after: true }, times: 3 },
  'a dropped connection': { fault: { kind: 'drop' }, times: 3 },
  'a dropped connection after the act': { fault: { kind: 'drop', after: true }, times: 3 },
  'half an answer': { fault: { kind: 'cut' }, times: 3 },
  'a captive portal': { fault: { kind: 'html' }, times: 3 },
  'an empty answer after the act': { fault: { kind: 'empty', after: true }, times: 3 },
  throttling: { fault: { kind: 'Throttling' }, times: 3 },
  'AccessDenied once': { fault: { kind: 'AccessDenied' }, times: 1 },
  'AccessDenied from then on': { fault: { kind: 'AccessDenied' }, times: 100_000 },
  'InvalidClientTokenId once': { fault: { kind: 'InvalidClientTokenId' }, times: 1 },
};

/** What is waited out does not depend on the policy. */
const longTroubles: Readonly<Record<string, Trouble>> = {
  'InvalidClientTokenId for 30 s': { fault: { kind: 'InvalidClientTokenId' }, times: 125 },
};

/** Lets one fault happen at one call of a rotation, and sees it come to rest. */
const tryFault = async (
  prepare: (scene: Scene) => void,
  { fault, times }: Trouble,
  skip: number,
  way: Way,
  place: Place = 'file',
): Promise<void> =>
  inScene(async (scene) => {
    prepare(scene);
    scene.aws.fault('*', fault, { skip, times });
    await runHere(scene, rotateArgs(scene));
    scene.aws.clearFaults();
    await expectRecovery(scene, way);
  }, place);

type Row = { readonly policy: keyof typeof policies; readonly place: Place };

const rows: readonly Row[] = [
  { policy: 'none', place: 'file' },
  { policy: 'one that demands MFA', place: 'file' },
  { policy: 'one that demands MFA, and a live session', place: 'file' },
  { policy: 'none', place: 'pass' },
  { policy: 'none', place: 'system' },
];

const sweep = ({ policy, place }: Row): void => {
  const prepare = policies[policy];

  test(
    'comes to rest whatever AWS answers to whichever call',
    { timeout: atSize(240_000, 1_800_000) },
    async () => {
      // AWS is called alike wherever the key is
      const actions = await actionsOf(prepare);
      const kinds = { ...troubles, ...(policy === 'none' && place === 'file' ? longTroubles : {}) };
      const names = Object.keys(kinds);
      const all = Object.entries(kinds).flatMap(([name, trouble]) =>
        actions.map((action, index) => ({ name, trouble, action, index })),
      );
      // every fault at a call at least, and every call with a fault; with a policy a third of these
      const few = all.filter(({ name, index }) => (names.indexOf(name) + index) % names.length === 0);
      const cases =
        place === 'file' ? atSize(policy === 'none' ? few : spread(few, 5), all) : spread(all, atSize(1, 52));
      let done = 0;
      await inParallel(cases, 4, async ({ name, trouble, action, index }, number) => {
        const way = ways[(number + index) % 2] ?? 'rotate';
        await tryFault(prepare, trouble, index, way, place).catch((error: unknown) => {
          throw new Error(`${name} to ${action}, call ${index + 1}, then ${way}`, { cause: error });
        });
        done += 1;
      });
      expect(done).toBe(cases.length);
      report(
        `${done} rotations under the policy ${policy}, the key in ${place}, one of ${names.length} faults at ${actions.length} calls`,
      );
    },
  );
};

describe.concurrent.each(rows.filter(({ place }) => place === 'file'))(
  'with the policy $policy and the key in $place, a rotation',
  (row) => {
    sweep(row);
  },
);

// their stores are looked at by programs that this process waits for, and the local AWS with it
describe.each(rows.filter(({ place }) => place !== 'file'))(
  'with the policy $policy and the key in $place, a rotation',
  (row) => {
    sweep(row);
  },
);

test.concurrent(
  'a rotation comes to rest whichever call AWS never answers',
  { timeout: atSize(240_000, 1_800_000) },
  async () => {
    const actions = await actionsOf(policies.none);
    const all = actions.flatMap((_, index) => [false, true].map((after) => ({ index, after })));
    const cases = spread(all, atSize(4, all.length));
    let done = 0;
    await inParallel(cases, cases.length, async ({ index, after }, number) => {
      const trouble: Trouble = { fault: { kind: 'hang', after }, times: 3 };
      await tryFault(policies.none, trouble, index, ways[(number + index) % 2] ?? 'rotate');
      done += 1;
    });
    expect(done).toBe(cases.length);
    report(`${done} rotations with an endless wait before or after the act at ${actions.length} calls`);
  },
);
