import { LONE_RETURN, nameFilter } from './blocks.ts';
import type { Block, Scan } from './blocks.ts';
import { botoProfile, indexSections } from './boto-view.ts';
import { cutLines, strip } from './lines.ts';
import type { Line } from './lines.ts';
import { parseAsBoto } from './parse-as-boto.ts';
import { jsProfile, parseAsJs } from './parse-as-js.ts';
import { readPlainBlock } from './plain-block.ts';
import { profileNames } from './read.ts';
import { joinSettings } from './section.ts';
import { botoName, jsName } from './section-name.ts';
import type { FileKind } from './section-name.ts';
import type { Profiles, Settings } from './settings.ts';

/** The profiles of a file that are written plainly, and what else there is in it. */
export type Sorted = {
  readonly plain: ReadonlyMap<string, Settings>;
  readonly odd: ReadonlySet<Block>;
  /** Profiles that are written plainly, but more than once. */
  readonly twice: ReadonlySet<string>;
};

/** Every profile of a file with more in it than plain sections: the parsers see the rest, and what shares a name with it. */
export const readOdd = (
  bytes: Buffer,
  kind: FileKind,
  { text, blocks }: Scan,
  { plain, odd, twice }: Sorted,
): Profiles => {
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
