import { isUtf8 } from 'node:buffer';
import { UserError } from '../errors.ts';
import {
  botoName,
  botoProfile,
  botoView,
  cutLines,
  decode,
  hasLoneReturn,
  isJsSection,
  isNested,
  jsName,
  jsProfile,
  lastGroup,
  linesOf,
  nestedProblems,
  parseAsBoto,
  parseAsJs,
  shlexName,
  strip,
  valueOf,
} from './parsers.ts';
import type { BotoSection, Entry, FileKind, Line, Option, Problem, View } from './parsers.ts';
import { shellWord, shown } from '../text.ts';

export type { FileKind, Problem } from './parsers.ts';

/**
 * A profile or another section of AWS's shared config or credentials file. AWS's own parsers disagree: keys and
 * blocks are what they read between them, the keys in lower case.
 */
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

/** The keys of all profiles as readProfile finds those of one, in the order of profileNames, all in one pass. */
export const readProfiles = (
  bytes: Buffer,
  kind: FileKind,
): ReadonlyMap<string, ReadonlyMap<string, string>> => {
  const lines = linesOf(bytes);
  const js = parseAsJs(lines);
  const { sections } = parseAsBoto(lines);
  const defaults = sections.filter(({ name }) => name === 'DEFAULT');
  const byName = new Map<string, BotoSection[]>();
  for (const section of sections) {
    if (section.name === 'DEFAULT') continue;
    const name = botoName(section.name, kind);
    for (const known of new Set([name, kind === 'credentials' ? strip(section.name) : name]))
      if (known !== undefined) byName.set(known, [...(byName.get(known) ?? []), section]);
  }
  const isTrusted = !hasLoneReturn(lines);
  const keysOf = (name: string): ReadonlyMap<string, string> => {
    const boto = botoProfile([...defaults, ...(byName.get(name) ?? [])], js, kind, name);
    const view = boto === undefined || isTrusted ? jsProfile(js, kind, name) : undefined;
    return joinViews(name, boto, view, [])?.keys ?? new Map<string, string>();
  };
  return new Map(profileNames(bytes, kind).map((name) => [name, keysOf(name)]));
};

/** What botocore rejects the file for, by line. Empty: AWS CLI and boto3 accept it. */
export const findProblems = (bytes: Buffer): Problem[] => {
  const lines = linesOf(bytes);
  const { sections, problems } = parseAsBoto(lines);
  const badBytes = isUtf8(bytes)
    ? []
    : lines
        .filter((line) => !isUtf8(bytes.subarray(line.start, line.end)))
        .map((line): Problem => ({
          kind: 'encoding',
          line: line.number,
          message: 'bytes that are not UTF-8',
        }));
  return [...badBytes, ...problems, ...nestedProblems(sections)].sort((x, y) => x.line - y.line);
};

/**
 * The file with the profile's keys changed in their lines. All other bytes stay. Keys that are new go after
 * the section's last key, a new section to the end of the file.
 * Throws a UserError for a file that botocore rejects, for names and values that would not read back, and
 * for files too odd to be edited without a loss.
 */
export const setKeys = (bytes: Buffer, kind: FileKind, profile: string, changes: Changes): Buffer => {
  const before = readAll(bytes);
  refuseProblems(before);
  for (const [name, value] of Object.entries(changes)) checkChange(name, value);
  const targets = before.sections.filter((section) => botoName(section.name, kind) === profile);
  const edited =
    targets.length > 0
      ? editSections(bytes, before, targets, changes)
      : appendSection(bytes, before.lines, kind, profile, changes);
  checkResult(before, readAll(edited), kind, profile, changes);
  return edited;
};

/**
 * The file without the profile: its headers, its keys, and what stands between them. Comments after its last
 * key stay, for they announce the next section. Throws a UserError as setKeys does.
 */
export const removeProfile = (bytes: Buffer, kind: FileKind, profile: string): Buffer => {
  const before = readAll(bytes);
  refuseProblems(before);
  const targets = before.sections.filter((section) => botoName(section.name, kind) === profile);
  const dropped = new Set(targets.flatMap((section) => sectionRange(before.lines, section)));
  const edited = Buffer.concat(
    before.lines
      .filter((_, index) => !dropped.has(index))
      .map((line) => bytes.subarray(line.start, line.end)),
  );
  const after = readAll(edited);
  refuseProblems(after);
  if (otherContents(before, kind, profile) !== otherContents(after, kind, profile)) throw tooOdd(profile);
  return edited;
};

/** A whole file, as both parsers read it. */
type Reading = {
  readonly lines: readonly Line[];
  readonly sections: readonly BotoSection[];
  readonly problems: readonly Problem[];
  readonly js: ReadonlyMap<string, View>;
};

const readAll = (bytes: Buffer): Reading => {
  const lines = linesOf(bytes);
  const { sections, problems } = parseAsBoto(lines);
  return { lines, sections, problems: [...problems, ...nestedProblems(sections)], js: parseAsJs(lines) };
};

// ---- Finding sections in large files ----

/**
 * The lines of the sections that may have this name, and of [DEFAULT]: rather too many than too few. Files
 * with 10,000 profiles are why this jumps from bracket to bracket and looks at no other line.
 */
