import type { Line } from './lines.ts';
import { jsSection } from './section-name.ts';
import type { FileKind } from './section-name.ts';
import { newView, setLower } from './view.ts';
import type { Entry, View } from './view.ts';

/**
 * The sections as parseIni and getConfigData of @smithy/core 3.41 (the JavaScript SDK) read them, by the names that
 * they get there: `profile.x`, `services.x`, or the header's text.
 */
export const parseAsJs = (lines: readonly Line[]): Map<string, View> => {
  const views = new Map<string, View>();
  let section: View | undefined;
  let outer: string | undefined;
  for (const line of jsLines(lines)) {
    const trimmed = withoutComment(line.text).trim();
    if (trimmed.startsWith('[') && trimmed.endsWith(']')) {
      const name = jsSection(trimmed.slice(1, -1));
      section = name === undefined ? undefined : (views.get(name) ?? newView(line.number));
      if (name !== undefined && section !== undefined) views.set(name, section);
      outer = undefined;
      continue;
    }
    if (section === undefined) continue;
    const indented = line.text.trimStart() !== line.text;
    if (outer !== undefined && indented) (section.blockLines ??= []).push(line.number);
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
    if (outer === undefined) setLower(section.settings, entry);
    else setLower(blockOf(section, outer), entry);
  }
  return views;
};

const withoutComment = (text: string): string => {
  if (!text.includes('#') && !text.includes(';')) return text;
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

const blockOf = (view: View, outer: string): Map<string, Entry> => {
  const name = outer.toLowerCase();
  const found = view.nested?.get(name) ?? new Map<string, Entry>();
  (view.nested ??= new Map()).set(name, found);
  return found;
};

/** The profile among the sections. `[profile default]` hides `[default]` as soon as it has a setting. */
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

/** Whether the JavaScript SDK reads `[profile default]` instead of `[default]`. */
export const jsPrefersPrefixed = (views: ReadonlyMap<string, View>): boolean => {
  const view = views.get('profile.default');
  return view !== undefined && view.settings.size + (view.nested?.size ?? 0) > 0;
};
