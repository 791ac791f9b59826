import { shown } from '../text.ts';
import { strip } from './lines.ts';
import type { Line } from './lines.ts';

// Python's RawConfigParser (3.11) as botocore's configloader.py uses it (AWS CLI, boto3), modelled line by line. It
// reads on where the real one rejects a file, and tells what it would have rejected.

/** What botocore rejects the whole file for: `syntax`, or `encoding` for bytes that are not UTF-8. */
export type Problem = {
  readonly kind: 'syntax' | 'encoding';
  readonly line: number;
  readonly message: string;
};

/** A line of a value: its text, its index among the lines that were parsed, its number in the file. */
export type Piece = { readonly text: string; readonly index: number; readonly line: number };

/** A setting and its value, with where they stand. */
export type BotoSetting = {
  readonly name: string;
  readonly spelled: string;
  readonly delimiter: string;
  readonly indented: boolean;
  /** The value's lines, the first on the setting's own line; blank ones count, comments do not. */
  readonly pieces: [Piece, ...Piece[]];
};

/** A header with its settings; a second header of the same name makes a second one. */
export type BotoSection = {
  readonly name: string;
  /** The header's line, counted from 1, and its index among the lines given. */
  readonly line: number;
  readonly index: number;
  readonly settings: BotoSetting[];
};

/** The sections as RawConfigParser finds them, and what it would have raised on the way. */
export const parseAsBoto = (lines: readonly Line[]): { sections: BotoSection[]; problems: Problem[] } => {
  const sections: BotoSection[] = [];
  const problems: Problem[] = [];
  /** The names of the settings by section. */
  const seen = new Map<string, Set<string>>();
  let section: BotoSection | undefined;
  let setting: BotoSetting | undefined;
  let level = 0;
  let headless = false;
  const report = (line: Line, message: string): void => {
    problems.push({ kind: 'syntax', line: line.number, message });
  };
  for (const [index, line] of lines.entries()) {
    const bom = line.start === 0 && line.text.startsWith('\uFEFF');
    if (bom) report(line, 'a byte order mark before the first section');
    const text = bom ? line.text.slice(1) : line.text;
    const value = strip(text);
    if (value === '') {
      setting?.pieces.push({ text: '', index, line: line.number });
      continue;
    }
    if (value.startsWith('#') || value.startsWith(';')) continue;
    const indent = text.indexOf(value);
    if (setting !== undefined && indent > level) {
      setting.pieces.push({ text: value, index, line: line.number });
      continue;
    }
    level = indent;
    const close = value.startsWith('[') ? value.lastIndexOf(']') : -1;
    if (close > 1) {
      const name = value.slice(1, close);
      if (name !== 'DEFAULT' && seen.has(name)) report(line, `the section [${shown(name)}] a second time`);
      if (!seen.has(name)) seen.set(name, new Set());
      section = { name, line: line.number, index, settings: [] };
      sections.push(section);
      setting = undefined;
      continue;
    }
    if (section === undefined) {
      if (!headless) report(line, 'text before the first section');
      headless = true;
      continue;
    }
    const delimiter = value.search(/[=:]/);
    if (delimiter === -1) {
      report(line, 'neither a section nor a key with a value');
      continue;
    }
    const spelled = strip(value.slice(0, delimiter));
    const name = spelled.toLowerCase();
    if (name === '') {
      report(line, 'a value without a key');
      setting = undefined;
      continue;
    }
    const names = seen.get(section.name);
    if (names?.has(name) === true)
      report(line, `the key ${shown(name)} a second time in [${shown(section.name)}]`);
    names?.add(name);
    setting = {
      name,
      spelled,
      delimiter: value.charAt(delimiter),
      indented: indent > 0,
      pieces: [{ text: strip(value.slice(delimiter + 1)), index, line: line.number }],
    };
    section.settings.push(setting);
  }
  return { sections, problems };
};

/** The value as botocore reads it: further lines are joined by LF. */
export const valueOf = ({ pieces }: BotoSetting): string =>
  pieces.length === 1
    ? pieces[0].text.trimEnd()
    : pieces
        .map(({ text }) => text)
        .join('\n')
        .trimEnd();

/** Whether botocore takes the value for a block of settings (`s3 =` with indented lines below). */
export const isNested = (setting: BotoSetting): boolean =>
  setting.pieces[0].text === '' && setting.pieces.length > 1 && valueOf(setting) !== '';

/** What botocore rejects a whole file for, but for its bytes; in no order. */
export const syntaxProblems = (lines: readonly Line[]): Problem[] => {
  const { sections, problems } = parseAsBoto(lines);
  return [...problems, ...nestedProblems(sections)];
};

/** What botocore's _parse_nested raises on: a line without `=` in a block under a setting without a value. */
export const nestedProblems = (sections: readonly BotoSection[]): Problem[] => {
  const own = sections.filter(({ name }) => name !== 'DEFAULT');
  return [...own.flatMap(({ settings }) => settings), ...leakingSettings(sections, own)]
    .filter(isNested)
    .flatMap(({ pieces }) => pieces.filter((piece) => nestedLines(piece).some((line) => !line.includes('='))))
    .map(({ line }) => ({ kind: 'syntax', line, message: 'a line without = in an indented block' }));
};

/** The settings of [DEFAULT] that some other section does not have itself. */
const leakingSettings = (sections: readonly BotoSection[], own: readonly BotoSection[]): BotoSetting[] => {
  const defaults = sections.filter(({ name }) => name === 'DEFAULT').flatMap(({ settings }) => settings);
  if (defaults.length === 0) return [];
  const names = new Map<string, Set<string>>();
  for (const { name, settings } of own) {
    const known = names.get(name) ?? new Set();
    for (const setting of settings) known.add(setting.name);
    names.set(name, known);
  }
  return defaults.filter((setting) => [...names.values()].some((known) => !known.has(setting.name)));
};

const PYTHON_LINE_END = new RegExp(String.raw`[\v\f\x1c-\x1e\x85\u2028\u2029]`);

/** The lines of a block in a line of the file: Python's splitlines() knows more line ends than files do. */
export const nestedLines = (piece: Piece): string[] =>
  piece.text
    .split(PYTHON_LINE_END)
    .map(strip)
    .filter((line) => line !== '');
