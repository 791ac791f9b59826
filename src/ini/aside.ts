import { UserError } from '../errors.ts';
import { fileNewline, newLine } from './edit.ts';
import { hasLoneReturn, replaceLines, strip, textBytes } from './lines.ts';
import type { Line } from './lines.ts';
import { jsProfile } from './parse-as-js.ts';
import { valueOf } from './parse-as-boto.ts';
import type { BotoSection, BotoSetting } from './parse-as-boto.ts';
import { botoName } from './section-name.ts';
import type { FileKind } from './section-name.ts';
import { checkRest, readWhole, refuseProblems } from './whole-file.ts';
import type { Reading } from './whole-file.ts';

// A line that is set aside becomes a comment that holds it byte for byte, so that it can be brought back.

const mark = '# aws-iam-login: ';

/** What becomes of settings: a new value in a line below the one set aside, or undefined for no line. */
export type Aside = ReadonlyMap<string, string | undefined>;

/** The lines of one section that change. */
type SectionChange = {
  readonly profile: string;
  /** The header, as it stands in the file. */
  readonly header: string;
  readonly lines: ReadonlyArray<{ readonly removed: readonly string[]; readonly added: readonly string[] }>;
};

export type AsideEdit = {
  /** The file after the edit. */
  readonly bytes: Buffer;
  readonly changes: readonly SectionChange[];
  /** Profiles that are left as they are, with the reason. */
  readonly left: ReadonlyMap<string, string>;
};

/**
 * The file with settings of profiles set aside, and their new values below them. All other bytes stay. A profile whose
 * lines cannot be set aside without a loss is left as it is. Raises UserError for a file that botocore rejects.
 */
export const setLinesAside = (
  bytes: Buffer,
  kind: FileKind,
  asides: ReadonlyMap<string, Aside>,
): AsideEdit => {
  const before = readWhole(bytes);
  const blockLines = new Set([...before.js.values()].flatMap((view) => view.blockLines ?? []));
  const standard = fileNewline(before.lines);
  const defaults = before.sections
    .filter(({ name }) => name === 'DEFAULT')
    .flatMap(({ settings }) => settings);
  const edit = editProfiles(bytes, before, kind, asides, (sections, aside) => {
    // boto takes the last of them, the JavaScript SDK all
    if (sections.length > 1) return `line ${sections[1]?.section.line} begins a second section of that name`;
    const found = sections.flatMap(({ section }) =>
      section.settings.filter(({ name }) => aside.has(name)).map((setting) => ({ section, setting })),
    );
    const odd = found.find(({ setting }) => isEntangled(setting, blockLines));
    if (odd !== undefined) return oddLine(odd.setting.pieces[0].line);
    const leaking = defaults.find(({ name }) => aside.has(name) && aside.get(name) === undefined);
    if (leaking !== undefined)
      return `line ${leaking.pieces[0].line} gives ${leaking.name} to every profile of AWS CLI and boto3`;
    // it may be a setting for the JavaScript SDK only
    const known = new Set(found.map(({ setting }) => setting.name));
    if ([...aside.keys()].some((name) => !known.has(name))) return oddLine(sections[0]?.section.line ?? 0);
    return found.map(({ section, setting }) => {
      const { index } = setting.pieces[0];
      const text = before.lines[index]?.text ?? '';
      const value = aside.get(setting.name);
      const below = value === undefined ? [] : [newLine(text, setting, value)];
      const added = [`${mark}${text}`, ...below];
      return {
        section,
        index,
        texts: [Buffer.concat([Buffer.from(mark), textBytes(bytes, before.lines[index])]), ...below],
        between: standard,
        change: { removed: [text], added },
      };
    });
  });
  checkValues(readWhole(edit.bytes), kind, edit.changes, asides);
  return edit;
};

const oddLine = (line: number): string => `line ${line} is written in a way that cannot be edited safely`;

/**
 * The file with the settings brought back that `setLinesAside` has set aside in these profiles, given what it was told
 * for each. A profile that has got one of them anew since is left as it is. Raises UserError for a file that botocore
 * rejects.
 */
export const bringLinesBack = (
  bytes: Buffer,
  kind: FileKind,
  asides: ReadonlyMap<string, Aside>,
): AsideEdit => {
  const before = readWhole(bytes);
  return editProfiles(bytes, before, kind, asides, (sections, aside) => {
    const edits: LineEdit[] = [];
    for (const { section, end } of sections) {
      const found = markedLines(before.lines, section, end).filter(({ name }) => aside.has(name));
      for (const { name, index } of found) {
        const wanted = aside.get(name);
        const now = section.settings.filter((setting) => setting.name === name);
        const ours = now.find(
          (setting) => setting.pieces[0].index === index + 1 && valueOf(setting) === wanted,
        );
        const isTwice = found.filter((other) => other.name === name).length > 1;
        if (isTwice || now.some((setting) => setting !== ours))
          return `below line ${section.line} ${name} was written anew since`;
        const line = before.lines[index];
        const last = ours === undefined ? line : before.lines[index + 1];
        const text = line?.text.slice(mark.length) ?? '';
        edits.push({
          section,
          index,
          texts: [textBytes(bytes, line).subarray(mark.length)],
          end: last?.newline ?? '',
          change: {
            removed: [line?.text ?? '', ...(ours === undefined ? [] : [last?.text ?? ''])],
            added: [text],
          },
        });
        if (ours !== undefined) edits.push({ section, index: index + 1, texts: [] });
      }
    }
    return edits;
  });
};

