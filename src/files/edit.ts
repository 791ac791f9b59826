import fs from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { makeFolder, removeStrays, resolveTarget, stageFile } from './replace.ts';
import type { Staged } from './replace.ts';
import { checkReplaceable, refuseForeign } from './replaceable.ts';
import { isUserError, systemCode, UserError } from '../errors.ts';
import { fileError } from './errors.ts';
import { acquireLock, type LockOptions, tryLock } from './lock.ts';
import { ensureStateFolder, lockPathFor } from './state-files.ts';

/**
 * Finds out whether `editFile` will be able to replace this file, before anything that cannot be taken back happens:
 * rights, owner, read-only file systems, bind mounts, space, quotas, links and, given the state folder, the lock. What
 * it needs to know it tries out, with a temporary file as large as the real one will be. Throws a UserError.
 */
export const checkEditable = (path: string, state?: string): void => {
  const target = targetOf(path);
  try {
    makeFolder(dirname(target));
    checkReplaceable(target);
  } catch (error) {
    throw fileError(error, 'write', path, target);
  }
  if (state === undefined) return;
  ensureStateFolder(state);
  tryLock(lockPathFor(state, target)).lock?.release();
};

/** What `checkEditable` raises, or undefined. */
export const findEditProblem = (path: string, state?: string): UserError | undefined => {
  try {
    checkEditable(path, state);
    return undefined;
  } catch (error) {
    if (isUserError(error)) return error;
    throw error;
  }
};

/** Removes what killed edits of a file have left beside it, which may hold what the file holds no more. Throws a UserError. */
export const removeLeftovers = (path: string): void => removeStrays(targetOf(path), 'dead');

export type EditOptions = Pick<LockOptions, 'onWait' | 'signal'> & {
  /** The state folder: the locks are there. */
  readonly state: string;
  /** Called once when another program turns out to be writing the file, before the first pause. */
  readonly onBusy?: (() => void) | undefined;
  /** How long to try, in milliseconds, while other programs keep writing the file. */
  readonly patienceMs?: number | undefined;
};

/**
 * Edits a file as one step that a crash at any moment leaves undone or done: takes the file's lock, reads it (a
 * missing one as empty), and replaces it by what `edit` makes of it. Mode, owner and symbolic links stay; a hard link
 * does not, its other names keep the old content. A new file is 0600, a new folder 0700. `edit` may be called again,
 * on newer bytes, when the file changed meanwhile. Returns whether the file was changed. Throws a UserError, what
 * `edit` throws, or the signal's reason; the old file is then untouched, save after a failed sync of its folder.
 */
export const editFile = async (
  path: string,
  edit: (bytes: Buffer) => Buffer,
  { state, signal, onWait, onBusy, patienceMs = 10_000 }: EditOptions,
): Promise<boolean> => {
  ensureStateFolder(state);
  const start = performance.now();
  for (let pause = 5, tries = 0; ; pause = Math.min(pause * 1.7, 500), tries += 1) {
    const target = targetOf(path);
    const lock = await acquireLock(lockPathFor(state, target), { signal, onWait, timeoutMs: 60_000 });
    try {
      const mayReplace = (): boolean => lock.stillOwn() && targetOf(path) === target;
      const outcome = tries > 0 && isBeingWritten(target) ? 'overtaken' : editOnce(target, edit, mayReplace);
      if (outcome !== 'overtaken') return outcome === 'changed';
    } catch (error) {
      throw fileError(error, 'write', path, target);
    } finally {
      lock.release();
    }
    if (performance.now() - start >= patienceMs) throw busyError(path);
    if (tries === 0) onBusy?.();
    await setTimeout(pause * (0.5 + Math.random() / 2), undefined, signal === undefined ? {} : { signal });
  }
};

const busyError = (path: string): UserError =>
  new UserError(`could not write ${path}: other programs keep changing it`, {
    hint: 'run the command again',
  });

const targetOf = (path: string): string => {
  try {
    return resolveTarget(path);
  } catch (error) {
    throw fileError(error, 'read', path);
  }
};

type Outcome = 'changed' | 'overtaken' | 'unchanged';

// A holder that was stopped and overtaken between `mayReplace` and the rename cannot do harm either: the next one
// removes the temporary file before it reads the target, so the rename came before that look or fails.
const editOnce = (target: string, edit: (bytes: Buffer) => Buffer, mayReplace: () => boolean): Outcome => {
  makeFolder(dirname(target));
  removeStrays(target, 'any');
  const before = fs.statSync(target, { throwIfNoEntry: false });
  const bytes = before === undefined ? Buffer.alloc(0) : fs.readFileSync(target);
  // a program that writes in place has emptied the file, and its bytes are about to come
  if (before?.size === 0 && ageOf(before) < 1000) return 'overtaken';
  const edited = editWhole(target, bytes, edit);
  if (edited === undefined) return 'overtaken';
  if (edited.equals(bytes)) return 'unchanged';
  refuseForeign(target, before);
  const staged = stageIfAny(target, edited, before);
  if (staged === undefined) return 'overtaken';
  try {
    // programs that know nothing of our locks write these files too
    if (!mayReplace() || !isSame(before, fs.statSync(target, { throwIfNoEntry: false }))) return 'overtaken';
    staged.commit();
    return 'changed';
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 'overtaken';
    throw error;
  } finally {
    staged.discard();
  }
};

// Undefined when the temporary file was swept away: we were stopped, and another process has the lock.
const stageIfAny = (target: string, bytes: Uint8Array, before: fs.Stats | undefined): Staged | undefined => {
  try {
    return stageFile(target, bytes, before);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
};

// What cannot be edited may be the half of a file that is being written in place.
const editWhole = (target: string, bytes: Buffer, edit: (bytes: Buffer) => Buffer): Buffer | undefined => {
  try {
    return edit(bytes);
  } catch (error) {
    if (isBeingWritten(target)) return undefined;
    throw error;
  }
};

// Whether a program has written the file just now: half of what it writes may still be missing. Once one is known to be
// at work we wait for a gap.
const isBeingWritten = (target: string): boolean => {
  const now = fs.statSync(target, { throwIfNoEntry: false });
  return now !== undefined && ageOf(now) < quietMs;
};

const quietMs = 50;

/** Milliseconds since the last write; more than any limit where the file system's clock is ahead of ours. */
const ageOf = ({ mtimeMs }: fs.Stats): number => {
  const age = Date.now() - mtimeMs;
  return age < -quietMs ? Number.POSITIVE_INFINITY : age;
};

const isSame = (before: fs.Stats | undefined, now: fs.Stats | undefined): boolean =>
  before?.ino === now?.ino && before?.size === now?.size && before?.mtimeMs === now?.mtimeMs;
