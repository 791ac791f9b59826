import fs from 'node:fs';
import { expect, test } from 'vitest';
import { generatedParts, withPart } from '../src/cli/generated-parts.ts';
import { topicNames } from '../src/cli/topics.ts';

test.each(generatedParts(topicNames()))('$file is fresh: $begin', (part) => {
  const text = fs.readFileSync(new URL(`../${part.file}`, import.meta.url), 'utf8');
  expect(text, 'npm run generate writes it').toBe(withPart(text, part));
});

const part = { file: 'a file', begin: '# >>> it', end: '# <<< it', text: '  new\n' };

test('a part is made anew between its marks, and nothing else changes', () => {
  const before = 'one\n  # >>> it\nold\nolder\n  # <<< it\nlast, without a newline';
  const after = 'one\n  # >>> it\n  new\n  # <<< it\nlast, without a newline';
  expect(withPart(before, part)).toBe(after);
  expect(withPart(after, part)).toBe(after);
});

test.each(['', '# >>> it\n', '# <<< it\n# >>> it\n', '# >>> it\n# <<< it\n# >>> it\n# <<< it\n'])(
  'a file without the two marks is an error: %j',
  (text) => {
    expect(() => withPart(text, part)).toThrow(
      "a file must hold '# >>> it' and below it '# <<< it', each once",
    );
  },
);
