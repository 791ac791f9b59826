import crypto from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { beatMs } from './lock-entry.ts';
import type { Entry, LockData } from './lock-entry.ts';
import { hostId, processInfo } from './process-info.ts';
import { closeQuietly, isProcess, removeQuietly } from './replace.ts';

/** A holder, as its lock file shows it. `stale`: dead, or without a sign of life for 10 s. */
export type Holder = {
  readonly state: 'held' | 'stale' | 'released';
  readonly pid: number;
  /** Random, different for every holder there ever was; empty when the file cannot be understood. */
  readonly token: string;
  /** What the holder said last. */
  readonly data: LockData;
};

/** The holder that an entry stands for, and whether it is still there. */
export const judge = (path: string, entry: Entry): Holder => {
  const { pid, token, data } = entry;
  return { state: stateOf(path, entry), pid, token, data };
};

const stateOf = (path: string, entry: Entry): Holder['state'] => {
  if (entry.released) return 'released';
  return isDead(entry) || isSilent(path, entry) ? 'stale' : 'held';
};

const isDead = ({ pid, host, born }: Entry): boolean => {
  if (pid === 0 || host !== hostId()) return false;
  if (!isProcess(pid)) return true;
  const info = processInfo(pid);
  // the id may have been given to another process since; a zombie has ended and only waits for its parent
  return info !== undefined && (info.ended || (born !== '' && info.born !== born));
};

const staleMs = 10_000;

// Silent is who gave no sign for 10 s by our own watch. Where the file's age says 10 s, two missed beats are enough:
// the age alone proves nothing, a clock may have been set or the machine may just have woken up.
const isSilent = (path: string, entry: Entry): boolean => {
  const silence = watch(path, `${entry.number} ${entry.mtimeMs}`);
  if (silence < 2 * beatMs) return false;
  return silence >= staleMs || fileSystemNow(path) - entry.mtimeMs >= staleMs;
};

const watched = new Map<string, { sign: string; lookedAt: number; silence: number }>();

// How long this process has watched without a new sign of life. Only looks that follow each other count: who was
// itself stopped in between has watched nothing.
const watch = (path: string, sign: string): number => {
  const now = performance.now();
  const before = watched.get(path);
  const silence = before?.sign === sign ? before.silence + Math.min(now - before.lookedAt, 250) : 0;
  watched.set(path, { sign, lookedAt: now, silence });
  return silence;
};

// The time of the clock that stamps the lock files, in milliseconds; it may be a server's.
const fileSystemNow = (path: string): number => {
  const temporary = join(path, `${process.pid}.${crypto.randomBytes(4).toString('hex')}.tmp`);
  const fd = fs.openSync(temporary, 'wx', 0o600);
  try {
    return fs.fstatSync(fd).mtimeMs;
  } finally {
    closeQuietly(fd);
    removeQuietly(temporary);
  }
};