/** The profiles that have settings which were set aside. */
export const profilesWithAsides = (bytes: Buffer, kind: FileKind): string[] => {
  if (!bytes.includes(mark)) return [];
  const { lines, sections } = readWhole(bytes);
  return [...placesOf(lines, sections, kind)].flatMap(([profile, places]) =>
    places.some(({ section, end }) => markedLines(lines, section, end).length > 0) ? [profile] : [],
  );
};

type LineEdit = {
  readonly section: BotoSection;
  readonly index: number;
  /** What stands there instead; nothing removes the line. */
  readonly texts: ReadonlyArray<Buffer | string>;
  /** The newline between them where the line itself has none. */
  readonly between?: string;
  /** The last newline, where it is not that of the line. */
  readonly end?: string;
  readonly change?: SectionChange['lines'][number];
};

type Place = { readonly section: BotoSection; /** The line behind the section. */ readonly end: number };

const editProfiles = (
  bytes: Buffer,
  before: Reading,
  kind: FileKind,
  asides: ReadonlyMap<string, Aside>,
  editsOf: (places: readonly Place[], aside: Aside) => readonly LineEdit[] | string,
): AsideEdit => {
  refuseProblems(before);
  const isOdd = hasLoneReturn(before.lines);
  const left = new Map<string, string>();
  const changes: SectionChange[] = [];
  const edits = new Map<number, LineEdit>();
  for (const [profile, places] of placesOf(before.lines, before.sections, kind)) {
    const aside = asides.get(profile);
    const found = aside && editsOf(places, aside);
    if (found === undefined || found.length === 0) continue;
    if (isOdd || typeof found === 'string') {
      left.set(profile, typeof found === 'string' ? found : 'the file has lines that end in a lone CR');
      continue;
    }
    for (const edit of found) edits.set(edit.index, edit);
    for (const { section } of places) {
      const own = found.filter((edit) => edit.section === section);
      const lines = own
        .toSorted((one, other) => one.index - other.index)
        .flatMap(({ change }) => (change === undefined ? [] : [change]));
      const header = before.lines[section.index]?.text ?? '';
      if (lines.length > 0) changes.push({ profile, header, lines });
    }
  }
  const edited = assemble(bytes, before.lines, edits);
  checkEdit(before, readWhole(edited), kind, new Set(changes.map(({ profile }) => profile)), asides);
  return { bytes: edited, changes, left };
};

const placesOf = (
  lines: readonly Line[],
  sections: readonly BotoSection[],
  kind: FileKind,
): Map<string, Place[]> => {
  const places = new Map<string, Place[]>();
  for (const [order, section] of sections.entries()) {
    const profile = section.name === 'DEFAULT' ? undefined : botoName(section.name, kind);
    if (profile === undefined) continue;
    const place = { section, end: sections[order + 1]?.index ?? lines.length };
    const known = places.get(profile);
    if (known === undefined) places.set(profile, [place]);
    else known.push(place);
  }
  return places;
};

/** Whether other lines belong to the setting, or it to a block for the JavaScript SDK. */
const isEntangled = ({ pieces: [first, ...others] }: BotoSetting, blockLines: ReadonlySet<number>): boolean =>
  blockLines.has(first.line) || others.some(({ text }) => text !== '');

const markedLines = (
  lines: readonly Line[],
  section: BotoSection,
  end: number,
): { readonly name: string; readonly index: number }[] =>
  lines.slice(section.index + 1, end).flatMap(({ text }, offset) => {
    if (!text.startsWith(mark)) return [];
    const value = strip(text.slice(mark.length));
    const delimiter = value.search(/[=:]/);
    const name = strip(value.slice(0, Math.max(0, delimiter))).toLowerCase();
    return name === '' ? [] : [{ name, index: section.index + 1 + offset }];
  });

const assemble = (bytes: Buffer, lines: readonly Line[], edits: ReadonlyMap<number, LineEdit>): Buffer =>
  replaceLines(bytes, lines, edits, (line, { texts, end, between }) =>
    texts.flatMap((text, place) => {
      const isLast = place === texts.length - 1;
      const newline = isLast ? (end ?? line.newline) : line.newline || (between ?? '');
      return [typeof text === 'string' ? Buffer.from(text) : text, Buffer.from(newline)];
    }),
  );

/** Raises UserError when one of the parsers reads anything else than before but the settings of these profiles. */
const checkEdit = (
  before: Reading,
  after: Reading,
  kind: FileKind,
  profiles: ReadonlySet<string>,
  asides: ReadonlyMap<string, Aside>,
): void => {
  const editedOf = (name: string | undefined): ((setting: string) => boolean) | undefined => {
    const aside = name !== undefined && profiles.has(name) ? asides.get(name) : undefined;
    return aside && ((setting) => aside.has(setting));
  };
  checkRest(before, after, { kind, editedOf, refusal: tooOdd(kind) });
};

/** Raises UserError when botocore, or the JavaScript SDK where it finds the profile, does not read the new values. */
const checkValues = (
  after: Reading,
  kind: FileKind,
  changes: readonly SectionChange[],
  asides: ReadonlyMap<string, Aside>,
): void => {
  const places = placesOf(after.lines, after.sections, kind);
  for (const { profile } of changes) {
    const settings = (places.get(profile) ?? []).flatMap(({ section }) => section.settings);
    const js = jsProfile(after.js, kind, profile);
    for (const [name, value] of asides.get(profile) ?? []) {
      const found = settings.filter((setting) => setting.name === name);
      const isRead =
        value === undefined ? found.length === 0 : found.every((each) => valueOf(each) === value);
      if (!isRead || (js !== undefined && js.settings.get(name)?.value !== value)) throw tooOdd(kind);
    }
  }
};

const tooOdd = (kind: FileKind): UserError =>
  new UserError(`the ${kind} file is written in a way that cannot be edited safely`, {
    hint: 'write headers and keys at the start of their lines, then try again',
  });
