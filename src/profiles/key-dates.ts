import fs from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../errors.ts';
import { fileError } from '../files/errors.ts';
import { readFileIfAny } from '../files/read.ts';

// When keys were made is AWS's to know. What it has told once is noted, a file for each key id, so that later looks
// need not ask.

/** Finds out when a key was made, in milliseconds since the epoch; undefined for one that was never noted. */
export const newKeyDates = (state: string): ((accessKeyId: string | undefined) => number | undefined) => {
  const known = new Set(namesIn(folderOf(state)));
  return (accessKeyId) => {
    if (accessKeyId === undefined || !known.has(accessKeyId)) return undefined;
    const date = Date.parse(
      readFileIfAny(join(folderOf(state), accessKeyId))
        ?.toString()
        .trim() ?? '',
    );
    return Number.isNaN(date) ? undefined : date;
  };
};

/** Where it is noted, a file for each key. */
export const folderOf = (state: string): string => join(state, 'key-dates');

/** Whether a text can be a key's id, and so the name of a file. */
export const isKeyId = (text: string): boolean => /^\w{16,128}$/.test(text);

const namesIn = (folder: string): string[] => {
  try {
    return fs.readdirSync(folder).filter(isKeyId);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return [];
    throw fileError(error, 'read', folder);
  }
};
