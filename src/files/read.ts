import fs from 'node:fs';
import { systemCode } from '../errors.ts';
import { fileError } from './errors.ts';

/**
 * The file's bytes, undefined when there is no such file. An empty file that was written just now is looked at again
 * for half a second: programs that write in place empty it first. Throws a UserError when it cannot be read.
 */
export const readFileIfAny = (path: string): Buffer | undefined => {
  try {
    let bytes = fs.readFileSync(path);
    for (let looks = 0; bytes.length === 0 && looks < 250 && isFresh(path); looks += 1) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
      bytes = fs.readFileSync(path);
    }
    return bytes;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw fileError(error, 'read', path);
  }
};

// a device or a pipe is never fresh: it gives its bytes once
const isFresh = (path: string): boolean => {
  const now = fs.statSync(path);
  return now.isFile() && Math.abs(Date.now() - now.mtimeMs) < 1000;
};

/** The mode of a file in octal where others than its owner may read it, else undefined. */
export const othersMode = (path: string): string | undefined => {
  const mode = fs.statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  return (mode & 0o044) === 0 ? undefined : (mode & 0o7777).toString(8).padStart(4, '0');
};
