import { UserError } from '../errors.ts';
import { shellWord } from '../text.ts';
import { linesOf, replaceLines, strip, textBytes } from './lines.ts';
import type { Line } from './lines.ts';
import { isNested, syntaxProblems } from './parse-as-boto.ts';
import type { BotoSection, BotoSetting } from './parse-as-boto.ts';
import { unquote } from './section.ts';
import { botoName } from './section-name.ts';
import type { FileKind } from './section-name.ts';
import { checkNewValues, checkRest, readAround, readWhole, refuseProblems, tooOdd } from './whole-file.ts';
import type { Reading } from './whole-file.ts';

/** New values by the setting's name in lower case; `undefined` removes the setting. */
export type Changes = Readonly<Record<string, string | undefined>>;

/**
 * The file with the profile's settings changed in their lines. All other bytes stay. Settings that are new go after
 * the section's last one, a new section to the end of the file.
 * Throws a UserError for a file that botocore rejects, for names and values that would not read back, and
 * for files too odd to be edited without a loss.
 */
export const setSettings = (bytes: Buffer, kind: FileKind, profile: string, changes: Changes): Buffer => {
  refuseProblems({ problems: syntaxProblems(linesOf(bytes)) });
  const before = readAround(bytes, profile);
  for (const [name, value] of Object.entries(changes)) checkChange(name, value);
  const targets = before.sections.filter((section) => botoName(section.name, kind) === profile);
  const edited =
    targets.length > 0
      ? editSections(bytes, before, targets, changes)
      : appendSection(bytes, before.lines, kind, profile, changes);
  const after = readAround(edited, profile, bytes);
  const refusal = targets.length > 0 ? tooOdd(profile) : badName(profile);
  checkRest(before, after, {
    kind,
    editedOf: (name) => (name === profile ? (setting) => Object.hasOwn(changes, setting) : undefined),
    refusal,
  });
  checkNewValues(after, kind, profile, changes, refusal);
  return edited;
};

/**
 * The file without the profile: its headers, its settings, and what stands between them. Comments after its last
 * setting stay, for they announce the next section. Throws a UserError as setSettings does.
 */
export const removeProfile = (bytes: Buffer, kind: FileKind, profile: string): Buffer => {
  const before = readWhole(bytes);
  refuseProblems(before);
  const targets = before.sections.filter((section) => botoName(section.name, kind) === profile);
  const dropped = new Set(targets.flatMap((section) => sectionRange(before.lines, section)));
  const edited = Buffer.concat(
    before.lines
      .filter((_, index) => !dropped.has(index))
      .map((line) => bytes.subarray(line.start, line.end)),
  );
  checkRest(before, readWhole(edited), {
    kind,
    editedOf: (name) => (name === profile ? () => true : undefined),
    refusal: tooOdd(profile),
  });
  return edited;
};

/**
 * The file without these settings of many profiles, read once: by the profile's name the settings in lower case. A
 * section that is left without any goes too, with the blank line before it; comments stay. Throws a UserError as
 * setSettings does.
 */
export const removeSettings = (
  bytes: Buffer,
  kind: FileKind,
  removed: ReadonlyMap<string, ReadonlySet<string>>,
): Buffer => {
  const before = readWhole(bytes);
  refuseProblems(before);
  const edits = new Map<number, LineEdit>();
  for (const section of before.sections) {
    const names = removed.get(botoName(section.name, kind) ?? '');
    if (names === undefined) continue;
    for (const setting of section.settings.filter(({ name }) => names.has(name))) {
      dropContinuation(edits, setting);
      edits.set(setting.pieces[0].index, { drop: true });
    }
    if (section.settings.every(({ name }) => names.has(name))) dropHeader(edits, before.lines, section);
  }
  const edited = assemble(bytes, before.lines, edits);
  checkRest(before, readWhole(edited), {
    kind,
    editedOf: (name) => {
      const names = removed.get(name ?? '');
      return names && ((setting) => names.has(setting));
    },
    refusal: tooOdd([...removed.keys()][0] ?? ''),
  });
  return edited;
};

