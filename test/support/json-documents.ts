import fs from 'node:fs';
import { Ajv } from 'ajv';
import { expect } from 'vitest';

const page = fs.readFileSync(new URL('../../docs/json.md', import.meta.url), 'utf8');

/** The document that a command printed, after a look whether it is as docs/json.md says. */
export const checkedDocument = (name: string, text: string): Record<string, unknown> => {
  const [, schema] = new RegExp(`^\`\`\`json schema=${name}\\n([^]*?)^\`\`\`$`, 'm').exec(page) ?? [];
  if (schema === undefined) throw new Error(`docs/json.md has no schema ${name}`);
  const isValid = new Ajv({ allErrors: true }).compile<Record<string, unknown>>(JSON.parse(schema));
  const document: unknown = JSON.parse(text);
  if (isValid(document)) return document;
  expect(isValid.errors).toEqual([]);
  throw new Error('this is never reached');
};
