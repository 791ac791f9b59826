import { isUtf8 } from 'node:buffer';
import { UserError } from './errors.ts';

/**
 * AWS's shared config and credentials files: reading, checking and editing, on bytes.
 *
 * AWS's own parsers disagree. Two of them are modelled here line by line: Python's RawConfigParser as
 * botocore uses it (AWS CLI, boto3) and parseIni of @smithy/core (the JavaScript SDK). Reading joins what the
 * two read and says where they differ; editing leaves files that both read.
 */
export type FileKind = 'credentials' | 'config';

/** A profile or another section, with the keys of all its parts, in lower case. */
export type Section = {
  readonly name: string;
  /** The line of its first header, counted from 1. */
  readonly line: number;
  readonly keys: ReadonlyMap<string, string>;
  /** The line of each key, counted from 1. */
  readonly keyLines: ReadonlyMap<string, number>;
  /** Indented blocks such as `s3 =`, by the key that opens them. */
  readonly nested: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Where AWS's parsers disagree about this section: sentences that begin with the line, without any value. */
  readonly warnings: readonly string[];
};

/** What botocore rejects the whole file for: `syntax`, or `encoding` for bytes that are not UTF-8. */
export type Problem = {
  readonly kind: 'syntax' | 'encoding';
  readonly line: number;
  readonly message: string;
};

/** New values by key name in lower case; `undefined` removes the key. */
export type Changes = Readonly<Record<string, string | undefined>>;

/**
 * The profile as AWS's parsers read it, or undefined when none of them finds it. Never throws; a file that
 * botocore rejects is read all the same (see findProblems). Only the sections that may matter are parsed.
 */
export const readProfile = (bytes: Buffer, kind: FileKind, profile: string): Section | undefined => {
  const lines = excerpt(bytes, profile);
  const js = parseAsJs(lines);
  const boto = botoProfile(parseAsBoto(lines).sections, js, kind, profile);
  const warnings = fileWarnings(bytes, lines);
  // With lines that it does not end, the JavaScript SDK mixes sections up.
  const trusted = boto === undefined || !hasLoneReturn(lines) ? jsProfile(js, kind, profile) : undefined;
  return joinViews(profile, boto, trusted, warnings);
};

/** A section that is no profile, by its header: `services local`, `sso-session work`. Undefined when missing. */
export const readSection = (bytes: Buffer, header: string): Section | undefined => {
  const [type = '', ...rest] = header.trim().split(/\s+/);
  const name = rest.join(' ');
  const lines = excerpt(bytes, name);
  const sections = parseAsBoto(lines).sections.filter(
    (section) => section.name.startsWith(type) && shlexName(section.name) === name,
  );
  const boto = botoView(lastGroup(sections), []);
  return joinViews(`${type} ${name}`, boto, parseAsJs(lines).get(`${type}.${name}`), []);
};

/** The names of all profiles, in the order of the file, each once. */
export const profileNames = (bytes: Buffer, kind: FileKind): string[] => {
  const lines = headerLines(bytes);
  const boto = parseAsBoto(lines).sections.map((section) => ({
    name: section.name === 'DEFAULT' ? undefined : botoName(section.name, kind),
    line: section.line,
  }));
  const js = [...parseAsJs(lines)].map(([section, view]) => ({
    name: section === 'DEFAULT' ? undefined : jsName(section, kind),
    line: view.line,
  }));
  const found = [...boto, ...js].sort((a, b) => a.line - b.line);
  return [...new Set(found.flatMap(({ name }) => (name === undefined ? [] : [name])))];
};

/** What botocore rejects the file for, by line. Empty: AWS CLI and boto3 accept it. */
export const findProblems = (bytes: Buffer): Problem[] => {
  const lines = linesOf(bytes);
  const badBytes = isUtf8(bytes)
    ? []
    : lines
        .filter((line) => !isUtf8(bytes.subarray(line.start, line.end)))
        .map((line): Problem => ({
          kind: 'encoding',
          line: line.number,
          message: 'bytes that are not UTF-8',
        }));
  const { sections, problems } = parseAsBoto(lines);
  return [...badBytes, ...problems, ...nestedProblems(sections)].sort((a, b) => a.line - b.line);
};

