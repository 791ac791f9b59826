import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withFault } from './support/faults.ts';
import {
  type Place,
  type Scene,
  expectRecovery,
  keyPlaces,
  newScene,
  runHere,
  spread,
  ways,
} from './support/rotation.ts';
import { atSize } from './support/size.ts';

// Rotations in this process, one file operation of which fails.

/** Lets one file operation of a rotation fail; returns how many there were. */
const tryFault = async (action: string, at: number, place: Place): Promise<number> => {
  const scene = await newScene(place);
  try {
    // gpg and pass are programs of their own: what of their files is in the way of ours does not count
    const fault = { under: join(scene.home.folder, '.aws'), action, at };
    const { count, error } = await withFault(fault, () => rotate(scene));
    expect(error).toBeUndefined();
    // much is at rest at once, since a fault before CreateAccessKey changes nothing: of these some are tried again
    await expectRecovery(scene, ways[at % 2] ?? 'rotate', at % 10 < 2);
    return count;
  } finally {
    await scene.remove();
  }
};

const codes = ['ENOSPC', 'EACCES', 'EIO'];

const rotate = (scene: Scene) => runHere(scene, ['default', 'rotate']);

describe.each(keyPlaces)('with the key in %s, a rotation', (place) => {
  test.each(codes)(
    'comes to rest whichever file operation fails with %s',
    { timeout: atSize(240_000, 1_800_000) },
    async (code) => {
      const operations = await tryFault(code, Number.MAX_SAFE_INTEGER, place);
      expect(operations).toBeGreaterThan(100);
      const all = Array.from({ length: operations }, (_, index) => index + 1);
      // another sample for each code
      const cases =
        place === 'file'
          ? atSize(spread(all.slice(codes.indexOf(code)), 12), all)
          : spread(all.slice(codes.indexOf(code)), atSize(3, 60));
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
