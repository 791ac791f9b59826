import fs from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../errors.ts';
import { fileError } from './errors.ts';

// All names of ours in the state folder: `AWS_IAM_LOGIN_HOME` may be a folder where others keep things too.
const ownNames = [
  'exec',
  'hook-version',
  'key-dates',
  'key-stores',
  'locks',
  'rotations',
  'used-codes',
  'waiting',
];

/** What there is of ours in the state folder, as paths. Throws a UserError. */
export const findOwnState = (state: string): string[] => {
  try {
    return fs
      .readdirSync(state)
      .filter((name) => ownNames.includes(name))
      .map((name) => join(state, name));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return [];
    throw fileError(error, 'read', state);
  }
};

/** Removes what is ours in the state folder, and the folder itself when nothing else is in it. Throws a UserError. */
export const removeOwnState = (state: string): void => {
  try {
    for (const path of findOwnState(state)) fs.rmSync(path, { recursive: true, force: true });
    if (fs.existsSync(state) && fs.readdirSync(state).length === 0) fs.rmdirSync(state);
  } catch (error) {
    throw fileError(error, 'remove', state);
  }
};