/**
 * The file with the profile's keys changed in their lines. All other bytes stay. Keys that are new go after
 * the section's last key, a new section to the end of the file.
 * Throws a UserError for a file that botocore rejects, for names and values that would not read back, and
 * for files too odd to be edited without a loss.
 */
export const setKeys = (bytes: Buffer, kind: FileKind, profile: string, changes: Changes): Buffer => {
  refuseSyntaxProblems(bytes);
  for (const [name, value] of Object.entries(changes)) checkChange(name, value);
  const lines = linesOf(bytes);
  const targets = parseAsBoto(lines).sections.filter((section) => botoName(section.name, kind) === profile);
  const edited =
    targets.length > 0
      ? editSections(bytes, lines, targets, changes)
      : appendSection(bytes, lines, kind, profile, changes);
  checkResult(bytes, edited, kind, profile, changes);
  return edited;
};

/**
 * The file without the profile: its headers, its keys, and what stands between them. Comments after its last
 * key stay, for they announce the next section. Throws a UserError as setKeys does.
 */
export const removeProfile = (bytes: Buffer, kind: FileKind, profile: string): Buffer => {
  refuseSyntaxProblems(bytes);
  const lines = linesOf(bytes);
  const targets = parseAsBoto(lines).sections.filter((section) => botoName(section.name, kind) === profile);
  const dropped = new Set(targets.flatMap((section) => sectionRange(lines, section)));
  const edited = Buffer.concat(
    lines.filter((_, index) => !dropped.has(index)).map((line) => bytes.subarray(line.start, line.end)),
  );
  if (otherContents(bytes, kind, profile) !== otherContents(edited, kind, profile)) throw tooOdd(profile);
  return edited;
};

// ---- Lines ----

