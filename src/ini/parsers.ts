import { shown } from '../text.ts';
/**
 * AWS's parsers of the shared config and credentials files, modelled line by line: Python's RawConfigParser as
 * botocore uses it (AWS CLI, boto3), and parseIni of @smithy/core (the JavaScript SDK). Both read on where the
 * real ones reject a file, and tell what they would have rejected.
 */
export type FileKind = 'credentials' | 'config';

/** What botocore rejects the whole file for: `syntax`, or `encoding` for bytes that are not UTF-8. */
export type Problem = {
  readonly kind: 'syntax' | 'encoding';
  readonly line: number;
  readonly message: string;
};

// ---- Lines ----

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
  const lines: Line[] = [];
  const pattern = /[^\r\n]*(\r\n|\n|\r|$)/y;
  const part = start === 0 && end === text.length ? text : text.slice(start, end);
  while (pattern.lastIndex < part.length) {
    const from = pattern.lastIndex;
    const newline = pattern.exec(part)?.[1] ?? '';
    const raw = part.slice(from, pattern.lastIndex - newline.length);
    lines.push({
      number: firstNumber + lines.length,
      start: start + from,
      end: start + pattern.lastIndex,
      text: decode(raw),
      newline,
    });
  }
  return lines;
};

/** Text of one character a byte, as UTF-8. */
export const decode = (raw: string): string =>
  /[\x80-\xff]/.test(raw) ? Buffer.from(raw, 'latin1').toString('utf8') : raw;
/** Whether a line ends where the JavaScript SDK ends none. */
export const hasLoneReturn = (lines: readonly Line[]): boolean =>
  lines.some(({ newline }) => newline === '\r');
// ---- Python's RawConfigParser (3.11), and botocore's configloader.py on top of it ----

type Piece = { readonly text: string; readonly index: number; readonly line: number };

/** A key and its value, with where they stand. */
export type Option = {
  readonly name: string;
  readonly spelled: string;
  readonly delimiter: string;
  readonly indented: boolean;
  /** The value's lines, the first on the key's own line; blank ones count, comments do not. */
  readonly pieces: [Piece, ...Piece[]];
};

/** A header with its keys; a second header of the same name makes a second one. */
export type BotoSection = {
  readonly name: string;
  /** The header's line, counted from 1, and its index among the lines given. */
  readonly line: number;
  readonly index: number;
  readonly options: Option[];
};

/** The sections as RawConfigParser finds them, and what it would have raised on the way. */
export const parseAsBoto = (lines: readonly Line[]): { sections: BotoSection[]; problems: Problem[] } => {
  const sections: BotoSection[] = [];
  const problems: Problem[] = [];
  const seen = new Set<string>();
  let section: BotoSection | undefined;
  let option: Option | undefined;
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
      option?.pieces.push({ text: '', index, line: line.number });
      continue;
    }
    if (value.startsWith('#') || value.startsWith(';')) continue;
    const indent = text.indexOf(value);
    if (option !== undefined && indent > level) {
      option.pieces.push({ text: value, index, line: line.number });
      continue;
    }
    level = indent;
    const close = value.startsWith('[') ? value.lastIndexOf(']') : -1;
    if (close > 1) {
      const name = value.slice(1, close);
      if (seen.has(JSON.stringify(name))) report(line, `the section [${shown(name)}] a second time`);
      if (name !== 'DEFAULT') seen.add(JSON.stringify(name));
      section = { name, line: line.number, index, options: [] };
      sections.push(section);
      option = undefined;
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
      option = undefined;
      continue;
    }
    const id = JSON.stringify([section.name, name]);
    if (seen.has(id)) report(line, `the key ${shown(name)} a second time in [${shown(section.name)}]`);
    seen.add(id);
    option = {
      name,
      spelled,
      delimiter: value.charAt(delimiter),
      indented: indent > 0,
      pieces: [{ text: strip(value.slice(delimiter + 1)), index, line: line.number }],
    };
    section.options.push(option);
  }
  return { sections, problems };
};

