import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where the program of this name lies, looked for as `execvp` does; undefined when it is not found. */
export const findProgram = (name: string, path: string | undefined): string | undefined => {
  const candidates = name.includes('/')
    ? [name]
    : (path ?? '').split(delimiter).map((folder) => join(folder === '' ? '.' : folder, name));
  return name === '' ? undefined : candidates.find(isExecutableFile);
};

/** Whether this is a file that we may execute. */
export const isExecutableFile = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
};
