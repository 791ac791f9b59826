/** What an answer holds: elements in the order of the keys; a list becomes `member` elements. */
export type Xml = string | number | boolean | undefined | readonly Xml[] | { readonly [name: string]: Xml };

/** An element in AWS's layout: two blanks of indent, a newline at the end, empty ones closed at once. */
export const element = (name: string, content: Xml, attributes = '', indent = ''): string => {
  if (content === undefined) return '';
  if (typeof content !== 'object')
    return `${indent}<${name}${attributes}>${escape(String(content))}</${name}>\n`;
  const inner = children(content)
    .map(([child, value]) => element(child, value, '', `${indent}  `))
    .join('');
  if (inner === '') return `${indent}<${name}${attributes}/>\n`;
  return `${indent}<${name}${attributes}>\n${inner}${indent}</${name}>\n`;
};

/** The time in AWS's form, `2026-07-13T12:00:00Z`, from milliseconds since the epoch. */
export const timestamp = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;

const children = (content: readonly Xml[] | { readonly [name: string]: Xml }): [string, Xml][] =>
  isList(content) ? content.map((value) => ['member', value]) : Object.entries(content);

const isList = (content: object): content is readonly Xml[] => Array.isArray(content);

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escape = (text: string): string => text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? '');
