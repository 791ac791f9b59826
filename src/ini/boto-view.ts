import { shown } from '../text.ts';
import { jsPrefersPrefixed } from './parse-as-js.ts';
import { strip } from './lines.ts';
import { isNested, nestedLines, valueOf } from './parse-as-boto.ts';
import type { BotoSection, BotoSetting } from './parse-as-boto.ts';
import { botoName } from './section-name.ts';
import type { FileKind } from './section-name.ts';
import { newView, setLower } from './view.ts';
import type { Entry, View } from './view.ts';

/** The sections of a file by what they may be to a profile, so that no look at one has to pass by all the others. */
export type BotoIndex = {
  readonly defaults: readonly BotoSection[];
  readonly byProfile: ReadonlyMap<string, readonly BotoSection[]>;
  /** The same by their names without the blanks around them. */
  readonly byStripped: ReadonlyMap<string, readonly BotoSection[]>;
};

/** The index of the sections that were parsed. */
export const indexSections = (sections: readonly BotoSection[], kind: FileKind): BotoIndex => {
  const others = sections.filter(({ name }) => name !== 'DEFAULT');
  return {
    defaults: sections.filter(({ name }) => name === 'DEFAULT'),
    byProfile: groupBy(others, ({ name }) => botoName(name, kind)),
    byStripped: groupBy(others, ({ name }) => strip(name)),
  };
};

const groupBy = (
  sections: readonly BotoSection[],
  nameOf: (section: BotoSection) => string | undefined,
): Map<string, BotoSection[]> => {
  const groups = new Map<string, BotoSection[]>();
  for (const section of sections) {
    const name = nameOf(section);
    if (name === undefined) continue;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [section]);
    else group.push(section);
  }
  return groups;
};

/** The profile as botocore reads it. Where several headers name it, the ones that the JavaScript SDK reads. */
export const botoProfile = (
  index: BotoIndex,
  js: ReadonlyMap<string, View>,
  kind: FileKind,
  profile: string,
): View | undefined => {
  const exact = index.byProfile.get(profile) ?? [];
  if (kind === 'credentials') {
    if (exact.length > 0 || js.has(profile)) return botoView(exact, index.defaults);
    const padded = botoView(index.byStripped.get(profile) ?? [], []);
    if (padded !== undefined)
      warn(
        padded,
        `line ${padded.line}: the blanks in the brackets hide [${shown(profile)}] from all but the Go SDK`,
      );
    return padded;
  }
  const prefixed = exact.filter((section) => section.name !== 'default');
  const view = botoView(
    lastGroup(jsPrefersPrefixed(js) && prefixed.length > 0 ? prefixed : exact),
    index.defaults,
  );
  if (view !== undefined && profile === 'default' && prefixed.length > 0 && prefixed.length < exact.length)
    warn(
      view,
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
  for (const section of defaults) for (const setting of section.settings) addSetting(view, setting, true);
  for (const section of sections) for (const setting of section.settings) addSetting(view, setting, false);
  for (const other of others)
    warn(
      view,
      `line ${other.line}: [${shown(other.name)}] a second time, for which AWS CLI and boto3 reject the file`,
    );
  return view;
};

const warn = (view: View, warning: string): void => {
  (view.warnings ??= []).push(warning);
};

const addSetting = (view: View, setting: BotoSetting, leaked: boolean): void => {
  const { name, spelled, delimiter, indented } = setting;
  const details = { leaked, delimiter, indented };
  if (!isNested(setting)) {
    view.nested?.delete(name);
    view.settings.set(name, {
      value: valueOf(setting),
      line: setting.pieces[0].line,
      spelled,
      ...details,
    });
    return;
  }
  view.settings.delete(name);
  const nested = new Map<string, Entry>();
  for (const piece of setting.pieces)
    for (const text of nestedLines(piece)) {
      const equals = text.indexOf('=');
      if (equals === -1) continue;
      const inner = strip(text.slice(0, equals));
      setLower(nested, { value: strip(text.slice(equals + 1)), line: piece.line, spelled: inner });
    }
  (view.nested ??= new Map()).set(name, nested);
};
