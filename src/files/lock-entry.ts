import fs from 'node:fs';
import { join } from 'node:path';
import { UserError, systemCode } from '../errors.ts';
import { closeQuietly } from './replace.ts';

/** What the holder tells the others about itself. Never a secret. */
export type LockData = Readonly<Record<string, unknown>>;

/** A numbered file of a lock, as it was read. */
export type Entry = {
  readonly number: number;
  readonly released: boolean;
  readonly pid: number;
  readonly host: string;
  readonly born: string;
  readonly token: string;
  readonly data: LockData;
  readonly mtimeMs: number;
};

/** How often a holder gives a sign of life, in milliseconds. */
export const beatMs = 1000;

/** Gives a sign of life. A write instead of utimes: the time then comes from the file system's own clock. */
export const beat = (fd: number): void => {
  try {
    fs.writeSync(fd, '+', 0);
  } catch {
    // the next beat may pass; if none does, the others take over and stillOwn says so
  }
};

/**
 * Tells the others something new. Appended, because a reader sees the old end of a file or the new one; without the line
 * end a line does not count. Throws a UserError on a full disk, or the system's error.
 */
export const appendLine = (fd: number, data: LockData): void => {
  const { size } = fs.fstatSync(fd);
  const line = Buffer.from(`${JSON.stringify(data)}\n`);
  if (fs.writeSync(fd, line, 0, line.length, size) === line.length) return;
  fs.ftruncateSync(fd, size);
  throw new UserError('could not write a lock file: no space is left on the disk');
};

/** The numbers of a lock in ascending order, none when there is no such folder. */
export const numbersIn = (path: string): number[] =>
  listEntries(path)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);

/** The names of all files of a lock. */
export const listEntries = (path: string): string[] => {
  try {
    return fs.readdirSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
};

/** The entry with the highest number; undefined when nobody ever had the lock. */
export const newestEntry = (path: string): Entry | undefined => {
  for (;;) {
    const number = numbersIn(path).at(-1);
    if (number === undefined) return undefined;
    const entry = readEntry(path, number);
    if (entry !== undefined) return entry;
    // removed since: then there is a higher one
  }
};

/** The entry of a number, undefined when it is gone. */
export const readEntry = (path: string, number: number): Entry | undefined => {
  let fd: number | undefined;
  try {
    fd = fs.openSync(join(path, String(number)), 'r');
    const { mtimeMs } = fs.fstatSync(fd);
    const entry = parseEntry(fs.readFileSync(fd, 'utf8'));
    return { ...entry, number, mtimeMs, released: entry.released || mtimeMs === 0 };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  } finally {
    if (fd !== undefined) closeQuietly(fd);
  }
};

const parseEntry = (text: string): Omit<Entry, 'mtimeMs' | 'number'> => {
  const [self = '', ...complete] = text.split('\n').slice(0, -1);
  const { pid, host, born, token } = parseObject(self.slice(1));
  return {
    released: self.startsWith('-'),
    pid: typeof pid === 'number' ? pid : 0,
    host: typeof host === 'string' ? host : '',
    born: typeof born === 'string' ? born : '',
    token: typeof token === 'string' ? token : '',
    data: parseObject(complete.at(-1) ?? ''),
  };
};

const parseObject = (text: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
};
