import crypto from 'node:crypto';
import fs from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { systemCode, UserError } from '../errors.ts';
import { shellWord } from '../text.ts';
import { keepAttributes } from './attributes.ts';

// fs is used by property everywhere (fs.renameSync, not renameSync), so that a test can put a kill or an error
// in front of every single operation of the built program.

/** A written and synced file beside its target, waiting for the rename. */
export type Staged = { readonly commit: () => void; readonly discard: () => void };

/**
 * Where a write to `path` has to go: symbolic links are followed, dangling ones too, and the folder's own path is
 * resolved as far as it exists, so that one file has one name. Throws the system's errors (ELOOP, EACCES).
 */
export const resolveTarget = (path: string): string => {
  const whole = resolve(path);
  try {
    return fs.realpathSync.native(whole);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  const link = readLinkIfAny(whole);
  if (link !== undefined) return resolveTarget(resolve(dirname(whole), link));
  const folder = dirname(whole);
  return folder === whole ? whole : join(resolveTarget(folder), basename(whole));
};

/**
 * Writes `bytes` to a temporary file beside `target` with mode, owner, ACL and attributes of `like`, the target's
 * present state (none: 0600 and ours), and
 * syncs it. `commit` renames it over the target and syncs the folder, `discard` removes what is left: call it in
 * `finally`. Throws the system's errors, a UserError where the owner cannot be kept. A failure leaves nothing behind.
 */
export const stageFile = (target: string, bytes: Uint8Array, like?: fs.Stats): Staged => {
  const temporary = join(dirname(target), temporaryName(basename(target)));
  const discard = (): void => removeQuietly(temporary);
  try {
    writeNewFile(temporary, bytes, target, like);
  } catch (error) {
    discard();
    throw error;
  }
  return {
    commit: () => {
      fs.renameSync(temporary, target);
      syncFolder(dirname(target));
    },
    discard,
  };
};

/**
 * Removes the temporary files that killed runs left beside `target`. Under the target's lock nobody else writes, so
 * all of them go (`any`); without a lock only those whose writer's process is gone (`dead`).
 */
export const removeStrays = (target: string, which: 'any' | 'dead'): void => {
  const folder = dirname(target);
  for (const name of listQuietly(folder)) {
    const pid = writerOf(name, basename(target));
    if (pid !== undefined && (which === 'any' || !isProcess(pid))) removeQuietly(join(folder, name));
  }
};

/** The temporary files in a folder whose writers have ended, whatever they were to become. */
export const findStrays = (folder: string): string[] =>
  listQuietly(folder)
    .filter((name) => {
      const pid = /^\..+\.aws-iam-login\.(\d+)\.[0-9a-f]{8}\.tmp$/.exec(name)?.[1];
      return pid !== undefined && !isProcess(Number(pid));
    })
    .map((name) => join(folder, name));

/** Makes a folder and its missing parents, 0700; what root makes belongs to the owner of the folder it lies in. */
export const makeFolder = (folder: string): void => {
  const first = fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let each = resolve(folder); each.startsWith(first); each = dirname(each)) {
    asRootFor(dirname(first), ({ uid, gid }) => fs.lchownSync(each, uid, gid));
  }
};

/** Gives a new file of root to the owner of its folder: sudo must leave no file of root in a user's home. */
export const adoptOwner = (fd: number, folder: string): void =>
  asRootFor(folder, ({ uid, gid }) => fs.fchownSync(fd, uid, gid));

const asRootFor = (folder: string, give: (owner: fs.Stats) => void): void => {
  if (process.geteuid?.() !== 0) return;
  const owner = fs.statSync(folder);
  if (owner.uid === 0) return;
  try {
    give(owner);
  } catch {
    // the root of a container may not: then the file is simply root's
  }
};

/** Writes all bytes at the file's current position, however many calls that takes. */
export const writeAll = (fd: number, bytes: Uint8Array): void => {
  let written = 0;
  while (written < bytes.length) written += fs.writeSync(fd, bytes, written);
};

