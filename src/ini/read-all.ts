import { scanOf } from './blocks.ts';
import type { Block, Scan } from './blocks.ts';
import { readPlainBlock } from './plain-block.ts';
import { readOdd } from './read-odd.ts';
import type { Sorted } from './read-odd.ts';
import type { FileKind } from './section-name.ts';
import type { Profiles, Settings } from './settings.ts';

/**
 * Reads every profile of the file, as `readProfile` does one by one, but parses the file once. Never throws. What is
 * written plainly is read at once; both parsers see only the rest, and what shares a name with it.
 */
export const readProfiles = (bytes: Buffer, kind: FileKind): Profiles => {
  const scan = scanOf(bytes);
  const sorted = sortBlocks(scan, kind);
  const { plain, odd, twice } = sorted;
  return odd.size === 0 && twice.size === 0
    ? { names: [...plain.keys()], settingsOf: (name) => plain.get(name) }
    : readOdd(bytes, kind, scan, sorted);
};

const sortBlocks = ({ text, blocks }: Scan, kind: FileKind): Sorted => {
  const plain = new Map<string, Settings>();
  const odd = new Set<Block>();
  const twice = new Set<string>();
  for (const block of blocks) {
    if (block.headers.length === 0) continue;
    const found =
      block.headers.length === 1 ? readPlainBlock(text.slice(block.start, block.end), kind) : undefined;
    if (found === undefined) odd.add(block);
    else if (found.profile !== undefined && plain.has(found.profile)) twice.add(found.profile);
    else if (found.profile !== undefined) plain.set(found.profile, found.settings);
  }
  return { plain, odd, twice };
};
