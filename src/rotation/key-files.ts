import { editFile } from '../files/edit.ts';
import { readSharedFiles } from '../profiles/profile.ts';
import type { AccessKey } from '../profiles/profile.ts';
import { findKeyHolders, replaceKey } from './key-holders.ts';
import type { KeyHolder, WantedKey } from './key-holders.ts';
import type { Rotation } from './rotation.ts';

/** Replaces a key in all profiles of both files. Returns who got the new one. Raises UserError. */
export const replaceInFiles = async (
  rotation: Rotation,
  from: WantedKey,
  to: AccessKey,
  onWritten: (path: string) => void = () => {},
): Promise<KeyHolder[]> => {
  const holders = findKeyHolders(from, readSharedFiles(rotation.context.env));
  for (const kind of ['credentials', 'config'] as const) {
    const path = holders.find((holder) => holder.kind === kind)?.path;
    if (path === undefined) continue;
    const edit = (bytes: Buffer): Buffer => {
      rotation.checkOwn();
      return replaceKey(bytes, kind, from, to);
    };
    await editFile(path, edit, { state: rotation.state });
    onWritten(path);
  }
  return holders;
};
