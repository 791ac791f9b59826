import fs from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../errors.ts';
import { fileError } from '../files/errors.ts';
import { readStateFile, writeStateFile } from '../files/state-files.ts';

// When keys were made is AWS's to know. What it has told once is noted, a file for each key id, so that later looks
// need not ask.

/** Notes when a key was made, in milliseconds since the epoch. Raises UserError when it cannot be written. */
export const noteKeyDate = (state: string, accessKeyId: string, createdAt: number): void => {
  if (isKeyId(accessKeyId))
    writeStateFile(join(folderOf(state), accessKeyId), `${new Date(createdAt).toISOString()}\n`);
};

/** Finds out when a key was made, in milliseconds since the epoch; undefined for one that was never noted. */
export const newKeyDates = (state: string): ((accessKeyId: string | undefined) => number | undefined) => {
  const known = new Set(namesIn(folderOf(state)));
  return (accessKeyId) => {
    if (accessKeyId === undefined || !known.has(accessKeyId)) return undefined;
    const date = Date.parse(readStateFile(join(folderOf(state), accessKeyId))?.trim() ?? '');
    return Number.isNaN(date) ? undefined : date;
  };
};

const folderOf = (state: string): string => join(state, 'key-dates');

// It becomes the name of a file.
const isKeyId = (text: string): boolean => /^\w{16,128}$/.test(text);

const namesIn = (folder: string): string[] => {
  try {
    return fs.readdirSync(folder).filter(isKeyId);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return [];
    throw fileError(error, 'read', folder);
  }
};
