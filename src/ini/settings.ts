import { nameFilter, scanOf } from './blocks.ts';
import { readPlainBlock } from './plain-block.ts';
import { readProfile } from './read.ts';
import type { FileKind } from './section-name.ts';

/** The values of settings by their names in lower case. */
export type Settings = ReadonlyMap<string, string>;

/** All profiles of a file, parsed once. */
export type Profiles = {
  /** As `profileNames` lists them. */
  readonly names: readonly string[];
  /** The settings that `readProfile` finds, also for a name that is not listed (blanks hide some). */
  readonly settingsOf: (name: string) => Settings | undefined;
};

/** The settings that `readProfile` finds. Where all that may matter is written plainly, no parser is needed. */
export const readSettings = (bytes: Buffer, kind: FileKind, profile: string): Settings | undefined => {
  const { text, blocks } = scanOf(bytes);
  const mayMatter = nameFilter(profile);
  let settings: Settings | undefined;
  for (const { start, end, headers } of blocks) {
    if (!headers.some(mayMatter)) continue;
    const plain = headers.length === 1 ? readPlainBlock(text.slice(start, end), kind) : undefined;
    const isAgain = settings !== undefined && plain?.profile === profile;
    if (plain === undefined || isAgain) return readProfile(bytes, kind, profile)?.settings;
    if (plain.profile === profile) settings = plain.settings;
  }
  return settings;
};