const excerpt = (bytes: Buffer, name: string): Line[] => {
  const { text, headers } = scanOf(bytes);
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
  for (const { at, header, isPlain } of headers) {
    if (isPlain) finish(at);
    wanted ||= mayMatter.test(header);
  }
  finish(text.length);
  return lines;
};

/** The lines that may be headers: enough to know every section's name, unless one depends on the line above. */
const headerLines = (bytes: Buffer): Line[] => {
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

/** `text` is the file with one character a byte; `isPlain`: a header for every parser, whatever is above it. */
type Scan = {
  readonly text: string;
  readonly headers: readonly { readonly at: number; readonly header: string; readonly isPlain: boolean }[];
};

const scanOf = (bytes: Buffer): Scan => {
  const known = scans.get(bytes);
  if (known !== undefined) return known;
  const text = bytes.toString('latin1');
  const headers = [...bracketLines(text)].map(({ at, header }) => ({
    at,
    header,
    isPlain: isPlainHeader(text, at, header),
  }));
  const scan = { text, headers };
  scans.set(bytes, scan);
  return scan;
};

/** Several profiles are read from the same bytes, which nobody changes. */
const scans = new WeakMap<Buffer, Scan>();

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

/** Tells the line of an offset; the offsets must come in ascending order. */
const lineCounter = (text: string): ((offset: number) => number) => {
  const loneReturn = text.includes('\r') && /\r(?!\n)/.test(text);
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
// ---- What the parsers read, joined ----

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
    return [`line ${boto.line}: the JavaScript SDK does not find [${shown(name)}]`];
  if (boto === undefined && js !== undefined)
    return [`line ${js.line}: AWS CLI and boto3 do not find [${shown(name)}]`];
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
  const key = shown(name);
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

// ---- Editing ----

const refuseProblems = ({ problems }: Reading): void => {
  const problem = problems.toSorted((a, b) => a.line - b.line)[0];
  if (problem !== undefined)
    throw new UserError(
      `line ${problem.line}: ${problem.message}, for which AWS CLI and boto3 reject the file`,
      {
        hint: 'correct that line, then try again',
      },
    );
};

const checkChange = (name: string, value: string | undefined): void => {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new UserError(`${shellWord(name)} is no name for a key`);
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
  { lines, js }: Reading,
  targets: readonly BotoSection[],
  changes: Changes,
): Buffer => {
  const edits = new Map<number, Edit>();
  const blockLines = new Set([...js.values()].flatMap((view) => [...view.blockLines]));
  for (const section of targets) editSection(edits, lines, section, changes, blockLines);
  return assemble(bytes, lines, edits);
};

const editSection = (
  edits: Map<number, Edit>,
  lines: readonly Line[],
  section: BotoSection,
  changes: Changes,
  blockLines: ReadonlySet<number>,
): void => {
  const added: string[] = [];
  for (const [name, value] of Object.entries(changes)) {
    const option = section.options.find((candidate) => candidate.name === name);
    const first = option?.pieces[0];
    if (option !== undefined) dropContinuation(edits, option);
    // A line that the JavaScript SDK takes for a part of a block above moves to the end of the section.
    const inPlace = first !== undefined && value !== undefined && !blockLines.has(first.line);
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
  Math.max(
    section.index,
    ...section.options.flatMap(({ pieces: [first, ...others] }) => [
      first.index,
      ...others.filter(({ text }) => text !== '').map(({ index }) => index),
    ]),
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
      `${shellWord(profile)} cannot be the name of a new profile: not every AWS tool would read it`,
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
  before: Reading,
  after: Reading,
  kind: FileKind,
  profile: string,
  changes: Changes,
): void => {
  refuseProblems(after);
  const isEdited = (key: string): boolean => Object.hasOwn(changes, key);
  if (otherContents(before, kind, profile, isEdited) !== otherContents(after, kind, profile, isEdited))
    throw tooOdd(profile);
  const js = jsProfile(after.js, kind, profile);
  const boto = botoProfile(after.sections, after.js, kind, profile);
  const jsCan = js !== undefined && !hasLoneReturn(after.lines);
  for (const [name, value] of Object.entries(changes)) {
    const entry = boto?.keys.get(name);
    const own = entry?.leaked === true ? undefined : entry?.value;
    if (own !== value || (jsCan && js.keys.get(name)?.value !== value)) throw tooOdd(profile);
  }
};

/** Everything that botocore and the JavaScript SDK read, but the edited keys of the profile: all, unless told. */
const otherContents = (
  reading: Reading,
  kind: FileKind,
  profile: string,
  isEdited: (key: string) => boolean = () => true,
): string => {
  const boto = reading.sections.map(({ name, options }) => ({
    name,
    isOwn: botoName(name, kind) === profile,
    keys: options.map((option): [string, unknown] => [option.name, valueOf(option)]),
  }));
  const visible = [...reading.js].filter(([name]) => isJsSection(name, kind));
  const js = visible.map(([name, { keys, nested }]) => ({
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
  new UserError(`the section of ${shellWord(profile)} is written in a way that cannot be edited safely`, {
    hint: 'write its header and keys at the start of their lines, then try again',
  });
