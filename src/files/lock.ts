import fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { UserError } from '../errors.ts';
import { fileError } from './errors.ts';
import { newCandidate } from './lock-candidate.ts';
import type { Candidate } from './lock-candidate.ts';
import { appendLine, beat, beatMs, listEntries, newestEntry, numbersIn, readEntry } from './lock-entry.ts';
import type { Entry, LockData } from './lock-entry.ts';
import { judge } from './lock-holder.ts';
import type { Holder } from './lock-holder.ts';
import { closeQuietly, isProcess, removeQuietly } from './replace.ts';

// A lock is a folder, and its holders are numbered files in it: the file with the highest number is the present
// holder, or, once marked as released, the last one. To take the lock is to create the next number, which the file
// system allows to one process only, whether the holder before has released it, died or stopped. A number is never
// used twice, and a holder writes to its own file only through the open descriptor. So nothing ever has to be
// removed "if it is still the old one", the step that no file system can do at once and where lock files break.
//
// The numbers below one's own are removed in ascending order. Somebody who slept between looking at number n and
// creating n+1 may therefore create a number that was in use long ago, but then n is gone already: that is checked
// after the creation, and what it created counts for nobody, because there is a higher number.

export type Lock = {
  readonly token: string;
  /** The holder before this one, with its last words; undefined for the first ever. */
  readonly previous: Holder | undefined;
  /** Whether nobody has taken the lock over. Looks at the files: ask right before each step that matters. */
  readonly stillOwn: () => boolean;
  /** Tells the others something new; they see the old data or the new, never a mixture. */
  readonly update: (data: LockData) => void;
  /** Gives the lock to the next one. Happens by itself when the process exits. */
  readonly release: () => void;
};

export type LockOptions = {
  readonly data?: LockData | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called when the wait begins, and again for every other holder that has to be waited for. */
  readonly onWait?: ((holder: Holder) => void) | undefined;
  /** The longest pause between two looks, in milliseconds; three times that once the wait gets long. */
  readonly pollMs?: number | undefined;
  /** How long to wait at most, in milliseconds. */
  readonly timeoutMs?: number | undefined;
};

/**
 * Takes the lock at `path` (a folder, made if missing), waiting for its holder to release it, die or stop.
 * Throws the signal's reason when aborted, a UserError when the time is over or the files cannot be written.
 */
export const acquireLock = async (path: string, options: LockOptions = {}): Promise<Lock> => {
  const { signal, onWait, pollMs = 50, timeoutMs = Number.POSITIVE_INFINITY } = options;
  const candidate = newCandidate(path, options.data);
  const start = performance.now();
  const waited = (): number => performance.now() - start;
  let announced: string | undefined;
  try {
    for (let pause = 5; ; pause = Math.min(pause * 1.5, waited() < patienceMs ? pollMs : 3 * pollMs)) {
      signal?.throwIfAborted();
      const { lock, holder } = attempt(path, candidate);
      if (lock !== undefined) return lock;
      if (holder.token !== announced) onWait?.(holder);
      announced = holder.token;
      if (waited() >= timeoutMs) throw timeoutError(path, holder);
      await sleep(pause * (0.5 + Math.random() / 2), signal);
    }
  } finally {
    candidate.discard();
  }
};

/** Either the lock or the one who has it. */
export type Attempt =
  | { readonly lock: Lock; readonly holder?: undefined }
  | { readonly lock?: undefined; readonly holder: Holder };

/**
 * Takes the lock if it is free, without waiting. A holder that stopped is noticed only by a caller who asks again
 * and again, at least every 250 ms. Throws a UserError when the files cannot be written.
 */
export const tryLock = (path: string, data?: LockData): Attempt => {
  const candidate = newCandidate(path, data);
  try {
    return attempt(path, candidate);
  } finally {
    candidate.discard();
  }
};

/** Who has the lock, or had it last (`released`); undefined when nobody ever had. Throws a UserError. */
export const readLock = (path: string): Holder | undefined => {
  try {
    const entry = newestEntry(path);
    return entry === undefined ? undefined : judge(path, entry);
  } catch (error) {
    throw fileError(error, 'read', path);
  }
};

