import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withFault } from './support/faults.ts';
import {
  type Place,
  type Scene,
  expectAtRest,
  expectRecovery,
  keyPlaces,
  newScene,
  runHere,
  spread,
  ways,
} from './support/rotation.ts';
import { atSize } from './support/size.ts';

// Rotations in this process, one file operation of which fails.

/** Runs a rotation whose file operation at this place fails; returns how many there were. */
const rotateWith = async (scene: Scene, action: string, at: number): Promise<number> => {
  // gpg and pass are programs of their own: what of their files is in the way of ours does not count
  const fault = { under: join(scene.home.folder, '.aws'), action, at };
  const { count, error } = await withFault(fault, () => runHere(scene, ['default', 'rotate']));
  expect(error).toBeUndefined();
  return count;
};

const counted = new Map<Place, Promise<number>>();

/** How many file operations a rotation has; with a store it has a few more. */
const operationsOf = (place: Place): Promise<number> => {
  const count = counted.get(place) ?? countOperations(place);
  counted.set(place, count);
  return count;
};

const countOperations = async (place: Place): Promise<number> => {
  const scene = await newScene(place);
  try {
    const count = await rotateWith(scene, 'EIO', Number.MAX_SAFE_INTEGER);
    await expectAtRest(scene);
    return count;
  } finally {
    await scene.remove();
  }
};

/** Lets one of them fail, and sees the rotation come to rest. */
const tryFault = async (action: string, at: number, place: Place): Promise<void> => {
  const scene = await newScene(place);
  try {
    await rotateWith(scene, action, at);
    // much is at rest at once, since a fault before CreateAccessKey changes nothing: of these some are tried again
    await expectRecovery(scene, ways[at % 2] ?? 'rotate', at % 10 < 2);
  } finally {
    await scene.remove();
  }
};

const codes = ['ENOSPC', 'EACCES', 'EIO'];

describe.each(keyPlaces)('with the key in %s, a rotation', (place) => {
  test.each(codes)(
    'comes to rest whichever file operation fails with %s',
    { timeout: atSize(240_000, 1_800_000) },
    async (code) => {
      const operations = await operationsOf(atSize('file', place));
      expect(operations).toBeGreaterThan(100);
      const all = Array.from({ length: operations }, (_, index) => index + 1);
      // another sample for each code
      const sampled = (count: number): number[] =>
        spread(all, count * codes.length).filter((_, index) => index % codes.length === codes.indexOf(code));
      const cases = place === 'file' ? atSize(sampled(4), all) : sampled(atSize(1, 60));
      for (const at of cases) {
        await tryFault(code, at, place).catch((error: unknown) => {
          throw new Error(`${code} from operation ${at}`, { cause: error });
        });
      }
      process.stdout.write(
        `faults: ${cases.length} rotations with ${code} from one of ${operations} file operations, the key in ${place}\n`,
      );
    },
  );
});
