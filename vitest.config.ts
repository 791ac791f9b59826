import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import { atSize } from './test/support/size.ts';

const minute = 60_000;

// The longest suites, longest first. They begin before the others: one that begins last has the machine for itself at
// the end. Where this list is out of date, only time is lost.
const longest =
  'launcher rotate-faults rotate-kill rotate single-flight rotate-accidents docs-run login init-roles files node-versions rotate-file-faults bad-input key-store-secrets roles-renewal key-store-locked package'.split(
    ' ',
  );

// vitest takes nothing but a class here
class LongestFirst extends BaseSequencer {
  override async sort(...[specs]: Parameters<BaseSequencer['sort']>): ReturnType<BaseSequencer['sort']> {
    const sorted = await super.sort(specs);
    const isLong = (name: string) => (spec: (typeof specs)[number]) =>
      basename(spec.moduleId) === `${name}.test.ts`;
    return [...new Set([...longest.flatMap((name) => sorted.filter(isLong(name))), ...sorted])];
  }
}

export default defineConfig({
  test: {
    // Suites keep what they change to themselves: with modules of its own each would load all of them again.
    isolate: false,
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/shared.ts'],
    sequence: { sequencer: LongestFirst },
    // Vitest's own choice on two cores is one, and most tests wait for processes.
    maxWorkers: Math.max(2, availableParallelism()) + 2,
    // Limits end what hangs. On a loaded machine a test may take ten times as long as on an idle one.
    testTimeout: atSize(3 * minute, 30 * minute),
    hookTimeout: 2 * minute,
  },
});