// who waits longer than this waits for a person
const patienceMs = 3000;

const attempt = (path: string, candidate: Candidate): Attempt => {
  try {
    for (;;) {
      const newest = newestEntry(path);
      const holder = newest === undefined ? undefined : judge(path, newest);
      if (holder?.state === 'held') return { holder };
      const number = (newest?.number ?? 0) + 1;
      const fd = candidate.claim(number);
      if (fd === undefined) continue;
      if (confirm(path, number, fd, newest)) {
        return { lock: hold({ path, number, fd, token: candidate.token, previous: holder }) };
      }
    }
  } catch (error) {
    throw fileError(error, 'lock', path);
  }
};

const confirm = (path: string, number: number, fd: number, before: Entry | undefined): boolean => {
  try {
    if (isRightful(path, number, before)) {
      removeObsolete(path, number);
      return true;
    }
  } catch (error) {
    giveUp(fd);
    throw error;
  }
  removeQuietly(join(path, String(number)));
  closeQuietly(fd);
  return false;
};

// Whoever looked at `before` and then created the next number is the first to do so as long as `before` is there.
const isRightful = (path: string, number: number, before: Entry | undefined): boolean =>
  before === undefined
    ? numbersIn(path).every((each) => each <= number)
    : readEntry(path, before.number)?.token === before.token;

const removeObsolete = (path: string, number: number): void => {
  for (const each of numbersIn(path).filter((other) => other < number))
    removeQuietly(join(path, String(each)));
  for (const name of listEntries(path)) {
    const pid = Number(/^(\d+)\.[0-9a-f]+\.tmp$/.exec(name)?.[1] ?? 0);
    // whoever still needs the file (a process on another machine, another wait in this one) makes a new one
    if (pid !== 0 && (pid === process.pid || !isProcess(pid))) removeQuietly(join(path, name));
  }
};

type Holding = { path: string; number: number; fd: number; token: string; previous: Holder | undefined };

const hold = ({ path, number, fd, token, previous }: Holding): Lock => {
  const heartbeat = setInterval(() => beat(fd), beatMs).unref();
  let over = false;
  const release = (): void => {
    if (over) return;
    over = true;
    clearInterval(heartbeat);
    releaseAtExit.delete(release);
    giveUp(fd);
  };
  holdUntilExit(release);
  return {
    token,
    previous,
    stillOwn: () => !over && isNewest(path, number, token),
    update: (data) => {
      if (over) return;
      try {
        appendLine(fd, data);
      } catch (error) {
        throw fileError(error, 'write', path);
      }
    },
    release,
  };
};

const giveUp = (fd: number): void => {
  try {
    markReleased(fd);
  } catch {
    // without a heartbeat the lock is stale soon, and at once when this process ends
  }
  closeQuietly(fd);
};

const markReleased = (fd: number): void => {
  try {
    fs.writeSync(fd, '-', 0);
  } catch {
    // a full disk that copies on write has no room even for that; no live lock has this time
    fs.futimesSync(fd, 0, 0);
  }
};

const isNewest = (path: string, number: number, token: string): boolean => {
  try {
    return readEntry(path, number)?.token === token && readEntry(path, number + 1) === undefined;
  } catch {
    return false;
  }
};

const releaseAtExit = new Set<() => void>();

const holdUntilExit = (release: () => void): void => {
  if (releaseAtExit.size === 0) {
    process.off('exit', releaseAll);
    process.on('exit', releaseAll);
  }
  releaseAtExit.add(release);
};

const releaseAll = (): void => {
  for (const release of releaseAtExit) release();
};

const sleep = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  setTimeout(ms, undefined, signal === undefined ? {} : { signal }).catch(() => signal?.throwIfAborted());

const timeoutError = (path: string, { pid }: Holder): UserError =>
  new UserError(`could not lock ${path}: process ${pid} has not released it`, {
    hint: `ps -p ${pid}`,
  });
