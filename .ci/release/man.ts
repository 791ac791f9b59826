import fs from 'node:fs';
import { join } from 'node:path';
import { type MarkedToken, type Token, type Tokens, marked } from 'marked';

/** The pages of docs in the manual, each with the heading that manuals have for it. */
const sections = [
  ['options', 'COMMANDS'],
  ['exit-codes', 'EXIT STATUS'],
  ['token-codes', 'TOKEN CODES'],
  ['roles', 'ROLES'],
  ['shell', 'SHELLS'],
  ['prompt', 'PROMPT THEMES'],
  ['rotation', 'ROTATION'],
  ['permissions', 'PERMISSIONS'],
  ['key-store', 'KEY STORES'],
  ['files', 'FILES'],
  ['variables', 'ENVIRONMENT'],
  ['cookbook', 'EXAMPLES'],
  ['troubleshooting', 'DIAGNOSTICS'],
  ['json', 'JSON'],
] as const;

/** The topics that the manual has, by the names of their pages. */
export const manualPages: readonly string[] = sections.map(([page]) => page);

type Release = { readonly version: string; readonly day: string };

/** The manual `aws-iam-login(1)` in roff, made from README.md and docs in this folder, for the version of this day. */
export const manualOf = (folder: string, { version, day }: Release): string => {
  const read = (name: string): string => fs.readFileSync(join(folder, name), 'utf8');
  const [purpose] = marked.lexer(read('README.md')).filter((token) => token.type === 'paragraph');
  if (purpose === undefined) throw new Error('README.md does not say what the program is');
  const text = [
    '.\\" made from README.md and docs by .ci/release/man.ts',
    `.TH AWS\\-IAM\\-LOGIN 1 ${day} "aws\\-iam\\-login ${version}" "User Commands"`,
    '.nh',
    '.ad l',
    '.SH NAME',
    'aws\\-iam\\-login \\- one MFA code a day: AWS sessions for IAM users, in the files and in the shell',
    '.SH SYNOPSIS',
    `${strong('aws-iam-login')} [${emphasis('command')}] [${emphasis('profile')}] [${emphasis('options')}]`,
    '.br',
    `${strong('aws-iam-login')} ${emphasis('profile')} [${emphasis('command')}] [${emphasis('options')}]`,
    '.SH DESCRIPTION',
    ...block(purpose),
    ...sections.flatMap(([page, heading]) => [`.SH ${heading}`, ...pageOf(read(`docs/${page}.md`))]),
    '',
  ].join('\n');
  // a heading begins a paragraph by itself
  return text.replaceAll(/^(\.S[HS] .*)\n\.PP$/gm, '$1');
};

/** A page without its title, which is the section's. */
const pageOf = (text: string): string[] =>
  marked.lexer(text).flatMap((token) => (isA(token, 'heading') && token.depth === 1 ? [] : block(token)));

const block = (token: Token): string[] => {
  if (isA(token, 'heading')) return [`.SS ${inline(token.tokens).replaceAll('"', '\\(dq')}`];
  if (isA(token, 'code'))
    return ['.PP', '.RS 4', '.EX', ...token.text.split('\n').map(codeLine), '.EE', '.RE'];
  if (isA(token, 'list')) return list(token);
  if (isA(token, 'table')) return table(token);
  if (isA(token, 'paragraph')) return ['.PP', ...lines(inline(token.tokens))];
  if (isA(token, 'space')) return [];
  throw new Error(`the manual has no form for ${token.type}: ${token.raw}`);
};

const isA = <Type extends MarkedToken['type']>(
  token: Token,
  type: Type,
): token is Extract<MarkedToken, { readonly type: Type }> => token.type === type;

const list = ({ items, ordered }: Tokens.List): string[] =>
  items.flatMap(({ tokens }, place) => {
    const [first, ...others] = tokens;
    const text = first !== undefined && 'tokens' in first ? inline(first.tokens ?? []) : '';
    const mark = ordered ? `.IP ${place + 1}. 4` : '.IP \\(bu 2';
    return [mark, ...lines(text), ...(others.length === 0 ? [] : ['.RS 4', ...others.flatMap(block), '.RE'])];
  });

/** A table as a list: the first cell of each row, and below it the others, by the names of their columns. */
const table = ({ header, rows }: Tokens.Table): string[] =>
  rows.flatMap(([name, ...cells]) => [
    '.TP',
    ...lines(strong(plain(name))),
    ...cells.flatMap((cell, column) => {
      const title = cells.length > 1 ? `${emphasis(plain(header[column + 1]))}: ` : '';
      return [...(column === 0 ? [] : ['.br']), ...lines(title + inline(cell.tokens))];
    }),
  ]);

/** Text without its styles. */
const plain = (cell: Tokens.TableCell | undefined): string =>
  (cell?.tokens ?? []).map((token) => ('text' in token ? String(token.text) : '')).join('');

const inline = (tokens: readonly Token[]): string =>
  tokens
    .map((token) => {
      if (isA(token, 'codespan') || isA(token, 'strong')) return strong(token.text);
      if (isA(token, 'em')) return emphasis(token.text);
      if (isA(token, 'link')) {
        return /^https?:/.test(token.href) ? `${inline(token.tokens)} <${token.href}>` : inline(token.tokens);
      }
      if (isA(token, 'text')) return escaped(token.text.replaceAll(/\s+/g, ' '));
      if (isA(token, 'escape')) return escaped(token.text);
      throw new Error(`the manual has no form for ${token.type}: ${token.raw}`);
    })
    .join('');

const strong = (text: string): string => `\\fB${escaped(text)}\\fR`;

const emphasis = (text: string): string => `\\fI${escaped(text)}\\fR`;

/** Text that roff takes for nothing but text, and that is copied from a manual as it was written. */
const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replaceAll(/[^\n\t -~]/gu, (character) => {
      const code = character.codePointAt(0) ?? 0;
      return `\\[u${code.toString(16).toUpperCase().padStart(4, '0')}]`;
    });

const codeLine = (line: string): string => masked(escaped(line));

/** Lines of roff that are not too long for its readers; roff fills the paragraph from them. */
const lines = (text: string): string[] => {
  const filled: string[] = [];
  for (const word of text.trim().split(' ')) {
    const last = filled.at(-1);
    if (last === undefined || last.length + word.length >= 78) filled.push(word);
    else filled[filled.length - 1] = `${last} ${word}`;
  }
  return filled.map(masked);
};

/** A line that begins like a request of roff is text all the same. */
const masked = (line: string): string => (/^[.']/.test(line) ? `\\&${line}` : line);
