import type { FileKind } from './ini.ts';

/**
 * The keys of a profile that stands in the file in the one form that every parser reads alike: its header once, `key
 * = value` lines, comments and blank lines. Undefined for anything else, which is then for `readProfile`, and for a
 * profile that is not there. It exists for its speed: it looks at the bytes around the name only.
 */
export const readPlainProfile = (
  bytes: Buffer,
  kind: FileKind,
  profile: string,
): ReadonlyMap<string, string> | undefined => {
  if (!/^[A-Za-z0-9_][\w.@+%:/-]*$/.test(profile) || profile === 'DEFAULT' || profile in Object.prototype)
    return undefined;
  // A lone CR, a byte order mark, keys that leak into every section, a name that JavaScript's parser trips over.
  if (['\r', '\u00EF\u00BB\u00BF', '[DEFAULT', '__proto__'].some((odd) => bytes.includes(odd, 0, 'latin1')))
    return undefined;
  const header = kind === 'config' && profile !== 'default' ? `[profile ${profile}]` : `[${profile}]`;
  const start = findHeader(bytes, profile, header);
  return start === undefined ? undefined : readKeys(bytes, start + header.length);
};

const newline = 0x0a;
const bracket = 0x5b;

/** Where the only header with this name stands; undefined when there is none, more than one, or one in another form. */
const findHeader = (bytes: Buffer, profile: string, header: string): number | undefined => {
  let found: number | undefined;
  for (let at = bytes.indexOf(profile); at !== -1; at = bytes.indexOf(profile, at + 1)) {
    const lineStart = at === 0 ? 0 : bytes.lastIndexOf(newline, at - 1) + 1;
    const lineEnd = lineEndAfter(bytes, at);
    const line = bytes.toString('latin1', lineStart, lineEnd);
    if (!/^\s*\[/.test(line)) continue;
    if (line === header && found === undefined) found = lineStart;
    else if (
      !/^\[[\w.@+%:/-]+(?: [\w.@+%:/-]+)?\]$/.test(line) ||
      line === header ||
      line === `[profile ${profile}]`
    ) {
      return undefined;
    }
    at = Math.max(at, lineEnd - 1);
  }
  return found;
};

const lineEndAfter = (bytes: Buffer, at: number): number => {
  const end = bytes.indexOf(newline, at);
  return end === -1 ? bytes.length : end;
};

const readKeys = (bytes: Buffer, from: number): ReadonlyMap<string, string> | undefined => {
  const keys = new Map<string, string>();
  for (let at = from + 1; at < bytes.length && bytes[at] !== bracket;) {
    const end = lineEndAfter(bytes, at);
    const line = bytes.toString('latin1', at, end);
    at = end + 1;
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const [, key, value] = /^([a-z][a-z0-9_]*) ?= ?([!-~]+(?: [!-~]+)*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined || keys.has(key)) return undefined;
    if (/^["']| [#;]/.test(value)) return undefined;
    keys.set(key, value);
  }
  return keys;
};
