import { marked } from 'marked';
import type { MarkedToken, Token, Tokens } from 'marked';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import type { Paint, Screen } from './screen.ts';
import { plainScreen } from './screen.ts';

/** A page of Markdown as text for a terminal, of 80 columns at most; only code is as wide as it is. */
export const renderMarkdown = (page: string, { columns = 80, paint }: Screen): string =>
  `${blocks(marked.lexer(page), { width: Math.min(columns, 80), paint }).join('\n')}\n`;

type Room = { readonly width: number; readonly paint: Paint };

/** The lines of some blocks, with a blank line between two. */
const blocks = (tokens: readonly Token[], room: Room): string[] =>
  tokens
    .map((token) => block(token, room))
    .filter((lines) => lines.length > 0)
    .flatMap((lines, place) => (place === 0 ? lines : ['', ...lines]));

const block = (token: Token, { width, paint }: Room): string[] => {
  if (isA(token, 'heading')) return wrap(paint('bold', inline(token.tokens, plainScreen.paint)), width);
  if (isA(token, 'code')) return setIn(token.text.split('\n'), '    ');
  if (isA(token, 'list')) return list(token, { width, paint });
  if (isA(token, 'table')) return table(token, { width, paint });
  if (isA(token, 'blockquote')) return setIn(blocks(token.tokens, { width: width - 2, paint }), '  ');
  if (isA(token, 'space') || isA(token, 'html') || isA(token, 'hr')) return [];
  return wrap(inline([token], paint), width);
};

const isA = <Type extends MarkedToken['type']>(
  token: Token,
  type: Type,
): token is Extract<MarkedToken, { readonly type: Type }> => token.type === type;

/** Text with its styles; code is marked by quotes where there are no styles, and a link to another page by its topic. */
const inline = (tokens: readonly Token[], paint: Paint): string =>
  tokens
    .map((token): string => {
      if (isA(token, 'codespan')) return token.text;
      if (isA(token, 'strong')) return paint('bold', inline(token.tokens, plainScreen.paint));
      if (isA(token, 'link')) return withTarget(inline(token.tokens, paint), token.href);
      if (isA(token, 'image') || isA(token, 'html')) return '';
      if (isA(token, 'br')) return '\n';
      if ('tokens' in token && token.tokens !== undefined) return inline(token.tokens, paint);
      return 'text' in token ? String(token.text).replaceAll(/\s+/g, ' ') : '';
    })
    .join('');

/** The text of a link with where it leads: to a topic of the help, or into the world. */
const withTarget = (text: string, href: string): string => {
  const [, topic] = /^(?:docs\/)?([\w-]+)\.md(?:#.*)?$/.exec(href) ?? [];
  if (topic !== undefined) return text === topic ? `help ${topic}` : `${text} (help ${topic})`;
  return /^https?:/.test(href) ? `${text} (${href})` : text;
};

const list = ({ items, ordered, start }: Tokens.List, { width, paint }: Room): string[] =>
  items.flatMap(({ tokens }, place) => {
    const mark = ordered ? `${(start || 1) + place}. ` : '- ';
    return setIn(blocks(tokens, { width: width - mark.length, paint }), ' '.repeat(mark.length), mark);
  });

/** A table in columns where it has the room, else each row as its first cell with the other ones below. */
const table = ({ header, rows }: Tokens.Table, { width, paint }: Room): string[] => {
  const textOf = ({ tokens }: Tokens.TableCell): string => inline(tokens, paint);
  const titles = header.map(textOf);
  const cells = rows.map((row) => row.map(textOf));
  const widths = titles.map((title, column) =>
    Math.max(stringWidth(title), ...cells.map((row) => stringWidth(row[column] ?? ''))),
  );
  const last = width - widths.slice(0, -1).reduce((sum, each) => sum + each + 2, 0);
  if (last >= Math.min(widths.at(-1) ?? 0, roomForText)) {
    const line = (row: readonly string[]): string[] => {
      const first = row
        .slice(0, -1)
        .map((text, column) => text + ' '.repeat((widths[column] ?? 0) - stringWidth(text) + 2));
      return setIn(wrap(row.at(-1) ?? '', last), ' '.repeat(width - last), first.join(''));
    };
    const title = titles.some((text) => text !== '') ? line(titles.map((text) => paint('dim', text))) : [];
    return [...title, ...cells.flatMap(line)];
  }
  return cells.flatMap(([first = '', ...others]) => [
    ...wrap(first, width),
    ...others.flatMap((text, column) => {
      const title = others.length > 1 ? `${titles[column + 1] ?? ''}: ` : '';
      return text === '' ? [] : setIn(wrap(title + text, width - 4), '    ');
    }),
  ]);
};

/** The columns that the last column of a table needs for text. */
const roomForText = 36;

const wrap = (text: string, width: number): string[] => wrapAnsi(text, width, { hard: false }).split('\n');

/** The lines behind `indent`, the first one behind `first`. */
const setIn = (lines: readonly string[], indent: string, first = indent): string[] =>
  lines.map((line, place) => `${place === 0 ? first : indent}${line}`.trimEnd());
