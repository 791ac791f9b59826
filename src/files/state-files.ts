import crypto from 'node:crypto';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../errors.ts';
import { fileError } from './errors.ts';
import { readFileIfAny } from './read.ts';
import { makeFolder, removeStrays, stageFile } from './replace.ts';

/** The path of the lock on a file or on anything else that has a name, such as a serial number. */
export const lockPathFor = (state: string, subject: string): string =>
  join(state, 'locks', crypto.createHash('sha256').update(subject).digest('hex').slice(0, 32));

/** Makes the state folder, and closes it to others. Throws a UserError when it is no folder of our own. */
export const ensureStateFolder = (state: string): void => {
  try {
    const locks = join(state, 'locks');
    if (!fs.existsSync(locks)) {
      refuseUsedFolder(state);
      makeFolder(locks);
    }
    if ((fs.statSync(state).mode & 0o077) !== 0) fs.chmodSync(state, 0o700);
  } catch (error) {
    throw fileError(error, 'write', state);
  }
};

/** Writes a file of our own, 0600, so that it is there whole and on the disk, or not at all. Throws a UserError. */
export const writeStateFile = (path: string, text: string): void => {
  try {
    makeFolder(dirname(path));
    removeStrays(path, 'dead');
    const staged = stageFile(path, Buffer.from(text));
    try {
      staged.commit();
    } finally {
      staged.discard();
    }
  } catch (error) {
    throw fileError(error, 'write', path);
  }
};

/** The text of a file of our own, undefined when there is none. Throws a UserError. */
export const readStateFile = (path: string): string | undefined => readFileIfAny(path)?.toString('utf8');

/** Removes a file of our own; none is fine. Throws a UserError. */
export const removeStateFile = (path: string): void => {
  try {
    fs.rmSync(path, { force: true });
  } catch (error) {
    throw fileError(error, 'remove', path);
  }
};

// Closing a folder that other things live in (HOME, /tmp) would break them.
const refuseUsedFolder = (state: string): void => {
  const now = fs.statSync(state, { throwIfNoEntry: false });
  if (now === undefined || (now.mode & 0o077) === 0 || fs.readdirSync(state).length === 0) return;
  throw new UserError(`could not use ${state}: it holds other files and is open to other users`, {
    hint: 'set AWS_IAM_LOGIN_HOME to a folder of its own',
  });
};
