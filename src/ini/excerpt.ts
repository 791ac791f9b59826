import { LONE_RETURN, nameFilter, scanOf } from './blocks.ts';
import type { Block, Scan } from './blocks.ts';
import { cutLines, decode, linesOf } from './lines.ts';
import type { Line } from './lines.ts';

/** The lines of the sections that may have this name, and of [DEFAULT]: rather too many than too few. */
export const excerpt = (bytes: Buffer, name: string): Line[] => {
  const mayMatter = nameFilter(name);
  return linesOfBlocks(scanOf(bytes), ({ headers }) => headers.some(mayMatter));
};

/** The same with the file's first block and all from the given one on, for whoever adds something at the end. */
export const excerptWithEnds = (bytes: Buffer, name: string, from: number): Line[] => {
  const mayMatter = nameFilter(name);
  const scan = scanOf(bytes);
  const wanted = new Set(scan.blocks.slice(from));
  const first = scan.blocks.find(({ end }) => end > 0);
  if (first !== undefined) wanted.add(first);
  return linesOfBlocks(scan, (block) => wanted.has(block) || block.headers.some(mayMatter));
};

const linesOfBlocks = ({ text, blocks }: Scan, isWanted: (block: Block) => boolean): Line[] => {
  const numberAt = lineCounter(text);
  return blocks.filter(isWanted).flatMap(({ start, end }) => cutLines(text, start, end, numberAt(start)));
};

/** The lines that may be headers: enough to know every section's name, unless one depends on the line above. */
export const headerLines = (bytes: Buffer): Line[] => {
  const { headers } = scanOf(bytes);
  if (!headers.every(({ isPlain }) => isPlain)) return linesOf(bytes);
  return headers.map(({ at, header }, index) => ({
    number: index + 1,
    start: at,
    end: at + header.length,
    text: decode(header.trimEnd()),
    newline: '\n',
  }));
};

/** Tells the line of an offset; the offsets must come in ascending order. */
const lineCounter = (text: string): ((offset: number) => number) => {
  const loneReturn = text.includes('\r') && LONE_RETURN.test(text);
  let at = 0;
  let number = 1;
  return (offset) => {
    if (loneReturn) return 1 + (text.slice(0, offset).match(/\r\n|\n|\r/g)?.length ?? 0);
    for (let next = text.indexOf('\n', at); next !== -1 && next < offset; next = text.indexOf('\n', at)) {
      at = next + 1;
      number++;
    }
    return number;
  };
};
