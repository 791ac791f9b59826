import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    readonly shared: string;
  }
}

/** Makes the folder that all workers of a run share, for vitest; it is gone at the end of the run. */
export default ({ provide }: TestProject): (() => void) => {
  const folder = fs.mkdtempSync(join(os.tmpdir(), 'aws-iam-login-shared-'));
  provide('shared', folder);
  return () => fs.rmSync(folder, { recursive: true });
};

/**
 * The same function for a word, which does its work once in a run, whichever suites ask: for what is costly to find out
 * and the same in each. Two that begin at the same time both do it.
 */
export const once =
  <Rest extends unknown[]>(kind: string, work: (word: string, ...rest: Rest) => Promise<boolean>) =>
  async (word: string, ...rest: Rest): Promise<boolean> => {
    const name = createHash('sha256').update(`${kind} ${word}`).digest('hex');
    const path = join(inject('shared'), name);
    if (fs.existsSync(path)) return fs.readFileSync(path, 'utf8') === 'true';
    const result = await work(word, ...rest);
    fs.writeFileSync(`${path}-${process.pid}`, String(result));
    fs.renameSync(`${path}-${process.pid}`, path);
    return result;
  };
