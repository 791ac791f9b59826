import fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './support/package.ts';
import { columns, record } from './support/recording.ts';
import { svgOf, textOfSvg } from './support/svg.ts';

// `npm run picture` makes the picture of README.md anew, by this very recording.

const picture = join(root, 'docs', 'terminal.svg');
const title =
  'A terminal: a first login, the use of a role, a renewal at the prompt, and the list of profiles';

/** Times, codes and whatever else differs from day to day, as signs of the same number. */
const timeless = (lines: readonly string[]): string[] =>
  lines.map((line) =>
    line
      .replaceAll(/\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z][a-z] \d+ /g, '')
      .replaceAll(/\d/g, '0')
      .replaceAll(/ {2,}/g, '  ')
      .trimEnd(),
  );

test('the picture of README.md is what a terminal shows', async () => {
  const svg = svgOf(await record(), columns, title);
  if (process.env['AWS_IAM_LOGIN_PICTURE'] === 'new') fs.writeFileSync(picture, svg);
  const [shown, stored] = [textOfSvg(svg), textOfSvg(fs.readFileSync(picture, 'utf8'))].map(timeless);
  expect(shown?.length).toBeGreaterThan(10);
  expect(stored, 'npm run picture makes it anew').toEqual(shown);
});
