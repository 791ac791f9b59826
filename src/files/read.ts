import fs from 'node:fs';
import { systemCode } from '../errors.ts';
import { fileError } from './errors.ts';

/** The file's bytes, undefined when there is no such file. Throws a UserError when it cannot be read. */
export const readFileIfAny = (path: string): Buffer | undefined => {
  try {
    return fs.readFileSync(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw fileError(error, 'read', path);
  }
};
