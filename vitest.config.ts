import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { atSize } from './test/support/size.ts';

const minute = 60_000;

export default defineConfig({
  test: {
    // Suites keep what they change to themselves: with modules of its own each would load all of them again.
    isolate: false,
    include: ['test/**/*.test.ts'],
    // Vitest's own choice on two cores is one, and most tests wait for processes.
    maxWorkers: Math.max(2, availableParallelism()) + 1,
    // Limits end what hangs. On a loaded machine a test may take ten times as long as on an idle one.
    testTimeout: atSize(3 * minute, 30 * minute),
    hookTimeout: 2 * minute,
  },
});
