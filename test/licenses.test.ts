import fs from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Metafile } from 'esbuild';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Component, findComponents, thirdPartyLicenses } from '../.ci/release/licenses.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const delivered = fs.readFileSync(join(root, 'THIRD-PARTY-LICENSES'), 'utf8');
const metafile: Metafile = JSON.parse(fs.readFileSync(join(root, 'build', 'metafile.json'), 'utf8'));

type Package = { readonly folder: string; readonly name: string; readonly license: string };

const packageOf = (input: string): string | undefined =>
  /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];

/** Every package copy that a file of the bundle comes from, by esbuild's own account and the package's own words. */
const bundled: Package[] = [...new Set(Object.keys(metafile.inputs).map(packageOf))].flatMap((folder) => {
  if (folder === undefined) return [];
  const words: { name: string; version: string; license: string } = JSON.parse(
    fs.readFileSync(join(root, folder, 'package.json'), 'utf8'),
  );
  return [{ folder: join(root, folder), name: `${words.name} ${words.version}`, license: words.license }];
});

// Wider than what the build's tool looks for: what it overlooks is to be seen here.
const isLegal = (file: string): boolean => /licen[cs]e|notice|copying|copyright|third.?party/i.test(file);

const comparable = (text: string): string => text.replaceAll('\r\n', '\n').trim();

test('THIRD-PARTY-LICENSES names every bundled package with its version and licence', () => {
  expect(bundled.length).toBeGreaterThan(20);
  const lines = delivered.split('\n');
  const unnamed = bundled.filter(
    ({ name, license }) => !lines.some((line) => line.startsWith(`${name} (${license}), `)),
  );
  expect(unnamed).toEqual([]);
});

test('THIRD-PARTY-LICENSES holds each licence and notice of the bundled packages, whole and once', () => {
  const texts = new Set<string>();
  for (const { folder, name } of bundled) {
    const files = fs.readdirSync(folder).filter(isLegal);
    expect({ name, has: files.length > 0 }).toEqual({ name, has: true });
    for (const file of files) texts.add(comparable(fs.readFileSync(join(folder, file), 'utf8')));
  }
  const parts = delivered
    .split(/^={80}\n[^]*?^-{80}\n/m)
    .slice(1)
    .map(comparable);
  expect(parts.sort()).toEqual([...texts].sort());
});

test('dist holds what esbuild speaks of and the manual, and nothing else', () => {
  const files = fs
    .readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })
    .filter((name) => fs.statSync(join(root, 'dist', name)).isFile())
    .map((name) => `dist/${name}`);
  expect(files.sort()).toEqual(['dist/aws-iam-login.1', ...Object.keys(metafile.outputs)].sort());
});

let folder: string;

beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'aws-iam-login-licenses-')));
});

afterEach(() => fs.rmSync(folder, { recursive: true }));

/** What the build would find when the bundle held these packages, each with these files. */
const componentsOf = async (
  packages: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<readonly Component[]> => {
  const inputs = Object.entries(packages).map(([name, files]) => {
    const home = join('node_modules', name);
    fs.mkdirSync(join(folder, home), { recursive: true });
    for (const [file, text] of Object.entries({ 'index.js': '', ...files }))
      fs.writeFileSync(join(folder, home, file), text);
    return join(home, 'index.js');
  });
  const path = join(folder, 'metafile.json');
  const output = {
    bytes: 1,
    imports: [],
    exports: [],
    inputs: Object.fromEntries(inputs.map((input) => [input, { bytesInOutput: 1 }])),
  };
  const made: Metafile = {
    inputs: Object.fromEntries(inputs.map((input) => [input, { bytes: 1, imports: [] }])),
    outputs: { 'dist/out.js': output },
  };
  fs.writeFileSync(path, JSON.stringify(made));
  fs.writeFileSync(join(folder, 'package.json'), '{"name":"us","version":"1.0.0"}');
  return findComponents(path, folder);
};

const words = (name: string, license?: string): string =>
  JSON.stringify({ name, version: '1.2.3', main: 'index.js', license });

test('a text that two packages share stands once, below both, and a notice stands beside its licence', async () => {
  const components = await componentsOf({
    one: { 'package.json': words('one', 'MIT'), LICENSE: 'Be kind.\n' },
    '@a/two': {
      'package.json': words('@a/two', 'Apache-2.0'),
      LICENSE: 'Be kind.\r\n',
      NOTICE: 'Made by two.',
    },
  });
  const text = thirdPartyLicenses(components);
  expect(text.split('Be kind.')).toHaveLength(2);
  expect(text).toContain('@a/two 1.2.3 (Apache-2.0), LICENSE\none 1.2.3 (MIT), LICENSE\n');
  expect(text).toContain('@a/two 1.2.3 (Apache-2.0), NOTICE\n');
  expect(text).toContain('\n\nMade by two.\n');
});

test.each([
  { license: 'GPL-3.0-only', says: 'odd 1.2.3 has the licence GPL-3.0-only; accepted are' },
  { license: '(MIT OR GPL-3.0-only)', says: 'odd 1.2.3 has the licence (MIT OR GPL-3.0-only); accepted are' },
  { license: 'as you like', says: 'odd 1.2.3 has the licence as you like; accepted are' },
  { license: undefined, says: 'odd 1.2.3 has no licence; accepted are' },
])('a bundled package under the licence $license ends the build', async ({ license, says }) => {
  const components = await componentsOf({
    fine: { 'package.json': words('fine', 'MIT'), LICENSE: 'Be kind.' },
    odd: { 'package.json': words('odd', license), LICENSE: 'Whatever.' },
  });
  expect(() => thirdPartyLicenses(components)).toThrow(says);
});

test('a bundled package without the text of its licence ends the build', async () => {
  const components = await componentsOf({ bare: { 'package.json': words('bare', 'MIT') } });
  expect(() => thirdPartyLicenses(components)).toThrow('bare 1.2.3 brings no text of its licence');
});
