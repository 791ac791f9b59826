/**
 * The text as one word that POSIX shells and fish read alike, for messages and for hints that people paste: as it is
 * when it is plain, else in single quotes. What a terminal would obey or hide (control and format characters) is
 * written in octal inside `$'…'`, which bash and zsh read back and which runs nothing in any other shell.
 */
export const shellWord = (text: string): string => {
  if (/^[\w.@+%:/,-][\w.@+%:/=,-]*$/.test(text)) return text;
  const hasUnseen = new RegExp(unseen, 'u').test(text);
  return hasUnseen
    ? `$'${text.replaceAll(new RegExp(String.raw`${unseen}|['\\]`, 'gu'), octal)}'`
    : `'${text.replaceAll(/['\\]/g, String.raw`'\$&'`)}'`;
};

/**
 * The text with `?` for each character that a terminal would obey or hide, apart from tabs and newlines. Without
 * replaceAll, which Node 12 has not: it also shows the sentence that an old Node gets.
 */
export const shown = (text: string): string =>
  // the classes of characters cost a cold process a millisecond
  /^[\t\n -~]*$/.test(text)
    ? text
    : text.replace(new RegExp(unseen, 'gu'), (character) => (/[\t\n]/.test(character) ? character : '?'));

const unseen = String.raw`[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]`;

const octal = (character: string): string =>
  [...Buffer.from(character)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');

/** The path with `~` for the home folder. */
export const shownPath = (path: string, home: string | undefined): string =>
  home !== undefined && home !== '' && path.startsWith(`${home.replace(/\/$/, '')}/`)
    ? `~${path.slice(home.replace(/\/$/, '').length)}`
    : path;

/** The text with `~` for the home folder in every path, save in quotes, where no shell would read it. */
export const withShownPaths = (text: string, home: string | undefined): string => {
  const folder = home?.replace(/\/$/, '') ?? '';
  if (folder === '') return text;
  const [first = '', ...others] = text.split(`${folder}/`);
  return others.reduce((said, part) => `${said}${/(?:^|[\s(])$/.test(said) ? '~' : folder}/${part}`, first);
};

/** Names for a sentence, those behind the first eight only counted: `a, b and 3 more`. */
export const listed = (names: readonly string[], most = 8): string => {
  const first = names.slice(0, most).map(shellWord).join(', ');
  return names.length > most ? `${first} and ${names.length - most} more` : first;
};

/** The object that a text is as JSON, undefined for anything else. */
export const parseJsonObject = (text: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value))
      : undefined;
  } catch {
    return undefined;
  }
};