/** Whether a process with this id exists on this machine, whoever owns it. */
export const isProcess = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH';
  }
};

/** Removes a file; that it is gone already, or cannot be removed, is no error. */
export const removeQuietly = (path: string): void => {
  try {
    fs.unlinkSync(path);
  } catch {
    // the next run sweeps again
  }
};

const writeNewFile = (path: string, bytes: Uint8Array, target: string, like: fs.Stats | undefined): void => {
  const fd = fs.openSync(path, 'wx', 0o600);
  try {
    if (like !== undefined) adoptAttributes(fd, path, target, like);
    writeAll(fd, bytes);
    if (like === undefined) adoptOwner(fd, dirname(path));
    else keepOwner(fd, target, like);
    fs.fchmodSync(fd, (like?.mode ?? 0o600) & 0o7777);
    fs.fsyncSync(fd);
  } catch (error) {
    closeQuietly(fd);
    throw error;
  }
  // the last place where a network file system reports that the bytes did not arrive
  fs.closeSync(fd);
};

// Before the content is in. With the mode in place the attributes that only mirror it are equal already; afterwards
// the file is closed again to everybody until its content and its owner are right.
const adoptAttributes = (fd: number, path: string, target: string, { mode }: fs.Stats): void => {
  fs.fchmodSync(fd, mode & 0o7777);
  try {
    keepAttributes(target, path, mode);
  } finally {
    refuseSwept(fd);
  }
  fs.fchmodSync(fd, 0o600);
  fs.ftruncateSync(fd);
};

// Who holds the target's lock removes what it takes for the leftovers of killed runs: tools that are given the name of
// the file then fail, or make a new one.
const refuseSwept = (fd: number): void => {
  if (fs.fstatSync(fd).nlink === 0) throw sweptError();
};

const sweptError = (): Error =>
  Object.assign(new Error('the temporary file is not there any more'), { code: 'ENOENT' });

const keepOwner = (fd: number, target: string, { uid, gid }: fs.Stats): void => {
  const now = fs.fstatSync(fd);
  if (now.uid === uid && now.gid === gid) return;
  try {
    fs.fchownSync(fd, uid, gid);
  } catch (error) {
    throw new UserError(`could not write ${target}: its owner ${uid}:${gid} could not be kept`, {
      hint: `chown ${now.uid}:${now.gid} ${shellWord(target)}`,
      cause: error,
    });
  }
};

const syncFolder = (folder: string): void => {
  try {
    const fd = fs.openSync(folder, 'r');
    try {
      fs.fsyncSync(fd);
    } finally {
      closeQuietly(fd);
    }
  } catch (error) {
    // some file systems cannot sync a folder, and a folder may be writable but not readable
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EBADF', 'EACCES', 'EPERM'].includes(systemCode(error) ?? '')) {
      throw error;
    }
  }
};

/** Closes a file of which nothing more is expected. */
export const closeQuietly = (fd: number): void => {
  try {
    fs.closeSync(fd);
  } catch {
    // the error that brought us here says more
  }
};

const temporaryName = (name: string): string =>
  `.${name}.aws-iam-login.${process.pid}.${crypto.randomBytes(4).toString('hex')}.tmp`;

const writerOf = (name: string, target: string): number | undefined => {
  const start = `.${target}.aws-iam-login.`;
  const found = name.startsWith(start) ? /^(\d+)\.[0-9a-f]{8}\.tmp$/.exec(name.slice(start.length)) : null;
  return found === null ? undefined : Number(found[1]);
};

const listQuietly = (folder: string): string[] => {
  try {
    return fs.readdirSync(folder);
  } catch {
    return [];
  }
};

const readLinkIfAny = (path: string): string | undefined => {
  try {
    return fs.readlinkSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'EINVAL') return undefined;
    throw error;
  }
};
