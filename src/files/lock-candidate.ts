import crypto from 'node:crypto';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { systemCode } from '../errors.ts';
import { beat } from './lock-entry.ts';
import type { LockData } from './lock-entry.ts';
import { hostId, processInfo } from './process-info.ts';
import { adoptOwner, closeQuietly, makeFolder, removeQuietly, writeAll } from './replace.ts';

/** Somebody who wants the next number of a lock. */
export type Candidate = {
  readonly token: string;
  /** Creates the number in one step, with our content; the open file, or undefined when another was faster. */
  readonly claim: (number: number) => number | undefined;
  readonly discard: () => void;
};

/** The file that becomes the lock is written complete under a name of its own first, and linked to the number. */
export const newCandidate = (path: string, data: LockData = {}): Candidate => {
  const token = crypto.randomBytes(16).toString('hex');
  const temporary = join(path, `${process.pid}.${token.slice(0, 8)}.tmp`);
  let content: Buffer | undefined;
  let fd: number | undefined;
  const discard = (): void => {
    if (fd === undefined) return;
    removeQuietly(temporary);
    closeQuietly(fd);
    fd = undefined;
  };
  return {
    token,
    discard,
    claim: (number) => {
      content ??= describeSelf(token, data);
      fd ??= createFile(temporary, content);
      beat(fd);
      const claimed = linkOrCreate(temporary, fd, join(path, String(number)), content);
      // taken for a dead one's: the next attempt makes a new one
      if (claimed === 'gone') discard();
      if (typeof claimed !== 'number') return undefined;
      if (claimed !== fd) closeQuietly(fd);
      removeQuietly(temporary);
      fd = undefined;
      return claimed;
    },
  };
};

const createFile = (path: string, content: Buffer): number => {
  const fd = openNew(path);
  try {
    adoptOwner(fd, dirname(path));
    writeAll(fd, content);
    return fd;
  } catch (error) {
    removeQuietly(path);
    closeQuietly(fd);
    throw error;
  }
};

const openNew = (path: string): number => {
  try {
    return fs.openSync(path, 'wx+', 0o600);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    makeFolder(dirname(path));
    return fs.openSync(path, 'wx+', 0o600);
  }
};

const linkOrCreate = (
  temporary: string,
  fd: number,
  entry: string,
  content: Buffer,
): number | 'gone' | 'taken' => {
  try {
    fs.linkSync(temporary, entry);
    return fd;
  } catch (error) {
    const code = systemCode(error);
    // a network file system may have sent our own request twice
    if (code === 'EEXIST') return fs.fstatSync(fd).nlink === 2 ? fd : 'taken';
    if (code === 'ENOENT') return 'gone';
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '')) throw error;
  }
  // no hard links here (FAT): until the content is in, the file tells the others nothing and they wait
  try {
    return createFile(entry, content);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return 'taken';
    throw error;
  }
};

const describeSelf = (token: string, data: LockData): Buffer => {
  const self = { pid: process.pid, host: hostId(), born: processInfo(process.pid)?.born ?? '', token };
  return Buffer.from(`+${JSON.stringify(self)}\n${JSON.stringify(data)}\n`);
};
