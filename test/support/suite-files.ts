import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** A file of tests: its path from the root, and whether bats or vitest runs it. */
export type SuiteFile = { readonly path: string; readonly runner: 'bats' | 'vitest' };

/** All files of tests, the longest first: those tend to run longest. */
export const findSuiteFiles = (root: string): SuiteFile[] =>
  readdirSync(join(root, 'test'))
    .filter((name) => /\.(bats|test\.ts)$/.test(name))
    .map((name): SuiteFile => ({
      path: join('test', name),
      runner: name.endsWith('.bats') ? 'bats' : 'vitest',
    }))
    .sort((one, other) => statSync(join(root, other.path)).size - statSync(join(root, one.path)).size);

/** Whether a file of tests, or a helper below `test` that it loads, speaks of something. */
export const mentions = (root: string, { path }: SuiteFile, pattern: RegExp): boolean =>
  [...withHelpers(root, join(root, path))].some((file) => pattern.test(readFileSync(file, 'utf8')));

// A file, and every helper whose name stands in it or in one of its helpers.
const withHelpers = (root: string, path: string, found = new Set<string>()): Set<string> => {
  if (found.has(path)) return found;
  found.add(path);
  for (const [name] of readFileSync(path, 'utf8').matchAll(/[\w.-][\w./-]*\.(?:ts|cjs|py|bash|pl)\b/g)) {
    const helper = join(dirname(path), name);
    const isHelper = !relative(join(root, 'test'), helper).startsWith('..') && existsSync(helper);
    if (isHelper && !name.endsWith('.test.ts')) withHelpers(root, helper, found);
  }
  return found;
};
