import fs from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { manualPages } from '../.ci/release/man.ts';
import { commandNames, commandOf, optionNames, optionOf } from '../src/cli/commands.ts';
import { version } from '../src/version.ts';
import { root } from './support/package.ts';

const file = join(root, 'dist', 'aws-iam-login.1');

/** What a reader sees, without the letters that are bold by being written twice. */
let shown: string;

beforeAll(async () => {
  const { stdout } = await execa('mandoc', ['-T', 'utf8', '-O', 'width=300', file]);
  shown = stdout.replaceAll(/.[\b]/g, '');
});

test('the manual is roff without a fault', async () => {
  const { stdout } = await execa('mandoc', ['-T', 'lint', '-W', 'warning', file], { reject: false });
  expect(stdout).toBe('');
});

test('the manual is that of this version, and the package names it', () => {
  const manifest: { readonly man?: unknown } = JSON.parse(
    fs.readFileSync(join(root, 'package.json'), 'utf8'),
  );
  expect(join(root, String(manifest.man))).toBe(file);
  expect(shown.split('\n').at(-1)).toContain(`aws-iam-login ${version}`);
});

test('every page of docs for users is in the manual', () => {
  const pages = fs.readdirSync(join(root, 'docs')).flatMap((name) => /^(.*)\.md$/.exec(name)?.[1] ?? []);
  expect(manualPages.toSorted()).toEqual(pages.filter((name) => name !== 'architecture').toSorted());
});

test.each(commandNames)('the manual has %s and its options', (command) => {
  expect(shown).toMatch(new RegExp(`^ {4,}${command}( |$)`, 'm'));
  const options = optionNames.filter(
    (name) => commandOf(command).options.some((one) => one === name) && optionOf(name).hidden !== true,
  );
  const [, list = ''] = shown.split(/^ +Options$/m);
  for (const option of options) expect(list).toMatch(new RegExp(`^ {4,}(\\S.* )?--${option}\\b`, 'm'));
});

test.each(manualPages)('the code on the page %s can be copied from the manual', (page) => {
  const text = fs.readFileSync(join(root, 'docs', `${page}.md`), 'utf8');
  const code = [...text.matchAll(/^```.*\n([^]*?)^```$/gm)].flatMap(([, block = '']) => block.split('\n'));
  const seen = new Set(shown.split('\n').map((line) => line.trim()));
  expect(code.map((line) => line.trim()).filter((line) => !seen.has(line))).toEqual([]);
});
