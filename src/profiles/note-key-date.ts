import { join } from 'node:path';
import { writeStateFile } from '../files/state-files.ts';
import { folderOf, isKeyId } from './key-dates.ts';

// Apart from the reading, so that `list` and `status` need not load what writes files.

/** Notes when a key was made, in milliseconds since the epoch. Raises UserError when it cannot be written. */
export const noteKeyDate = (state: string, accessKeyId: string, createdAt: number): void => {
  if (isKeyId(accessKeyId))
    writeStateFile(join(folderOf(state), accessKeyId), `${new Date(createdAt).toISOString()}\n`);
};
