import { shown } from '../text.ts';
import type { Entry, View } from './view.ts';

/**
 * A profile or another section of AWS's shared config or credentials file. AWS's own parsers disagree: settings and
 * blocks are what they read between them, the names of the settings in lower case.
 */
export type Section = {
  readonly name: string;
  /** The line of its first header, counted from 1. */
  readonly line: number;
  readonly settings: ReadonlyMap<string, string>;
  /** The line of each setting, counted from 1. */
  readonly settingLines: ReadonlyMap<string, number>;
  /** Indented blocks such as `s3 =`, by the setting that opens them. */
  readonly nested: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Where AWS's parsers disagree about this section: sentences that begin with the line, without any value. */
  readonly warnings: readonly string[];
};

/** What the parsers read of one section, joined; undefined when none of them has found it. */
export const joinViews = (
  name: string,
  boto: View | undefined,
  js: View | undefined,
  fileWide: readonly string[],
): Section | undefined => {
  const line = boto?.line ?? js?.line;
  if (line === undefined) return undefined;
  const entries = joinEntries(boto?.settings, js?.settings);
  const known = [...fileWide, ...(boto?.warnings ?? [])];
  const outers = new Set([...(boto?.nested?.keys() ?? []), ...(js?.nested?.keys() ?? [])]);
  const nested = new Map(
    [...outers].map((outer) => [
      outer,
      new Map(
        [...joinEntries(boto?.nested?.get(outer), js?.nested?.get(outer))].map(([inner, { value }]) => [
          inner,
          value,
        ]),
      ),
    ]),
  );
  return {
    name,
    line: Math.min(line, js?.line ?? line),
    settings: joinSettings(boto, js),
    settingLines: new Map([...entries].map(([setting, entry]) => [setting, entry.line])),
    nested,
    warnings: [
      ...known,
      ...(known.length > 0 && js === undefined ? [] : disagreements(name, boto, js, entries)),
      ...(/[#;]/.test(name) ? [`line ${line}: the Go SDK does not find [${shown(name)}]`] : []),
    ],
  };
};

/** The values of the settings that the parsers read between them. */
export const joinSettings = (boto: View | undefined, js: View | undefined): Map<string, string> => {
  const settings = new Map<string, string>();
  for (const [setting, { value }] of joinEntries(boto?.settings, js?.settings))
    settings.set(setting, unquote(setting, value));
  return settings;
};

/** The JavaScript SDK's value where both have one: it has no comment and no further line in it. */
const joinEntries = (
  boto: ReadonlyMap<string, Entry> = noEntries,
  js: ReadonlyMap<string, Entry> = noEntries,
): Map<string, Entry> => {
  const joined = new Map<string, Entry>();
  for (const [setting, entry] of boto) joined.set(setting, firstLine(entry));
  // `key: a=b` is no setting named `key: a`.
  for (const [setting, entry] of js)
    if (!setting.includes(':') || boto.has(setting)) joined.set(setting, entry);
  return joined;
};

const noEntries: ReadonlyMap<string, Entry> = new Map();

/** Further lines are no part of a usable value, and only boto reads them. */
const firstLine = (entry: Entry): Entry =>
  entry.value.includes('\n') ? { ...entry, value: entry.value.slice(0, entry.value.indexOf('\n')) } : entry;

/** The value without quotes: the Go SDK takes them off, the others keep them and fail; commands may need theirs. */
export const unquote = (setting: string, value: string): string =>
  setting.endsWith('_process') || !/^["']/.test(value)
    ? value
    : value.replace(/^"([^"]*)"$|^'([^']*)'$/, '$1$2');

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
  return [...entries].flatMap(([setting, entry]) => {
    const reason = disagreement(setting, entry, boto?.settings.get(setting), js?.settings.get(setting));
    return reason === undefined ? [] : [`line ${entry.line}: ${reason}`];
  });
};

const disagreement = (
  name: string,
  entry: Entry,
  boto: Entry | undefined,
  js: Entry | undefined,
): string | undefined => {
  const setting = shown(name);
  if (boto?.leaked === true && js === undefined)
    return `${setting} comes from [DEFAULT] for AWS CLI and boto3 only`;
  if (boto === undefined)
    return `${setting} is indented, so AWS CLI and boto3 take it for a part of the value above`;
  if (boto.spelled !== name) return `${setting} is in capitals, so the JavaScript SDK does not find it`;
  if (boto.delimiter === ':')
    return `${setting} is followed by a colon, so the JavaScript SDK does not find it`;
  if (js === undefined) return boto.value === '' ? undefined : `the JavaScript SDK does not find ${setting}`;
  if (js.value !== boto.value)
    return boto.value.includes('\n')
      ? `AWS CLI and boto3 take the indented lines below ${setting} for a part of its value`
      : `AWS CLI and boto3 take the comment for a part of the value of ${setting}`;
  if (boto.indented === true) return `${setting} is indented, so the Go SDK does not find it`;
  if (unquote(name, entry.value) !== entry.value)
    return `${setting} is in quotes, which only the Go SDK takes off, and so do we`;
  return undefined;
};
