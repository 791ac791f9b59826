// What a header names, by each parser: the header is the text between the brackets.

/** Which of AWS's two files: they name profiles in different ways. */
export type FileKind = 'credentials' | 'config';

/** The profile that botocore makes of a header, if any. */
export const botoName = (header: string, kind: FileKind): string | undefined => {
  if (kind === 'credentials' || header === 'default') return header;
  return header.startsWith('profile') ? shlexName(header) : undefined;
};

/** The second of exactly two words, split as Python's shlex.split does. */
export const shlexName = (header: string): string | undefined => {
  const words: string[] = [];
  const pattern = /[ \t\r\n]*((?:[^ \t\r\n'"\\]|'[^']*'|"(?:[^"\\]|\\[^])*"|\\[^])*)/y;
  while (pattern.lastIndex < header.length) {
    const word = pattern.exec(header)?.[1] ?? '';
    if (word !== '') words.push(unquoteWord(word));
    else if (pattern.lastIndex < header.length) return undefined;
  }
  return words.length === 2 ? words[1] : undefined;
};

const unquoteWord = (word: string): string =>
  word.replace(
    /'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])/g,
    (_, single?: string, double?: string, plain?: string) =>
      single !== undefined
        ? single
        : double !== undefined
          ? double.replace(/\\(["\\])/g, '$1')
          : (plain ?? ''),
  );

/** The section that the JavaScript SDK makes of a header (`profile.x`, `services.x`, or its text), if any. */
export const jsSection = (header: string): string | undefined => {
  const match = /^([\w-]+)\s(["'])?([\w\-@+.%:/]+)\2$/.exec(header);
  if (match?.[1] !== undefined && match[3] !== undefined)
    return ['profile', 'sso-session', 'services'].includes(match[1]) ? `${match[1]}.${match[3]}` : undefined;
  return header === '' || header in {} ? undefined : header;
};

const JS_PREFIX = /^(?:profile|sso-session|services)\./;

/** Whether the JavaScript SDK uses the section at all. */
export const isJsSection = (section: string, kind: FileKind): boolean =>
  kind === 'credentials' || section === 'default' || JS_PREFIX.test(section);

/** The profile that the JavaScript SDK makes of a section, if any. */
export const jsName = (section: string, kind: FileKind): string | undefined => {
  if (kind === 'credentials') return JS_PREFIX.test(section) ? undefined : section;
  if (section === 'default') return section;
  return section.startsWith('profile.') ? section.slice('profile.'.length) : undefined;
};
