/** A line, and where it lies in the file. */
export type Line = {
  /** Counted from 1. */
  readonly number: number;
  /** Byte offsets, the newline included. */
  readonly start: number;
  readonly end: number;
  /** Without the newline; bytes that are not UTF-8 are replaced by U+FFFD. */
  readonly text: string;
  readonly newline: string;
};

/** All lines. Python's universal newlines: CRLF, LF and a lone CR each end one. */
export const linesOf = (bytes: Buffer): Line[] => cutLines(bytes.toString('latin1'), 0, bytes.length, 1);

/** `text` holds one character a byte, so that its offsets are those of the file. */
export const cutLines = (text: string, start: number, end: number, firstNumber: number): Line[] => {
  const part = start === 0 && end === text.length ? text : text.slice(start, end);
  const toText = /[\x80-\xff]/.test(part) ? decode : asIs;
  const lines: Line[] = [];
  let nextReturn = -1;
  for (let from = 0; from < part.length;) {
    if (nextReturn < from) nextReturn = indexOrEnd(part, '\r', from);
    const stop = Math.min(nextReturn, indexOrEnd(part, '\n', from));
    const newline = newlineAt(part, stop);
    lines.push({
      number: firstNumber + lines.length,
      start: start + from,
      end: start + stop + newline.length,
      text: toText(part.slice(from, stop)),
      newline,
    });
    from = stop + newline.length;
  }
  return lines;
};

const indexOrEnd = (text: string, character: string, from: number): number => {
  const index = text.indexOf(character, from);
  return index === -1 ? text.length : index;
};

const newlineAt = (text: string, at: number): string => {
  if (text[at] !== '\r') return text[at] ?? '';
  return text[at + 1] === '\n' ? '\r\n' : '\r';
};

const asIs = (text: string): string => text;

/** Text of one character a byte, as UTF-8. */
export const decode = (raw: string): string =>
  /[\x80-\xff]/.test(raw) ? Buffer.from(raw, 'latin1').toString('utf8') : raw;

/** The bytes of a line without its newline, none where there is no line. */
export const textBytes = (bytes: Buffer, line: Line | undefined): Buffer =>
  line === undefined ? Buffer.alloc(0) : bytes.subarray(line.start, line.end - line.newline.length);

/** The file with other bytes in the place of lines, by the index of these. */
export const replaceLines = <Edit>(
  bytes: Buffer,
  lines: readonly Line[],
  edits: ReadonlyMap<number, Edit>,
  partsOf: (line: Line, edit: Edit) => readonly Buffer[],
): Buffer => {
  const parts: Buffer[] = [];
  let unchanged = 0;
  for (const [index, line] of lines.entries()) {
    const edit = edits.get(index);
    if (edit === undefined) continue;
    parts.push(bytes.subarray(unchanged, line.start), ...partsOf(line, edit));
    unchanged = line.end;
  }
  return Buffer.concat([...parts, bytes.subarray(unchanged)]);
};

/** Whether a line ends where the JavaScript SDK ends none. */
export const hasLoneReturn = (lines: readonly Line[]): boolean =>
  lines.some(({ newline }) => newline === '\r');

/** Python's str.strip(): unlike trim() it takes U+001C to U+001F and U+0085, and leaves U+FEFF. */
export const strip = (text: string): string =>
  ONLY_ONE_STRIPS.test(text) ? text.replace(PYTHON_START, '').replace(PYTHON_END, '') : text.trim();

const ONLY_ONE_STRIPS = new RegExp(String.raw`[\x1c-\x1f\x85\uFEFF]`);
const PYTHON_SPACE = String.raw`[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+`;
const PYTHON_START = new RegExp(`^${PYTHON_SPACE}`);
const PYTHON_END = new RegExp(`${PYTHON_SPACE}$`);
