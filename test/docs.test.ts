import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type CommandName,
  type OptionName,
  commandNames,
  commandOf,
  optionNames,
  optionOf,
} from '../src/cli/commands.ts';
import { root } from './support/package.ts';

const read = (name: string): string => fs.readFileSync(join(root, name), 'utf8');

const pages = ['README', 'CONTRIBUTING', 'SECURITY', 'CHANGELOG']
  .map((name) => `${name}.md`)
  .concat(fs.readdirSync(join(root, 'docs')).flatMap((name) => (name.endsWith('.md') ? `docs/${name}` : [])));

/** Without fenced code, where a bracket is no link and a # no heading. */
const prose = (name: string): string => read(name).replace(/^( *)```.*\n[^]*?^\1```$/gm, '');

test('README.md has 180 lines at most', () => {
  expect(read('README.md').split('\n').length).toBeLessThanOrEqual(180);
});

const anchorsOf = (name: string): string[] =>
  [...prose(name).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  );

test.each(pages)('every link and picture of %s is there', (page) => {
  const links = [...prose(page).matchAll(/\]\((?!https:)([^)#]*)(?:#([^)]*))?\)/g)];
  const broken = links.flatMap(([text, file = '', anchor]) => {
    const target = file === '' ? page : join(dirname(page), file);
    if (!fs.existsSync(join(root, target))) return [text];
    return anchor === undefined || anchorsOf(target).includes(anchor) ? [] : [text];
  });
  expect(broken).toEqual([]);
});

test('every page of docs is linked in README.md or CONTRIBUTING.md', () => {
  const linked = `${read('README.md')}${read('CONTRIBUTING.md')}`;
  expect(pages.filter((page) => page.startsWith('docs/') && !linked.includes(`](${page})`))).toEqual([]);
});

const rowsBelow = (page: string, header: string): string[][] =>
  (read(page).split(`${header}\n`)[1] ?? '')
    .replace(/\n\n[^]*/, '')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) =>
      line
        .slice(2, -2)
        .split(/(?<!\\) \| /)
        .map((cell) => cell.trim()),
    );

test('docs/options.md and the program have the same commands', () => {
  const documented = rowsBelow('docs/options.md', '| command | does |').map(
    ([cell = '']) => /`([a-z-]+)/.exec(cell)?.[1] ?? cell,
  );
  expect(documented.toSorted()).toEqual(commandNames.toSorted());
});

const isShown = (name: OptionName): boolean => optionOf(name).hidden !== true;

const takes = (command: CommandName, option: OptionName): boolean =>
  commandOf(command).options.includes(option);

test('docs/options.md and the program have the same options of each command', () => {
  const documented = rowsBelow('docs/options.md', '| option | of | means |').flatMap(
    ([names = '', of = '']) =>
      [...names.matchAll(/--([a-z-]+)/g)].flatMap(([, option = '']) =>
        commandNames
          .filter((command) => of === 'all' || commandsIn(of).includes(command))
          .map((command) => `${command} --${option}`),
      ),
  );
  const real = commandNames.flatMap((command) =>
    optionNames
      .filter((option) => isShown(option) && takes(command, option))
      .map((option) => `${command} --${option}`),
  );
  expect(documented.toSorted()).toEqual(real.toSorted());
});

const commandsIn = (cell: string): string[] =>
  cell === 'all that have a profile'
    ? commandNames.filter((command) => commandOf(command).operand === 'profile')
    : cell.split(', ');