type Line = {
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
const linesOf = (bytes: Buffer): Line[] => cutLines(bytes.toString('latin1'), 0, bytes.length, 1);

/** `text` holds one character a byte, so that its offsets are those of the file. */
const cutLines = (text: string, start: number, end: number, firstNumber: number): Line[] => {
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

const decode = (raw: string): string =>
  /[\x80-\xff]/.test(raw) ? Buffer.from(raw, 'latin1').toString('utf8') : raw;

/**
 * The lines of the sections that may have this name, and of [DEFAULT]: rather too many than too few. Files
 * with 10,000 profiles are why this jumps from bracket to bracket and looks at no other line.
 */
const excerpt = (bytes: Buffer, name: string): Line[] => {
  const text = bytes.toString('latin1');
  const escaped = Buffer.from(name)
    .toString('latin1')
    .replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  const mayMatter = new RegExp(String.raw`(?<![\w-])${escaped}(?![\w-])|DEFAULT|["'\\\x80-\xff]`);
  const lines: Line[] = [];
  const numberAt = lineCounter(text);
  let start = 0;
  let wanted = false;
  const finish = (end: number): void => {
    if (wanted) lines.push(...cutLines(text, start, end, numberAt(start)));
    start = end;
    wanted = false;
  };
  for (const { at, header } of bracketLines(text)) {
    if (isPlainHeader(text, at, header)) finish(at);
    wanted ||= mayMatter.test(header);
  }
  finish(text.length);
  return lines;
};

/** The lines that may be headers, and what leads from one to the next: enough to know every section's name. */
const headerLines = (bytes: Buffer): Line[] => {
  const text = bytes.toString('latin1');
  const candidates = [...bracketLines(text)];
  if (!candidates.every(({ at, header }) => isPlainHeader(text, at, header))) return linesOf(bytes);
  return candidates.map(({ at, header }, index) => ({
    number: index + 1,
    start: at,
    end: at + header.length,
    text: decode(header.trimEnd()),
    newline: '\n',
  }));
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

/** A header for every parser, whatever stands before it. */
const isPlainHeader = (text: string, at: number, header: string): boolean =>
  (at === 0 || text.charCodeAt(at - 1) === 10) && /^\[[^\r#;\]]+\][ \t]*\r?$/.test(header);

/** Tells the line of an offset; the offsets must come in ascending order. */
const lineCounter = (text: string): ((offset: number) => number) => {
  const loneReturn = /\r(?!\n)/.test(text);
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

// ---- Python's RawConfigParser (3.11), and botocore's configloader.py on top of it ----

type Piece = { readonly text: string; readonly index: number; readonly line: number };

type Option = {
  readonly name: string;
  readonly spelled: string;
  readonly delimiter: string;
  readonly indented: boolean;
  /** The value's lines, the first on the key's own line; blank ones count, comments do not. */
  readonly pieces: [Piece, ...Piece[]];
};

type BotoSection = {
  readonly name: string;
  /** The header's line, counted from 1, and its index among the lines given. */
  readonly line: number;
  readonly index: number;
  readonly options: Option[];
};

/** The sections as RawConfigParser finds them, and what it would have raised on the way. */
const parseAsBoto = (lines: readonly Line[]): { sections: BotoSection[]; problems: Problem[] } => {
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
      if (seen.has(JSON.stringify(name))) report(line, `the section [${show(name)}] a second time`);
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
    if (seen.has(id)) report(line, `the key ${show(name)} a second time in [${show(section.name)}]`);
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
const strip = (text: string): string =>
  ONLY_ONE_STRIPS.test(text) ? text.replace(PYTHON_START, '').replace(PYTHON_END, '') : text.trim();

const ONLY_ONE_STRIPS = new RegExp(String.raw`[\x1c-\x1f\x85\uFEFF]`);
const PYTHON_SPACE = String.raw`[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+`;
const PYTHON_START = new RegExp(`^${PYTHON_SPACE}`);
const PYTHON_END = new RegExp(`${PYTHON_SPACE}$`);

const valueOf = (option: Option): string =>
  option.pieces
    .map((piece) => piece.text)
    .join('\n')
    .trimEnd();

/** What botocore's _parse_nested raises on: a line without `=` in a block under a key without a value. */
const nestedProblems = (sections: readonly BotoSection[]): Problem[] => {
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

const isNested = (option: Option): boolean => option.pieces[0].text === '' && valueOf(option) !== '';

const PYTHON_LINE_END = new RegExp(String.raw`[\v\f\x1c-\x1e\x85\u2028\u2029]`);

/** Python's splitlines() knows more line ends than files do. */
const nestedLines = (piece: Piece): string[] =>
  piece.text
    .split(PYTHON_LINE_END)
    .map(strip)
    .filter((line) => line !== '');

/** The profile that botocore makes of a header, if any. */
const botoName = (header: string, kind: FileKind): string | undefined => {
  if (kind === 'credentials' || header === 'default') return header;
  return header.startsWith('profile') ? shlexName(header) : undefined;
};

/** The second of exactly two words, split as Python's shlex.split does. */
const shlexName = (header: string): string | undefined => {
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
const parseAsJs = (lines: readonly Line[]): Map<string, View> => {
  const views = new Map<string, View>();
  let section: View | undefined;
  let outer: string | undefined;
  for (const line of jsLines(lines)) {
    const trimmed = (line.text.split(/(?:^|\s)[;#]/)[0] ?? '').trim();
    if (trimmed.startsWith('[') && trimmed.endsWith(']')) {
      const name = jsSectionName(trimmed.slice(1, -1));
      section = name === undefined ? undefined : (views.get(name) ?? newView(line.number));
      if (name !== undefined && section !== undefined) views.set(name, section);
      outer = undefined;
      continue;
    }
    const equals = trimmed.indexOf('=');
    if (section === undefined || equals < 1) continue;
    const spelled = trimmed.slice(0, equals).trim();
    const value = trimmed.slice(equals + 1).trim();
    if (value === '') {
      outer = spelled;
      continue;
    }
    if (line.text.trimStart() === line.text) outer = undefined;
    // Several lines taken for one: nothing to go by.
    if (line.text.trim().includes('\r')) continue;
    const entry: Entry = { value, line: line.number, spelled };
    if (outer === undefined) setLower(section.keys, entry);
    else setLower(nestedMap(section, outer), entry);
  }
  return views;
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

/** The profile that getConfigData makes of a section, if any. */
const jsName = (section: string, kind: FileKind): string | undefined => {
  if (kind === 'credentials') return JS_PREFIX.test(section) ? undefined : section;
  if (section === 'default') return section;
  return section.startsWith('profile.') ? section.slice('profile.'.length) : undefined;
};

/** `[profile default]` hides `[default]` as soon as it has a key. */
const jsProfile = (views: ReadonlyMap<string, View>, kind: FileKind, profile: string): View | undefined => {
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

// ---- What the parsers read, joined ----

type Entry = {
  readonly value: string;
  readonly line: number;
  readonly spelled: string;
  readonly leaked?: boolean;
  readonly delimiter?: string;
  readonly indented?: boolean;
};

type View = {
  readonly line: number;
  readonly keys: Map<string, Entry>;
  readonly nested: Map<string, Map<string, Entry>>;
  readonly warnings: string[];
};

const newView = (line: number): View => ({ line, keys: new Map(), nested: new Map(), warnings: [] });

const nestedMap = (view: View, outer: string): Map<string, Entry> => {
  const name = outer.toLowerCase();
  const found = view.nested.get(name) ?? new Map<string, Entry>();
  view.nested.set(name, found);
  return found;
};

/** Where several headers name the profile, the ones that the JavaScript SDK reads: see jsProfile. */
const botoProfile = (
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
      `line ${padded.line}: the blanks in the brackets hide [${show(profile)}] from all but the Go SDK`,
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
const lastGroup = (sections: readonly BotoSection[]): BotoSection[] => {
  const last = [...new Set(sections.map((section) => section.name))].at(-1);
  return sections.filter((section) => section.name === last);
};

/** Sections of one name as one, which botocore itself rejects when there are several. */
const botoView = (sections: readonly BotoSection[], defaults: readonly BotoSection[]): View | undefined => {
  const [first, ...others] = sections;
  if (first === undefined) return undefined;
  const view = newView(first.line);
  for (const section of defaults) for (const option of section.options) addOption(view, option, true);
  for (const section of sections) for (const option of section.options) addOption(view, option, false);
  for (const other of others)
    view.warnings.push(
      `line ${other.line}: [${show(other.name)}] a second time, for which AWS CLI and boto3 reject the file`,
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
      nested.set(key.toLowerCase(), { value: strip(text.slice(equals + 1)), line: piece.line, spelled: key });
    }
  view.nested.set(name, nested);
};

const joinViews = (
  name: string,
  boto: View | undefined,
  js: View | undefined,
  fileWide: readonly string[],
): Section | undefined => {
  const line = boto?.line ?? js?.line;
  if (line === undefined) return undefined;
  const entries = joinEntries(boto?.keys, js?.keys);
  const known = [...fileWide, ...(boto?.warnings ?? [])];
  const outers = new Set([...(boto?.nested.keys() ?? []), ...(js?.nested.keys() ?? [])]);
  const nested = new Map(
    [...outers].map((outer) => [
      outer,
      new Map(
        [...joinEntries(boto?.nested.get(outer), js?.nested.get(outer))].map(([key, { value }]) => [
          key,
          value,
        ]),
      ),
    ]),
  );
  return {
    name,
    line: Math.min(line, js?.line ?? line),
    keys: new Map([...entries].map(([key, entry]) => [key, unquote(key, entry.value)])),
    keyLines: new Map([...entries].map(([key, entry]) => [key, entry.line])),
    nested,
    warnings: [
      ...known,
      ...(known.length > 0 && js === undefined ? [] : disagreements(name, boto, js, entries)),
    ],
  };
};

/** The JavaScript SDK's value where both have one: it has no comment and no further line in it. */
const joinEntries = (
  boto: ReadonlyMap<string, Entry> = new Map(),
  js: ReadonlyMap<string, Entry> = new Map(),
): Map<string, Entry> => {
  const joined = new Map([...boto].map(([key, entry]) => [key, firstLine(entry)]));
  // `key: a=b` is no key named `key: a`.
  for (const [key, entry] of js) if (!key.includes(':') || boto.has(key)) joined.set(key, entry);
  return joined;
};

/** Further lines are no part of a usable value, and only boto reads them. */
const firstLine = (entry: Entry): Entry =>
  entry.value.includes('\n') ? { ...entry, value: entry.value.slice(0, entry.value.indexOf('\n')) } : entry;

/** The Go SDK takes quotes off, the others keep them and fail; commands may begin and end with one rightly. */
const unquote = (key: string, value: string): string =>
  key.endsWith('_process') ? value : value.replace(/^"([^"]*)"$|^'([^']*)'$/, '$1$2');

const disagreements = (
  name: string,
  boto: View | undefined,
  js: View | undefined,
  entries: ReadonlyMap<string, Entry>,
): string[] => {
  if (js === undefined && boto !== undefined)
    return [`line ${boto.line}: the JavaScript SDK does not find [${show(name)}]`];
  if (boto === undefined && js !== undefined)
    return [`line ${js.line}: AWS CLI and boto3 do not find [${show(name)}]`];
  return [...entries].flatMap(([key, entry]) => {
    const reason = disagreement(key, entry, boto?.keys.get(key), js?.keys.get(key));
    return reason === undefined ? [] : [`line ${entry.line}: ${reason}`];
  });
};

const disagreement = (
  name: string,
  entry: Entry,
  boto: Entry | undefined,
  js: Entry | undefined,
): string | undefined => {
  const key = show(name);
  if (boto?.leaked === true && js === undefined)
    return `${key} comes from [DEFAULT] for AWS CLI and boto3 only`;
  if (boto === undefined)
    return `${key} is indented, so AWS CLI and boto3 take it for a part of the value above`;
  if (boto.spelled !== name) return `${key} is in capitals, so the JavaScript SDK does not find it`;
  if (boto.delimiter === ':') return `${key} is followed by a colon, so the JavaScript SDK does not find it`;
  if (js === undefined) return boto.value === '' ? undefined : `the JavaScript SDK does not find ${key}`;
  if (js.value !== boto.value)
    return boto.value.includes('\n')
      ? `AWS CLI and boto3 take the indented lines below ${key} for a part of its value`
      : `AWS CLI and boto3 take the comment for a part of the value of ${key}`;
  if (boto.indented === true) return `${key} is indented, so the Go SDK does not find it`;
  if (unquote(name, entry.value) !== entry.value)
    return `${key} is in quotes, which only the Go SDK takes off, and so do we`;
  return undefined;
};

const fileWarnings = (bytes: Buffer, lines: readonly Line[]): string[] => [
  ...(bytes.includes('[__proto__]')
    ? ['a section [__proto__] keeps the JavaScript SDK from reading the file']
    : []),
  ...(bytes.subarray(0, 3).equals(BOM)
    ? ['line 1: a byte order mark keeps AWS CLI and boto3 from reading the file']
    : []),
  ...lines
    .filter(({ newline }) => newline === '\r')
    .slice(0, 1)
    .map(({ number }) => `line ${number}: it ends in a lone CR, where only AWS CLI and boto3 end a line`),
];

const BOM = Buffer.from('\uFEFF');

const hasLoneReturn = (lines: readonly Line[]): boolean => lines.some(({ newline }) => newline === '\r');

/** A name for a message: nothing in it may steer a terminal. */
const show = (name: string): string => name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '?');

// ---- Editing ----

const refuseSyntaxProblems = (bytes: Buffer): void => {
  const problem = findProblems(bytes).find(({ kind }) => kind === 'syntax');
  if (problem !== undefined)
    throw new UserError(
      `line ${problem.line}: ${problem.message}, for which AWS CLI and boto3 reject the file`,
      {
        hint: 'correct that line, then try again',
      },
    );
};

const checkChange = (name: string, value: string | undefined): void => {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new UserError(`${show(name)} is no name for a key`);
  if (value === undefined) return;
  const readsBack =
    value !== '' &&
    value === value.trim() &&
    !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\uFEFF]|(?:^|\s)[#;]/u.test(value) &&
    value === unquote(name, value);
  if (!readsBack) throw new UserError(`the value of ${name} would not be read back by every AWS tool`);
};

/** What the edit puts in place of a line: undefined keeps it. */
type Edit = { readonly text?: string; readonly drop?: boolean; readonly after?: string[] };

const editSections = (
  bytes: Buffer,
  lines: readonly Line[],
  targets: readonly BotoSection[],
  changes: Changes,
): Buffer => {
  const edits = new Map<number, Edit>();
  const nested = new Set([...parseAsJs(lines).values()].flatMap(nestedLineNumbers));
  for (const section of targets) editSection(edits, lines, section, changes, nested);
  return assemble(bytes, lines, edits);
};

const nestedLineNumbers = (view: View): number[] =>
  [...view.nested.values()].flatMap((entries) => [...entries.values()].map((entry) => entry.line));

const editSection = (
  edits: Map<number, Edit>,
  lines: readonly Line[],
  section: BotoSection,
  changes: Changes,
  jsNested: ReadonlySet<number>,
): void => {
  const added: string[] = [];
  for (const [name, value] of Object.entries(changes)) {
    const option = section.options.find((candidate) => candidate.name === name);
    const first = option?.pieces[0];
    if (option !== undefined) dropContinuation(edits, option);
    // A line that the JavaScript SDK takes for a part of a block above moves to the end of the section.
    const inPlace = first !== undefined && value !== undefined && !jsNested.has(first.line);
    if (option !== undefined && first !== undefined)
      edits.set(
        first.index,
        inPlace ? { text: newLine(lines[first.index]?.text ?? '', option, value) } : { drop: true },
      );
    if (value !== undefined && !inPlace)
      added.push(`${indentOfNextHeader(lines, section)}${name} = ${value}`);
  }
  const last = lastIndex(section);
  if (added.length > 0) edits.set(last, { ...edits.get(last), after: added });
};

/** The further lines of the old value go with it; not so a line which the JavaScript SDK reads as a key. */
const dropContinuation = (edits: Map<number, Edit>, option: Option): void => {
  const block = isNested(option);
  for (const piece of option.pieces.slice(1).filter(({ text }) => text !== '')) {
    const looksLikeKey = !block && /^[a-z][a-z0-9_]*\s*=(?!=*$)/i.test(piece.text);
    if (looksLikeKey || piece.text.startsWith('['))
      throw new UserError(
        `line ${piece.line}: the line is indented, so AWS CLI and boto3 take it for a part of ${option.name} above`,
        { hint: 'remove the blanks at the start of that line, then try again' },
      );
    edits.set(piece.index, { drop: true });
  }
};

/** The key's line with the new value. Spelling and separator stay unless the JavaScript SDK cannot read them. */
const newLine = (text: string, option: Option, value: string): string => {
  const indent = text.slice(0, text.indexOf(option.spelled));
  const rest = text.slice(indent.length + option.spelled.length);
  const separator = /^([ \t]*)=([ \t]*)/.exec(rest);
  if (option.spelled !== option.name || separator === null) return `${indent}${option.name} = ${value}`;
  const [, before = '', after = ''] = separator;
  return `${indent}${option.spelled}${before}=${option.pieces[0].text === '' ? before : after}${value}`;
};

/** A header must not be indented more than the key before it, or it would belong to that key's value. */
const indentOfNextHeader = (lines: readonly Line[], section: BotoSection): string => {
  const next = lines.slice(lastIndex(section) + 1).find(({ text }) => /^[^#;]/.test(strip(text)));
  return next === undefined ? '' : next.text.slice(0, next.text.indexOf(strip(next.text)));
};

/** The last line of the section's last key, or its header. */
const lastIndex = (section: BotoSection): number =>
  section.options
    .flatMap((option) => option.pieces)
    .reduce(
      (last, piece) => (piece.text === '' && piece.index > last ? last : Math.max(last, piece.index)),
      section.index,
    );

const assemble = (bytes: Buffer, lines: readonly Line[], edits: ReadonlyMap<number, Edit>): Buffer => {
  const standard = fileNewline(lines);
  const parts: Buffer[] = [];
  for (const [index, line] of lines.entries()) {
    const edit = edits.get(index);
    if (edit === undefined) {
      parts.push(bytes.subarray(line.start, line.end));
      continue;
    }
    const newline = line.newline === '' ? standard : line.newline;
    const kept =
      edit.drop === true
        ? []
        : [
            edit.text === undefined
              ? bytes.subarray(line.start, line.end - line.newline.length)
              : Buffer.from(edit.text),
          ];
    const texts = [...kept, ...(edit.after ?? []).map((text) => Buffer.from(text))];
    // A last line without a newline hands this on to the line that is now the last.
    for (const [place, text] of texts.entries())
      parts.push(text, Buffer.from(place === texts.length - 1 ? line.newline : newline));
  }
  return Buffer.concat(parts);
};

/** LF where CR stands alone: the JavaScript SDK ends no line there. */
const fileNewline = (lines: readonly Line[]): string => (lines[0]?.newline === '\r\n' ? '\r\n' : '\n');

const appendSection = (
  bytes: Buffer,
  lines: readonly Line[],
  kind: FileKind,
  profile: string,
  changes: Changes,
): Buffer => {
  const keys = Object.entries(changes).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} = ${value}`],
  );
  if (keys.length === 0) return bytes;
  if (!/^[A-Za-z0-9_][\w.@+%:/-]*$/.test(profile) || profile === 'DEFAULT' || profile in {})
    throw new UserError(
      `${show(profile)} cannot be the name of a new profile: not every AWS tool would read it`,
      {
        hint: 'use letters, digits and _ . @ + % : / - only',
      },
    );
  const newline = fileNewline(lines);
  const last = lines.at(-1);
  // A header needs a line of its own, so a missing last newline is added here, and a lone CR made a CRLF.
  const ending = last === undefined || last.newline.endsWith('\n') ? '' : newline;
  const blank = last === undefined || strip(last.text) === '' ? '' : newline;
  const header = kind === 'config' && profile !== 'default' ? `[profile ${profile}]` : `[${profile}]`;
  const added = [header, ...keys].map((line) => line + newline).join('');
  return Buffer.concat([bytes, Buffer.from((last?.newline === '\r' ? '\n' : ending) + blank + added)]);
};

/** Header to last key, and the blank line before it where another one follows or nothing does. */
const sectionRange = (lines: readonly Line[], section: BotoSection): number[] => {
  const isBlank = (index: number): boolean => strip(lines[index]?.text ?? '') === '';
  const end = lastIndex(section);
  const start =
    section.index > 0 && isBlank(section.index - 1) && isBlank(end + 1) ? section.index - 1 : section.index;
  return Array.from({ length: end - start + 1 }, (_, offset) => start + offset);
};

/**
 * The last guard: botocore accepts the result, it and the JavaScript SDK read the new values in it, and both
 * read everything else as before.
 */
const checkResult = (
  before: Buffer,
  after: Buffer,
  kind: FileKind,
  profile: string,
  changes: Changes,
): void => {
  refuseSyntaxProblems(after);
  const isEdited = (key: string): boolean => Object.hasOwn(changes, key);
  if (otherContents(before, kind, profile, isEdited) !== otherContents(after, kind, profile, isEdited))
    throw tooOdd(profile);
  const lines = linesOf(after);
  const views = parseAsJs(lines);
  const js = jsProfile(views, kind, profile);
  const boto = botoProfile(parseAsBoto(lines).sections, views, kind, profile);
  const jsCan = js !== undefined && !hasLoneReturn(lines);
  for (const [name, value] of Object.entries(changes)) {
    const entry = boto?.keys.get(name);
    const own = entry?.leaked === true ? undefined : entry?.value;
    if (own !== value || (jsCan && js.keys.get(name)?.value !== value)) throw tooOdd(profile);
  }
};

/** Everything that botocore and the JavaScript SDK read in the file, but the edited keys of the profile: all of them, unless told. */
const otherContents = (
  bytes: Buffer,
  kind: FileKind,
  profile: string,
  isEdited: (key: string) => boolean = () => true,
): string => {
  const lines = linesOf(bytes);
  const boto = parseAsBoto(lines).sections.map(({ name, options }) => ({
    name,
    isOwn: botoName(name, kind) === profile,
    keys: options.map((option): [string, unknown] => [option.name, valueOf(option)]),
  }));
  const js = [...parseAsJs(lines)].map(([name, { keys, nested }]) => ({
    name,
    isOwn: jsName(name, kind) === profile,
    keys: [
      ...valuesOf(keys),
      ...[...nested].map(([key, inner]): [string, unknown] => [`${key}.`, valuesOf(inner)]),
    ],
  }));
  const rest = [boto, js].map((sections) =>
    sections
      .map(({ name, isOwn, keys }) => ({
        name,
        isOwn,
        keys: keys.filter(([key]) => !isOwn || !isEdited(key)),
      }))
      .filter(({ isOwn, keys }) => !isOwn || keys.length > 0),
  );
  return JSON.stringify(rest);
};

const valuesOf = (entries: ReadonlyMap<string, Entry>): [string, unknown][] =>
  [...entries].map(([key, { value }]) => [key, value]);

const tooOdd = (profile: string): UserError =>
  new UserError(`the section of ${show(profile)} is written in a way that cannot be edited safely`, {
    hint: 'write its header and keys at the start of their lines, then try again',
  });
