import type { FileKind } from '../ini/section-name.ts';

/** What `readPlainProfile` says of a profile that is for the full reader. */
export const odd = Symbol('odd');

/**
 * The keys of a profile that stands in the file in the one form that every parser reads alike: its header once, `key
 * = value` lines, comments and blank lines. Undefined when the file does not name it, `odd` for everything that only
 * `readProfile` can judge. It exists for its speed: it looks at the text around the name only.
 */
export const readPlainProfile = (
  text: string,
  kind: FileKind,
  profile: string,
): ReadonlyMap<string, string> | typeof odd | undefined => {
  if (!/^[A-Za-z0-9_][\w.@+%:/-]*$/.test(profile) || profile === 'DEFAULT' || profile in Object.prototype)
    return odd;
  // CR or CRLF, a byte order mark, keys that leak into every section, a name that JavaScript trips over.
  if (['\r', '\uFEFF', '[DEFAULT', '__proto__'].some((part) => text.includes(part))) return odd;
  const header = kind === 'config' && profile !== 'default' ? `[profile ${profile}]` : `[${profile}]`;
  const start = findHeader(text, profile, header);
  return typeof start === 'number' ? readKeys(text, start + header.length) : start;
};

/** Where the only header with this name stands. */
const findHeader = (text: string, profile: string, header: string): number | typeof odd | undefined => {
  let found: number | undefined;
  for (let at = text.indexOf(profile); at !== -1; at = text.indexOf(profile, at + 1)) {
    const start = at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1;
    const end = lineEndAfter(text, at);
    const line = text.slice(start, end);
    if (line.includes('[')) {
      if (line === header && found === undefined) found = start;
      else if (isOtherHeader(line, profile)) at = end - 1;
      else return odd;
    }
  }
  return found;
};

/** Whether a line is a plain header of another profile, whose name only contains this one's. */
const isOtherHeader = (line: string, profile: string): boolean => {
  const name = plainHeader.exec(line)?.[1];
  return name !== undefined && ![profile, 'profile', `profile.${profile}`].includes(name);
};

const plainHeader = /^\[(?:profile )?([\w.@+%:/-]+)\]$/;

const lineEndAfter = (text: string, at: number): number => {
  const end = text.indexOf('\n', at);
  return end === -1 ? text.length : end;
};

const readKeys = (text: string, from: number): ReadonlyMap<string, string> | typeof odd => {
  const keys = new Map<string, string>();
  for (let at = from + 1; at < text.length;) {
    const end = lineEndAfter(text, at);
    const line = text.slice(at, end);
    at = end + 1;
    if (line.startsWith('[')) return plainHeader.test(line) ? keys : odd;
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const [, key, value] = /^([a-z][a-z0-9_]*) ?= ?([!-~]+(?: [!-~]+)*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined || keys.has(key)) return odd;
    if (value.startsWith('"') || value.startsWith("'") || value.includes(' #') || value.includes(' ;'))
      return odd;
    keys.set(key, value);
  }
  return keys;
};
