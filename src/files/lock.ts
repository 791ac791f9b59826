import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { closeQuietly, adoptOwner, isProcess, makeFolder, removeQuietly, writeAll } from './replace.ts';
import { systemCode, UserError } from '../errors.ts';
import { fileError } from './errors.ts';

// A lock is a folder, and its holders are numbered files in it: the file with the highest number is the present
// holder, or, once marked as released, the last one. To take the lock is to create the next number, which the file
// system allows to one process only, whether the holder before has released it, died or stopped. A number is never
// used twice, and a holder writes to its own file only through the open descriptor. So nothing ever has to be
// removed "if it is still the old one", the step that no file system can do at once and where lock files break.
//
// The numbers below one's own are removed in ascending order. Somebody who slept between looking at number n and
// creating n+1 may therefore create a number that was in use long ago, but then n is gone already: that is checked
// after the creation, and what it created counts for nobody, because there is a higher number.

/** What the holder tells the others about itself. Never a secret. */
export type LockData = Readonly<Record<string, unknown>>;

/** A holder, as its lock file shows it. `stale`: dead, or without a sign of life for 10 s. */
export type Holder = {
  readonly state: 'held' | 'stale' | 'released';
  readonly pid: number;
  /** Random, different for every holder there ever was; empty when the file cannot be understood. */
  readonly token: string;
  /** What the holder said last. */
  readonly data: LockData;
};

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
const beatMs = 1000;
const staleMs = 10_000;

type Entry = {
  readonly number: number;
  readonly released: boolean;
  readonly pid: number;
  readonly host: string;
  readonly born: string;
  readonly token: string;
  readonly data: LockData;
  readonly mtimeMs: number;
};

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

// A write instead of utimes: the time then comes from the file system's own clock.
const beat = (fd: number): void => {
  try {
    fs.writeSync(fd, '+', 0);
  } catch {
    // the next beat may pass; if none does, the others take over and stillOwn says so
  }
};

type Candidate = {
  readonly token: string;
  /** Creates the number in one step, with our content; the open file, or undefined when another was faster. */
  readonly claim: (number: number) => number | undefined;
  readonly discard: () => void;
};

// The file that becomes the lock is written complete under a name of its own first, and linked to the number.
const newCandidate = (path: string, data: LockData = {}): Candidate => {
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
  const self = { pid: process.pid, host: thisHost(), born: processInfo(process.pid)?.born ?? '', token };
  return Buffer.from(`+${JSON.stringify(self)}\n${JSON.stringify(data)}\n`);
};

// Appended, because a reader sees the old end of a file or the new one; without the line end a line does not count.
const appendLine = (fd: number, data: LockData): void => {
  const { size } = fs.fstatSync(fd);
  const line = Buffer.from(`${JSON.stringify(data)}\n`);
  if (fs.writeSync(fd, line, 0, line.length, size) === line.length) return;
  fs.ftruncateSync(fd, size);
  throw new UserError('could not write a lock file: no space is left on the disk');
};

const numbersIn = (path: string): number[] =>
  listEntries(path)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);

const listEntries = (path: string): string[] => {
  try {
    return fs.readdirSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
};

const newestEntry = (path: string): Entry | undefined => {
  for (;;) {
    const number = numbersIn(path).at(-1);
    if (number === undefined) return undefined;
    const entry = readEntry(path, number);
    if (entry !== undefined) return entry;
    // removed since: then there is a higher one
  }
};

const readEntry = (path: string, number: number): Entry | undefined => {
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

const judge = (path: string, entry: Entry): Holder => {
  const { pid, token, data } = entry;
  return { state: stateOf(path, entry), pid, token, data };
};

const stateOf = (path: string, entry: Entry): Holder['state'] => {
  if (entry.released) return 'released';
  return isDead(entry) || isSilent(path, entry) ? 'stale' : 'held';
};

const isDead = ({ pid, host, born }: Entry): boolean => {
  if (pid === 0 || host !== thisHost()) return false;
  if (!isProcess(pid)) return true;
  const info = processInfo(pid);
  // the id may have been given to another process since; a zombie has ended and only waits for its parent
  return info !== undefined && (info.ended || (born !== '' && info.born !== born));
};

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

// Process ids mean something only within one boot and one process namespace: containers share homes and host names.
const thisHost = (): string => {
  host ??= [os.hostname(), readProc('/proc/sys/kernel/random/boot_id'), readProc('/proc/self/ns/pid')]
    .join(' ')
    .trim();
  return host;
};

let host: string | undefined;

// proc(5): the state and, 19 fields later, the start in clock ticks since boot. Undefined where there is no /proc.
const processInfo = (pid: number): { ended: boolean; born: string } | undefined => {
  const stat = readProc(`/proc/${pid}/stat`);
  const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const born = fields[18];
  return born === undefined ? undefined : { ended: 'ZX'.includes(state), born };
};

const readProc = (path: string): string => {
  try {
    return path.includes('/ns/') ? fs.readlinkSync(path) : fs.readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
};

const sleep = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  setTimeout(ms, undefined, signal === undefined ? {} : { signal }).catch(() => signal?.throwIfAborted());

const timeoutError = (path: string, { pid }: Holder): UserError =>
  new UserError(`could not lock ${path}: process ${pid} has not released it`, {
    hint: `ps -p ${pid}`,
  });
