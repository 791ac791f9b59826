import { botoProfile, indexSections } from './boto-view.ts';
import { blocksOf, LONE_RETURN, nameFilter } from './excerpt.ts';
import type { Block } from './excerpt.ts';
import { cutLines, strip } from './lines.ts';
import type { Line } from './lines.ts';
import { parseAsBoto } from './parse-as-boto.ts';
import { jsProfile, parseAsJs } from './parse-as-js.ts';
import { readPlainBlock } from './plain-block.ts';
import { profileNames } from './read.ts';
import type { Settings } from './read.ts';
import { joinSettings } from './section.ts';
import { botoName, jsName } from './section-name.ts';
import type { FileKind } from './section-name.ts';

/** All profiles of a file, parsed once. */
export type Profiles = {
  /** As `profileNames` lists them. */
  readonly names: readonly string[];
  /** The settings that `readProfile` finds, also for a name that is not listed (blanks hide some). */
  readonly settingsOf: (name: string) => Settings | undefined;
};

/**
 * Reads every profile of the file, as `readProfile` does one by one, but parses the file once. Never throws. What is
 * written plainly is read at once; both parsers see only the rest, and what shares a name with it.
 */
export const readProfiles = (bytes: Buffer, kind: FileKind): Profiles => {
  const { text, blocks } = blocksOf(bytes);
  const { plain, odd, twice } = sortBlocks(text, blocks, kind);
  if (odd.size === 0 && twice.size === 0)
    return { names: [...plain.keys()], settingsOf: (name) => plain.get(name) };
  const concerned = namesIn(linesIn(text, odd), kind, twice);
  const isConcerned = (name: string): boolean => concerned === 'all' || concerned.has(name);
  const parsed = blocks.filter((block) => {
    if (odd.has(block)) return true;
    const name = readPlainBlock(text.slice(block.start, block.end), kind)?.profile;
    return name !== undefined && isConcerned(name);
  });
  const read = readWithParsers(text, parsed, kind);
  return {
    names: profileNames(bytes, kind),
    settingsOf: (name) => (isConcerned(name) ? read(name) : plain.get(name)),
  };
};

type Sorted = {
  /** The profiles that are written plainly. */
  readonly plain: Map<string, Settings>;
  readonly odd: ReadonlySet<Block>;
  /** Profiles that are written plainly, but more than once. */
  readonly twice: ReadonlySet<string>;
};

const sortBlocks = (text: string, blocks: readonly Block[], kind: FileKind): Sorted => {
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

const linesIn = (text: string, blocks: Iterable<Block>): Line[] =>
  [...blocks].flatMap(({ start, end }) => cutLines(text, start, end, 1));

/** The names that something in these lines may be meant by, and the names given. */
const namesIn = (
  lines: readonly Line[],
  kind: FileKind,
  more: ReadonlySet<string>,
): ReadonlySet<string> | 'all' => {
  const { sections } = parseAsBoto(lines);
  if (sections.some(({ name }) => name === 'DEFAULT')) return 'all';
  const names = new Set<string | undefined>(more);
  for (const { name } of sections) names.add(botoName(name, kind)).add(strip(name));
  for (const name of parseAsJs(lines).keys()) names.add(name).add(jsName(name, kind));
  return new Set([...names].filter((name) => name !== undefined));
};

/** Finds a profile as `readProfile` does, in blocks that were parsed once. */
const readWithParsers = (
  text: string,
  blocks: readonly Block[],
  kind: FileKind,
): ((name: string) => Settings | undefined) => {
  const lines = linesIn(text, blocks);
  const js = parseAsJs(lines);
  const index = indexSections(parseAsBoto(lines).sections, kind);
  // With lines that it does not end, the JavaScript SDK mixes sections up.
  const mixedUp = blocks
    .filter(({ start, end }) => LONE_RETURN.test(text.slice(start, end)))
    .flatMap(({ headers }) => headers);
  return (name) => {
    const boto = botoProfile(index, js, kind, name);
    const isMixedUp = boto !== undefined && mixedUp.some(nameFilter(name));
    const trusted = isMixedUp ? undefined : jsProfile(js, kind, name);
    return boto === undefined && trusted === undefined ? undefined : joinSettings(boto, trusted);
  };
};
