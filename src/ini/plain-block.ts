import type { FileKind } from './section-name.ts';

/** A section that both parsers read alike. `profile` is undefined for a section that is no profile. */
export type PlainBlock = {
  readonly profile: string | undefined;
  readonly settings: ReadonlyMap<string, string>;
};

/**
 * The section of a header and the lines below it when everything is written as tools write it (`name = value` at the
 * start of the line, comments, blank lines), so that no parser can see anything else in it; else undefined. The text
 * has one character a byte. It exists for files with thousands of profiles.
 */
export const readPlainBlock = (text: string, kind: FileKind): PlainBlock | undefined => {
  const header = plainHeader.exec(text);
  const profile = header === null ? undefined : plainName(header[1] ?? '', header[2], kind);
  if (header === null || profile === undefined) return undefined;
  const settings = new Map<string, string>();
  let count = 0;
  for (let at = header[0].length; at < text.length; at = plainLine.lastIndex) {
    plainLine.lastIndex = at;
    const found = plainLine.exec(text);
    if (found === null) return undefined;
    const name = found[1];
    if (name === undefined) continue;
    settings.set(name, found[2] ?? '');
    count += 1;
  }
  if (settings.size < count) return undefined;
  return { profile: profile === noProfile ? undefined : profile, settings };
};

const lineEnd = String.raw`[ \t]*(?:\r?\n|$)`;
const word = String.raw`([\w.@+%:/-]+)`;
const plainHeader = new RegExp(String.raw`^\[${word}(?: ${word})?\]${lineEnd}`);
const plainLine = new RegExp(
  [
    // no value that begins with a quote, and no comment behind one
    String.raw`([a-z][a-z0-9_]*)[ \t]*=[ \t]*((?![#;"'])[!-~]+(?:[ \t]+(?![#;])[!-~]+)*)${lineEnd}`,
    String.raw`[#;][\t -~\x80-\xff]*(?:\r?\n|$)`,
    String.raw`[ \t]*\r?\n`,
    String.raw`[ \t]+$`,
  ].join('|'),
  'y',
);

const noProfile = Symbol('no profile');
const anyObject = {};

const plainName = (
  first: string,
  second: string | undefined,
  kind: FileKind,
): string | typeof noProfile | undefined => {
  if (/^DEFAULT$|^(?:profile|sso-session|services)\./.test(first)) return undefined;
  if (second === undefined) {
    if (kind === 'credentials' || first === 'default') return first in anyObject ? undefined : first;
    return noProfile;
  }
  return kind === 'config' && first === 'profile' ? second : undefined;
};
