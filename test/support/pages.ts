import fs from 'node:fs';
import { join } from 'node:path';
import { type Token, type Tokens, marked } from 'marked';
import { root } from './package.ts';

/** What newcomers and users read: README.md and the topics of docs, by their paths in the project. */
export const userPages: readonly string[] = [
  'README.md',
  ...fs
    .readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md') && name !== 'architecture.md')
    .map((name) => `docs/${name}`),
];

export const readPage = (page: string): string => fs.readFileSync(join(root, page), 'utf8');

/** A block of code on a page, by the language that it names. */
export type Block = { readonly page: string; readonly language: string; readonly text: string };

/** Every block of code on the pages. */
export const codeBlocks = (): Block[] =>
  userPages.flatMap((page) =>
    tokensOf(page)
      .filter(isBlock)
      .map(({ lang = '', text }) => ({ page, language: lang, text })),
  );

/** Every piece of code in the text of the pages, once. */
export const codeSpans = (): string[] => [
  ...new Set(
    userPages
      .flatMap(tokensOf)
      .filter(isSpan)
      .map(({ text }) => text),
  ),
];

const isBlock = (token: Token): token is Tokens.Code => token.type === 'code';

const isSpan = (token: Token): token is Tokens.Codespan => token.type === 'codespan';

const tokensOf = (page: string): Token[] => {
  const tokens: Token[] = [];
  void marked.walkTokens(marked.lexer(readPage(page)), (token) => void tokens.push(token));
  return tokens;
};