const dropHeader = (edits: Map<number, LineEdit>, lines: readonly Line[], section: BotoSection): void => {
  const isBlank = (index: number): boolean => strip(lines[index]?.text ?? '') === '';
  edits.set(section.index, { drop: true });
  if (section.index > 0 && isBlank(section.index - 1) && isBlank(lastIndex(section) + 1))
    edits.set(section.index - 1, { drop: true });
};

const checkChange = (name: string, value: string | undefined): void => {
  if (!/^[a-z][a-z0-9_]*$/.test(name)) throw new UserError(`${shellWord(name)} is no name for a setting`);
  if (value === undefined) return;
  const readsBack =
    value !== '' &&
    value === value.trim() &&
    !/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\uFEFF]|(?:^|\s)[#;]/u.test(value) &&
    value === unquote(name, value);
  if (!readsBack) throw new UserError(`the value of ${name} would not be read back by every AWS tool`);
};

/** What the edit puts in place of a line: undefined keeps it. */
type LineEdit = { readonly text?: string; readonly drop?: boolean; readonly after?: string[] };

const editSections = (
  bytes: Buffer,
  { lines, js }: Reading,
  targets: readonly BotoSection[],
  changes: Changes,
): Buffer => {
  const edits = new Map<number, LineEdit>();
  const blockLines = new Set([...js.values()].flatMap((view) => view.blockLines ?? []));
  for (const section of targets) editSection(edits, lines, section, changes, blockLines);
  return assemble(bytes, lines, edits);
};

const editSection = (
  edits: Map<number, LineEdit>,
  lines: readonly Line[],
  section: BotoSection,
  changes: Changes,
  blockLines: ReadonlySet<number>,
): void => {
  const added: string[] = [];
  for (const [name, value] of Object.entries(changes)) {
    const setting = section.settings.find((candidate) => candidate.name === name);
    const first = setting?.pieces[0];
    if (setting !== undefined) dropContinuation(edits, setting);
    // A line that the JavaScript SDK takes for a part of a block above moves to the end of the section.
    const inPlace = first !== undefined && value !== undefined && !blockLines.has(first.line);
    if (setting !== undefined && first !== undefined)
      edits.set(
        first.index,
        inPlace ? { text: newLine(lines[first.index]?.text ?? '', setting, value) } : { drop: true },
      );
    if (value !== undefined && !inPlace)
      added.push(`${indentOfNextHeader(lines, section)}${name} = ${value}`);
  }
  const last = lastIndex(section);
  if (added.length > 0) edits.set(last, { ...edits.get(last), after: added });
};

/** The further lines of the old value go with it; not so a line which the JavaScript SDK reads as a setting. */
const dropContinuation = (edits: Map<number, LineEdit>, setting: BotoSetting): void => {
  const isBlock = isNested(setting);
  for (const piece of setting.pieces.slice(1).filter(({ text }) => text !== '')) {
    const looksLikeSetting = !isBlock && /^[a-z][a-z0-9_]*\s*=(?!=*$)/i.test(piece.text);
    if (looksLikeSetting || piece.text.startsWith('['))
      throw new UserError(
        `line ${piece.line}: the line is indented, so AWS CLI and boto3 take it for a part of ${setting.name} above`,
        { hint: 'remove the blanks at the start of that line, then try again' },
      );
    edits.set(piece.index, { drop: true });
  }
};

/** The setting's line with the new value. Spelling and separator stay unless the JavaScript SDK cannot read them. */
export const newLine = (text: string, setting: BotoSetting, value: string): string => {
  const indent = text.slice(0, text.indexOf(setting.spelled));
  const rest = text.slice(indent.length + setting.spelled.length);
  const separator = /^([ \t]*)=([ \t]*)/.exec(rest);
  if (setting.spelled !== setting.name || separator === null) return `${indent}${setting.name} = ${value}`;
  const [, before = '', after = ''] = separator;
  return `${indent}${setting.spelled}${before}=${setting.pieces[0].text === '' ? before : after}${value}`;
};

