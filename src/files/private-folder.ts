import fs from 'node:fs';
import { join } from 'node:path';
import { fileError } from './errors.ts';
import { readLock, tryLock } from './lock.ts';

/** A folder of this process alone, 0700, for as long as it lives. */
export type PrivateFolder = {
  readonly path: string;
  /** Removes it with all that is in it. Happens by itself when the process exits. */
  readonly remove: () => void;
};

/**
 * Makes a folder below `parent`, with a heartbeat that shows whose it is, and removes those whose process is dead.
 * Raises UserError.
 */
export const makePrivateFolder = (parent: string): PrivateFolder => {
  try {
    fs.mkdirSync(parent, { recursive: true, mode: 0o700 });
    removeLeftovers(parent);
    const path = fs.mkdtempSync(join(parent, 'run-'));
    const { lock } = tryLock(lockIn(path));
    const remove = (): void => {
      process.removeListener('exit', remove);
      lock?.release();
      fs.rmSync(path, { recursive: true, force: true });
    };
    process.on('exit', remove);
    return { path, remove };
  } catch (error) {
    throw fileError(error, 'write', parent);
  }
};

/** Writes a file into a private folder, 0600. Raises UserError. */
export const writePrivateFile = ({ path }: PrivateFolder, name: string, bytes: Buffer): string => {
  const file = join(path, name);
  try {
    fs.writeFileSync(file, bytes, { mode: 0o600, flag: 'wx' });
    return file;
  } catch (error) {
    throw fileError(error, 'write', file);
  }
};

const lockIn = (folder: string): string => join(folder, 'owner');

/** The private folders whose process is dead; none where that cannot be found out. */
export const findLeftovers = (parent: string): string[] => {
  try {
    return fs
      .readdirSync(parent)
      .map((name) => join(parent, name))
      .filter(isSurelyLeftover);
  } catch {
    return [];
  }
};

// Another process may be removing it at this moment.
const isSurelyLeftover = (path: string): boolean => {
  try {
    return isLeftover(path);
  } catch {
    return false;
  }
};

const removeLeftovers = (parent: string): void => {
  for (const path of findLeftovers(parent)) {
    try {
      fs.rmSync(path, { recursive: true, force: true });
    } catch {
      // it is nobody's to remove: no reason to fail
    }
  }
};

// One that has no owner yet gets it in a moment. One that cannot be judged from here (another machine, another
// container) is left alone for a week without a heartbeat.
const newest = 60_000;
const longest = 7 * 24 * 3600_000;

const isLeftover = (path: string): boolean => {
  const owner = readLock(lockIn(path));
  if (owner === undefined) return silenceOf(path) > newest;
  return owner.state !== 'held' || silenceOf(lockIn(path)) > longest;
};

/** Milliseconds since anything in the folder was written. */
const silenceOf = (folder: string): number => {
  const paths = [folder, ...fs.readdirSync(folder).map((name) => join(folder, name))];
  return Date.now() - Math.max(...paths.map((path) => fs.statSync(path).mtimeMs));
};
