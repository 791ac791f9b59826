import fs from 'node:fs';
import { dirname } from 'node:path';
import { stageFile } from './replace.ts';
import { systemCode, UserError } from '../errors.ts';
import { foreignOwner } from './errors.ts';

/**
 * Tries whether `target` (symbolic links resolved, its folder exists) can be replaced by a rename that keeps mode and
 * owner. Writes a file as large as the new one will be beside it and removes it again. Throws a UserError or the
 * system's error.
 */
export const checkReplaceable = (target: string): void => {
  const now = fs.statSync(target, { throwIfNoEntry: false });
  if (now !== undefined) checkExisting(target, now);
  const size = (now?.size ?? 0) + spareBytes;
  checkSpace(target, size);
  tryToStage(target, Buffer.alloc(size), now);
};

// Without the target's lock, an edit of another process may sweep the temporary file away at any moment.
const tryToStage = (target: string, bytes: Buffer, now: fs.Stats | undefined): void => {
  for (let triesLeft = 50; ; triesLeft -= 1) {
    try {
      return stageFile(target, bytes, now).discard();
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || triesLeft === 0) throw error;
    }
  }
};

/** Throws a UserError when `now` belongs to somebody else: a rename would make the file ours. */
export const refuseForeign = (target: string, now: fs.Stats | undefined): void => {
  const uid = process.geteuid?.() ?? 0;
  if (now === undefined || uid === 0 || now.uid === uid) return;
  const { reason, hint } = foreignOwner(target, now.uid);
  throw new UserError(`could not write ${target}: ${reason}`, { hint });
};

// more than one edit adds
const spareBytes = 8192;

const checkExisting = (target: string, now: fs.Stats): void => {
  if (now.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' });
  if (!now.isFile()) {
    throw new UserError(`could not write ${target}: it is a device or a pipe, not a file`, {
      hint: 'check AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE',
    });
  }
  refuseForeign(target, now);
  // a file that is made read-only, or immutable, is meant to stay as it is, though a rename could replace it
  fs.closeSync(fs.openSync(target, 'r+'));
  if (isMountPoint(target, now)) throw Object.assign(new Error('is a mount point'), { code: 'EBUSY' });
};

// A single file mounted into a container: the rename would fail. The kernel's list tells, proc(5): the fifth field,
// with blanks as \040. Device numbers may differ without a mount (overlayfs), so they only stand in for the list.
const isMountPoint = (target: string, now: fs.Stats): boolean => {
  const mounts = readMounts();
  return mounts === undefined
    ? fs.statSync(dirname(target)).dev !== now.dev
    : mounts.split('\n').some((line) => unescapeOctal(line.split(' ')[4] ?? '') === target);
};

const readMounts = (): string | undefined => {
  try {
    return fs.readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return undefined;
  }
};

const unescapeOctal = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

// The trial write alone would take the last blocks for a moment from whoever needs them now.
const checkSpace = (target: string, size: number): void => {
  const { bavail, bfree, bsize } = fs.statfsSync(dirname(target));
  if ((process.geteuid?.() === 0 ? bfree : bavail) * bsize < size) {
    throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  }
};
