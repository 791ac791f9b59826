// Finding sections in large files: files with 10,000 profiles are why this jumps from bracket to bracket and looks at
// no other line.

/** How many parts the file has that can be parsed each by itself. */
export const countBlocks = (bytes: Buffer): number => scanOf(bytes).blocks.length;

/** Whether a header may name this profile or section, or what belongs to all of them. */
export const nameFilter = (name: string): ((header: string) => boolean) => {
  const escaped = Buffer.from(name)
    .toString('latin1')
    .replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
    // `[profile x]` is `profile.x` for the JavaScript SDK
    .replace(/^(profile|sso-session|services)\\\./, String.raw`$1[\s.]`);
  const pattern = new RegExp(String.raw`(?<![\w-])${escaped}(?![\w-])|DEFAULT|["'\\\x80-\xff]`);
  return (header) => pattern.test(header);
};

/** A line end that is none for the JavaScript SDK. */
export const LONE_RETURN = /\r(?!\n)/;

type Header = {
  readonly at: number;
  readonly header: string;
  /** A header for every parser, whatever is above it. */
  readonly isPlain: boolean;
};

/** From one plain header (or the start of the file) to the next: no parser carries anything over. */
export type Block = { readonly start: number; readonly end: number; readonly headers: string[] };

/** A file as it is looked through. */
export type Scan = {
  /** The file with one character a byte. */
  readonly text: string;
  readonly headers: readonly Header[];
  readonly blocks: readonly Block[];
};

/** The parts of the file that can be parsed each by itself, and its text with one character a byte. */
export const scanOf = (bytes: Buffer): Scan => {
  const known = scans.get(bytes);
  if (known !== undefined) return known;
  const text = bytes.toString('latin1');
  const headers = [...bracketLines(text)].map(({ at, header }) => ({
    at,
    header,
    isPlain: isPlainHeader(text, at, header),
  }));
  const scan = { text, headers, blocks: cutBlocks(text, headers) };
  scans.set(bytes, scan);
  return scan;
};

/** Several profiles are read from the same bytes, which nobody changes. */
const scans = new WeakMap<Buffer, Scan>();

const cutBlocks = (text: string, headers: readonly Header[]): Block[] => {
  const blocks: Block[] = [];
  let start = 0;
  let inside: string[] = [];
  for (const { at, header, isPlain } of headers) {
    if (isPlain) {
      blocks.push({ start, end: at, headers: inside });
      start = at;
      inside = [];
    }
    inside.push(header);
  }
  return [...blocks, { start, end: text.length, headers: inside }];
};

/** Each line whose first printable ASCII character is an opening bracket, from that on. */
function* bracketLines(text: string): Generator<{ at: number; header: string }> {
  for (let at = text.indexOf('['); at !== -1; at = text.indexOf('[', at + 1)) {
    if (!isFirstOnLine(text, at)) continue;
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline;
    yield { at, header: text.slice(at, end) };
  }
}

const isFirstOnLine = (text: string, at: number): boolean => {
  for (let index = at - 1; index >= 0; index--) {
    const code = text.charCodeAt(index);
    if (code === 10 || code === 13) return true;
    if (code > 32 && code < 127) return false;
  }
  return true;
};

const isPlainHeader = (text: string, at: number, header: string): boolean =>
  (at === 0 || text.charCodeAt(at - 1) === 10) && /^\[[^\r#;\]]+\][ \t]*\r?$/.test(header);