/** A header must not be indented more than the setting before it, or it would belong to that setting's value. */
const indentOfNextHeader = (lines: readonly Line[], section: BotoSection): string => {
  for (let index = lastIndex(section) + 1; index < lines.length; index += 1) {
    const text = lines[index]?.text ?? '';
    const bare = strip(text);
    if (/^[^#;]/.test(bare)) return text.slice(0, text.indexOf(bare));
  }
  return '';
};

/** The last line of the section's last setting, or its header. */
const lastIndex = (section: BotoSection): number =>
  section.settings
    .flatMap(({ pieces: [first, ...others] }) => [
      first.index,
      ...others.filter(({ text }) => text !== '').map(({ index }) => index),
    ])
    .reduce((last, index) => Math.max(last, index), section.index);

const assemble = (bytes: Buffer, lines: readonly Line[], edits: ReadonlyMap<number, LineEdit>): Buffer => {
  const standard = fileNewline(lines);
  return replaceLines(bytes, lines, edits, (line, { text, drop, after = [] }) => {
    const kept = text === undefined ? textBytes(bytes, line) : Buffer.from(text);
    const texts = [...(drop === true ? [] : [kept]), ...after.map((added) => Buffer.from(added))];
    // A last line without a newline hands this on to the line that is now the last.
    return texts.flatMap((part, place) => [
      part,
      Buffer.from(place === texts.length - 1 ? line.newline : line.newline || standard),
    ]);
  });
};

/** LF where CR stands alone: the JavaScript SDK ends no line there. */
export const fileNewline = (lines: readonly Line[]): string => (lines[0]?.newline === '\r\n' ? '\r\n' : '\n');

const appendSection = (
  bytes: Buffer,
  lines: readonly Line[],
  kind: FileKind,
  profile: string,
  changes: Changes,
): Buffer => {
  const settings = Object.entries(changes).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} = ${value}`],
  );
  if (settings.length === 0) return bytes;
  // What else cannot be read back is found out by reading it. With the members of Object the JavaScript SDK loses more
  // than this profile.
  if (/^$|[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u.test(profile) || profile in {}) throw badName(profile);
  const newline = fileNewline(lines);
  const last = lines.at(-1);
  // A header needs a line of its own, so a missing last newline is added here, and a lone CR made a CRLF.
  const ending = last === undefined || last.newline.endsWith('\n') ? '' : newline;
  const blank = last === undefined || strip(last.text) === '' ? '' : newline;
  const header =
    kind === 'config' && profile !== 'default' ? `[profile ${shlexWord(profile)}]` : `[${profile}]`;
  const added = [header, ...settings].map((line) => line + newline).join('');
  return Buffer.concat([bytes, Buffer.from((last?.newline === '\r' ? '\n' : ending) + blank + added)]);
};

const badName = (profile: string): UserError =>
  new UserError(
    `${shellWord(profile)} cannot be the name of a new profile: AWS's own tools would not read it back`,
    { hint: 'use letters, digits and _ . @ + % : / - only' },
  );

/** The name as one word for Python's shlex. */
const shlexWord = (name: string): string => {
  if (!/[\s'"\\]/.test(name)) return name;
  return name.includes('"') ? `'${name}'` : `"${name.replaceAll('\\', String.raw`\\`)}"`;
};

/** Header to last setting, and the blank line before it where another one follows or nothing does. */
const sectionRange = (lines: readonly Line[], section: BotoSection): number[] => {
  const isBlank = (index: number): boolean => strip(lines[index]?.text ?? '') === '';
  const end = lastIndex(section);
  const start =
    section.index > 0 && isBlank(section.index - 1) && isBlank(end + 1) ? section.index - 1 : section.index;
  return Array.from({ length: end - start + 1 }, (_, offset) => start + offset);
};
