import fs from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../errors.ts';
import { fileError } from '../files/errors.ts';
import { findStrays } from '../files/replace.ts';
import { readStateFile, removeStateFile, writeStateFile } from '../files/state-files.ts';

// Which stores have an item for a key of ours is noted before it is written, a file for each key id: what a killed
// process has left in a store is found by it.

/** The names of the stores that may have an item for the key. Raises UserError. */
export const notedStores = (state: string, accessKeyId: string): string[] =>
  (readStateFile(pathOf(state, accessKeyId)) ?? '').split('\n').filter((name) => name !== '');

/** The ids of all keys that a store may have an item for. Raises UserError. */
export const notedKeys = (state: string): string[] => {
  try {
    return fs.readdirSync(join(state, folder)).filter((name) => /^\w+$/.test(name));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return [];
    throw fileError(error, 'read', join(state, folder));
  }
};

/** Notes that a store gets an item for the key. Raises UserError. */
export const noteStore = (state: string, accessKeyId: string, name: string): void => {
  const names = notedStores(state, accessKeyId);
  if (!names.includes(name)) writeNote(state, accessKeyId, [...names, name]);
};

/** Notes that a store has no item for the key any more. Raises UserError. */
export const dropNote = (state: string, accessKeyId: string, name: string): void => {
  const names = notedStores(state, accessKeyId);
  const left = names.filter((each) => each !== name);
  if (left.length > 0 && left.length < names.length) return writeNote(state, accessKeyId, left);
  removeTornNotes(state);
  if (left.length === 0) removeStateFile(pathOf(state, accessKeyId));
};

const folder = 'key-stores';

const pathOf = (state: string, accessKeyId: string): string => join(state, folder, accessKeyId);

const writeNote = (state: string, accessKeyId: string, names: readonly string[]): void => {
  removeTornNotes(state);
  writeStateFile(pathOf(state, accessKeyId), names.map((name) => `${name}\n`).join(''));
};

// A process that was killed may have left half a note of a key that nobody writes down again.
const removeTornNotes = (state: string): void => findStrays(join(state, folder)).forEach(removeStateFile);
