import { UserError } from '../errors.ts';
import { shellWord } from '../text.ts';
import { botoProfile, indexSections } from './boto-view.ts';
import { countBlocks } from './blocks.ts';
import { excerptWithEnds } from './excerpt.ts';
import { hasLoneReturn, linesOf } from './lines.ts';
import type { Line } from './lines.ts';
import { nestedProblems, parseAsBoto, valueOf } from './parse-as-boto.ts';
import type { BotoSection, Problem } from './parse-as-boto.ts';
import { jsProfile, parseAsJs } from './parse-as-js.ts';
import { botoName, isJsSection, jsName } from './section-name.ts';
import type { FileKind } from './section-name.ts';
import type { View } from './view.ts';

// An edit is compared with the file before it, through the eyes of both parsers: the last guard.

/** A file or a part of it, as both parsers read it. */
export type Reading = {
  readonly lines: readonly Line[];
  readonly sections: readonly BotoSection[];
  readonly problems: readonly Problem[];
  readonly js: ReadonlyMap<string, View>;
};

/** Reads the file with both parsers. */
export const readWhole = (bytes: Buffer): Reading => readLines(linesOf(bytes));

const readLines = (lines: readonly Line[]): Reading => {
  const { sections, problems } = parseAsBoto(lines);
  return { lines, sections, problems: [...problems, ...nestedProblems(sections)], js: parseAsJs(lines) };
};

/**
 * Reads what an edit of the profile can have to do with; the rest of the file cannot change with it. `before`: the file
 * that was edited, so that the same parts are read of both. An edit adds parts at the end only.
 */
export const readAround = (bytes: Buffer, profile: string, before: Buffer = bytes): Reading =>
  readLines(excerptWithEnds(bytes, profile, countBlocks(before) - 1));

/** Raises UserError, with the line, when botocore rejects the file. */
export const refuseProblems = ({ problems }: Pick<Reading, 'problems'>): void => {
  const problem = problems.toSorted((a, b) => a.line - b.line)[0];
  if (problem !== undefined)
    throw new UserError(
      `line ${problem.line}: ${problem.message}, for which AWS CLI and boto3 reject the file`,
      { hint: 'correct that line, then try again' },
    );
};

/** What an edit was allowed to change: the settings of a profile, undefined for other profiles. `refusal`: what to raise. */
export type Edited = {
  readonly kind: FileKind;
  readonly editedOf: (profile: string | undefined) => ((setting: string) => boolean) | undefined;
  readonly refusal: UserError;
};

/** Raises UserError when botocore rejects the edited file, or when a parser reads anything else than before in it. */
export const checkRest = (before: Reading, after: Reading, edited: Edited): void => {
  refuseProblems(after);
  const isSame =
    isEqual(botoRest(before, edited), botoRest(after, edited)) &&
    isEqual(jsRest(before, edited), jsRest(after, edited));
  if (!isSame) throw edited.refusal;
};

/** Raises the refusal when botocore, or the JavaScript SDK if it finds the profile, does not read the new values. */
export const checkNewValues = (
  after: Reading,
  kind: FileKind,
  profile: string,
  changes: Readonly<Record<string, string | undefined>>,
  refusal: UserError,
): void => {
  const js = jsProfile(after.js, kind, profile);
  const boto = botoProfile(indexSections(after.sections, kind), after.js, kind, profile);
  const jsCan = js !== undefined && !hasLoneReturn(after.lines);
  for (const [name, value] of Object.entries(changes)) {
    const entry = boto?.settings.get(name);
    const own = entry?.leaked === true ? undefined : entry?.value;
    if (own !== value || (jsCan && js.settings.get(name)?.value !== value)) throw refusal;
  }
};

const isEqual = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((each, index) => each === b[index]);

/** A mark between names and values that is equal to none of them. */
const header = Symbol('header');
const block = Symbol('block');

/** All that botocore reads but the edited settings, in one flat list. */
const botoRest = ({ sections }: Reading, { kind, editedOf }: Edited): unknown[] => {
  const rest: unknown[] = [];
  for (const { name, settings } of sections) {
    const isEdited = editedOf(botoName(name, kind));
    const kept = isEdited ? settings.filter((setting) => !isEdited(setting.name)) : settings;
    if (isEdited && kept.length === 0) continue;
    rest.push(header, name);
    for (const setting of kept) rest.push(setting.name, valueOf(setting));
  }
  return rest;
};

/** All that the JavaScript SDK reads but the edited settings, in one flat list. */
const jsRest = ({ js }: Reading, { kind, editedOf }: Edited): unknown[] => {
  const rest: unknown[] = [];
  for (const [name, { settings, nested }] of js) {
    if (!isJsSection(name, kind)) continue;
    const isEdited = editedOf(jsName(name, kind));
    const own: unknown[] = [];
    for (const [setting, { value }] of settings) if (!isEdited?.(setting)) own.push(setting, value);
    for (const [outer, inner] of nested ?? []) {
      // spelled so that no edit can be meant by it
      if (isEdited?.(`${outer}.`)) continue;
      own.push(block, outer);
      for (const [setting, { value }] of inner) own.push(setting, value);
    }
    if (!isEdited || own.length > 0) rest.push(header, name, ...own);
  }
  return rest;
};

/** The refusal of an edit whose outcome would not be read as it was meant. */
export const tooOdd = (profile: string): UserError =>
  new UserError(`the section of ${shellWord(profile)} is written in a way that cannot be edited safely`, {
    hint: 'write its header and keys at the start of their lines, then try again',
  });