/** Python's str.strip(): unlike trim() it takes U+001C to U+001F and U+0085, and leaves U+FEFF. */
export const strip = (text: string): string =>
  ONLY_ONE_STRIPS.test(text) ? text.replace(PYTHON_START, '').replace(PYTHON_END, '') : text.trim();

const ONLY_ONE_STRIPS = new RegExp(String.raw`[\x1c-\x1f\x85\uFEFF]`);
const PYTHON_SPACE = String.raw`[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+`;
const PYTHON_START = new RegExp(`^${PYTHON_SPACE}`);
const PYTHON_END = new RegExp(`${PYTHON_SPACE}$`);

/** The value as botocore reads it: further lines are joined by LF. */
export const valueOf = (option: Option): string =>
  option.pieces
    .map((piece) => piece.text)
    .join('\n')
    .trimEnd();

/** What botocore's _parse_nested raises on: a line without `=` in a block under a key without a value. */
export const nestedProblems = (sections: readonly BotoSection[]): Problem[] => {
  const defaults = sections
    .filter((section) => section.name === 'DEFAULT')
    .flatMap((section) => section.options);
  const own = sections.filter((section) => section.name !== 'DEFAULT');
  const leaking = defaults.filter((option) =>
    own.some((section) =>
      own
        .filter((other) => other.name === section.name)
        .every((other) => other.options.every(({ name }) => name !== option.name)),
    ),
  );
  return [...own.flatMap((section) => section.options), ...leaking]
    .filter(isNested)
    .flatMap((option) =>
      option.pieces.filter((piece) => nestedLines(piece).some((line) => !line.includes('='))),
    )
    .map(({ line }) => ({ kind: 'syntax', line, message: 'a line without = in an indented block' }));
};

/** Whether botocore takes the value for a block of keys (`s3 =` with indented lines below). */
export const isNested = (option: Option): boolean => option.pieces[0].text === '' && valueOf(option) !== '';

const PYTHON_LINE_END = new RegExp(String.raw`[\v\f\x1c-\x1e\x85\u2028\u2029]`);

/** Python's splitlines() knows more line ends than files do. */
const nestedLines = (piece: Piece): string[] =>
  piece.text
    .split(PYTHON_LINE_END)
    .map(strip)
    .filter((line) => line !== '');

/** The profile that botocore makes of a header, if any. */
export const botoName = (header: string, kind: FileKind): string | undefined => {
  if (kind === 'credentials' || header === 'default') return header;
  return header.startsWith('profile') ? shlexName(header) : undefined;
};

/** The second of exactly two words, split as Python's shlex.split does. */
export const shlexName = (header: string): string | undefined => {
  const words: string[] = [];
  const pattern = /[ \t\r\n]*((?:[^ \t\r\n'"\\]|'[^']*'|"(?:[^"\\]|\\[^])*"|\\[^])*)/y;
  while (pattern.lastIndex < header.length) {
    const word = pattern.exec(header)?.[1] ?? '';
    if (word !== '') words.push(unquoteWord(word));
    else if (pattern.lastIndex < header.length) return undefined;
  }
  return words.length === 2 ? words[1] : undefined;
};

const unquoteWord = (word: string): string =>
  word.replace(
    /'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])/g,
    (_, single?: string, double?: string, plain?: string) =>
      single !== undefined
        ? single
        : double !== undefined
          ? double.replace(/\\(["\\])/g, '$1')
          : (plain ?? ''),
  );

// ---- parseIni and getConfigData of @smithy/core 3.41 ----

/** By the section names of that parser: `profile.x`, `services.x`, or the header's text. */
export const parseAsJs = (lines: readonly Line[]): Map<string, View> => {
  const views = new Map<string, View>();
  let section: View | undefined;
  let outer: string | undefined;
  for (const line of jsLines(lines)) {
    const trimmed = withoutComment(line.text).trim();
    if (trimmed.startsWith('[') && trimmed.endsWith(']')) {
      const name = jsSectionName(trimmed.slice(1, -1));
      section = name === undefined ? undefined : (views.get(name) ?? newView(line.number));
      if (name !== undefined && section !== undefined) views.set(name, section);
      outer = undefined;
      continue;
    }
    if (section === undefined) continue;
    const indented = line.text.trimStart() !== line.text;
    if (outer !== undefined && indented) section.blockLines.add(line.number);
    const equals = trimmed.indexOf('=');
    if (equals < 1) continue;
    const spelled = trimmed.slice(0, equals).trim();
    const value = trimmed.slice(equals + 1).trim();
    if (value === '') {
      outer = spelled;
      continue;
    }
    if (!indented) outer = undefined;
    // Several lines taken for one: nothing to go by.
    if (line.text.trim().includes('\r')) continue;
    const entry: Entry = { value, line: line.number, spelled };
    if (outer === undefined) setLower(section.keys, entry);
    else setLower(nestedMap(section, outer), entry);
  }
  return views;
};

const withoutComment = (text: string): string => {
  const at = text.search(/(?:^|\s)[;#]/);
  return at === -1 ? text : text.slice(0, at);
};

/** That parser ends a line at LF or CRLF only. */
function* jsLines(lines: readonly Line[]): Generator<{ text: string; number: number }> {
  let text = '';
  let number: number | undefined;
  for (const line of lines) {
    text += line.text;
    number ??= line.number;
    if (line.newline === '\r') {
      text += '\r';
      continue;
    }
    yield { text, number };
    text = '';
    number = undefined;
  }
  if (number !== undefined) yield { text, number };
}

const jsSectionName = (header: string): string | undefined => {
  const match = /^([\w-]+)\s(["'])?([\w\-@+.%:/]+)\2$/.exec(header);
  if (match?.[1] !== undefined && match[3] !== undefined)
    return ['profile', 'sso-session', 'services'].includes(match[1]) ? `${match[1]}.${match[3]}` : undefined;
  return header === '' || header in {} ? undefined : header;
};

const JS_PREFIX = /^(?:profile|sso-session|services)\./;

/** Whether getConfigData keeps the section. */
export const isJsSection = (section: string, kind: FileKind): boolean =>
  kind === 'credentials' || section === 'default' || JS_PREFIX.test(section);

/** The profile that getConfigData makes of a section, if any. */
export const jsName = (section: string, kind: FileKind): string | undefined => {
  if (kind === 'credentials') return JS_PREFIX.test(section) ? undefined : section;
  if (section === 'default') return section;
  return section.startsWith('profile.') ? section.slice('profile.'.length) : undefined;
};

/** `[profile default]` hides `[default]` as soon as it has a key. */
export const jsProfile = (
  views: ReadonlyMap<string, View>,
  kind: FileKind,
  profile: string,
): View | undefined => {
  if (kind === 'credentials') return views.get(profile);
  const prefixed = views.get(`profile.${profile}`);
  if (profile !== 'default' || jsPrefersPrefixed(views)) return prefixed;
  return views.get('default') ?? prefixed;
};

const jsPrefersPrefixed = (views: ReadonlyMap<string, View>): boolean => {
  const view = views.get('profile.default');
  return view !== undefined && view.keys.size + view.nested.size > 0;
};

/** Only the lower-case spelling is found by that SDK, so it wins. */
const setLower = (entries: Map<string, Entry>, entry: Entry): void => {
  const name = entry.spelled.toLowerCase();
  const old = entries.get(name);
  if (old === undefined || old.spelled !== name || entry.spelled === name) entries.set(name, entry);
};

// ---- A profile, out of what either parser found ----

/** A key's value and line; what it says of its spelling is for warnings and edits. */
export type Entry = {
  readonly value: string;
  readonly line: number;
  readonly spelled: string;
  readonly leaked?: boolean;
  readonly delimiter?: string;
  readonly indented?: boolean;
};

/** A section as one of the parsers reads it, keys in lower case. */
export type View = {
  readonly line: number;
  readonly keys: Map<string, Entry>;
  readonly nested: Map<string, Map<string, Entry>>;
  /** The lines that stand in a block for the JavaScript SDK, whether it finds a key in them or not. */
  readonly blockLines: Set<number>;
  readonly warnings: string[];
};

const newView = (line: number): View => ({
  line,
  keys: new Map(),
  nested: new Map(),
  blockLines: new Set(),
  warnings: [],
});

const nestedMap = (view: View, outer: string): Map<string, Entry> => {
  const name = outer.toLowerCase();
  const found = view.nested.get(name) ?? new Map<string, Entry>();
  view.nested.set(name, found);
  return found;
};

/** Where several headers name the profile, the ones that the JavaScript SDK reads: see jsProfile. */
export const botoProfile = (
  all: readonly BotoSection[],
  js: ReadonlyMap<string, View>,
  kind: FileKind,
  profile: string,
): View | undefined => {
  const defaults = all.filter((section) => section.name === 'DEFAULT');
  const others = all.filter((section) => section.name !== 'DEFAULT');
  const exact = others.filter((section) => botoName(section.name, kind) === profile);
  if (kind === 'credentials') {
    if (exact.length > 0 || js.has(profile)) return botoView(exact, defaults);
    const padded = botoView(
      others.filter((section) => strip(section.name) === profile),
      [],
    );
    padded?.warnings.push(
      `line ${padded.line}: the blanks in the brackets hide [${shown(profile)}] from all but the Go SDK`,
    );
    return padded;
  }
  const prefixed = exact.filter((section) => section.name !== 'default');
  const view = botoView(lastGroup(jsPrefersPrefixed(js) && prefixed.length > 0 ? prefixed : exact), defaults);
  if (profile === 'default' && prefixed.length > 0 && prefixed.length < exact.length)
    view?.warnings.push(
      `line ${view.line}: there are [default] and [profile default], and not every AWS tool uses the same`,
    );
  return view;
};

/** botocore keeps sections with different headers apart and lets the last of them replace the others. */
export const lastGroup = (sections: readonly BotoSection[]): BotoSection[] => {
  const last = [...new Set(sections.map((section) => section.name))].at(-1);
  return sections.filter((section) => section.name === last);
};

/** Sections of one name as one, which botocore itself rejects when there are several. */
export const botoView = (
  sections: readonly BotoSection[],
  defaults: readonly BotoSection[],
): View | undefined => {
  const [first, ...others] = sections;
  if (first === undefined) return undefined;
  const view = newView(first.line);
  for (const section of defaults) for (const option of section.options) addOption(view, option, true);
  for (const section of sections) for (const option of section.options) addOption(view, option, false);
  for (const other of others)
    view.warnings.push(
      `line ${other.line}: [${shown(other.name)}] a second time, for which AWS CLI and boto3 reject the file`,
    );
  return view;
};

const addOption = (view: View, option: Option, leaked: boolean): void => {
  const { name, spelled, delimiter, indented } = option;
  const details = { leaked, delimiter, indented };
  if (!isNested(option)) {
    view.nested.delete(name);
    view.keys.set(name, { value: valueOf(option), line: option.pieces[0].line, spelled, ...details });
    return;
  }
  view.keys.delete(name);
  const nested = new Map<string, Entry>();
  for (const piece of option.pieces)
    for (const text of nestedLines(piece)) {
      const equals = text.indexOf('=');
      if (equals === -1) continue;
      const key = strip(text.slice(0, equals));
      setLower(nested, { value: strip(text.slice(equals + 1)), line: piece.line, spelled: key });
    }
  view.nested.set(name, nested);
};
