import fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const source = fileURLToPath(new URL('../src', import.meta.url));

/** The rooms from the top of the house to its ground; each may import itself and those behind it. */
const rooms = [
  'cli',
  'commands',
  'doctor',
  'rotation',
  'shells',
  'sessions',
  'profiles',
  'stores',
  'terminal',
  'aws',
  'files',
  'ini',
] as const;

const main = 'main.ts';

type Import = { readonly from: string; readonly to: string };

const files = fs
  .readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'));

/** What a module imports by `import … from`, `export … from` and `import()`, types too; packages as they are named. */
const importsIn = (text: string): string[] =>
  [...text.matchAll(/(?:^|\s)(?:from\s+|import\s+|import\()'([^']+)'/g)].map(([, to = '']) => to);

const imports: Import[] = files.flatMap((from) =>
  importsIn(fs.readFileSync(join(source, from), 'utf8')).map((to) => ({
    from,
    to: to.startsWith('.') ? relative(source, join(source, dirname(from), to)) : to,
  })),
);

const inside = imports.filter(({ to }) => files.includes(to));

/** How far down a file lies: main.ts above all rooms, the files beside it below them. */
const levelOf = (file: string): number => {
  const [room = '', name] = file.split('/');
  if (name === undefined) return room === main ? -1 : rooms.length;
  return rooms.findIndex((known) => known === room);
};

const lines = (wrong: readonly Import[]): string[] => wrong.map(({ from, to }) => `${from} imports ${to}`);

test('every folder of src is a room, and every import is understood', () => {
  expect(files.filter((file) => file !== main && levelOf(file) < 0)).toEqual([]);
  const odd = imports.filter(({ to }) => !files.includes(to) && /^\.|\.ts$/.test(to));
  expect(lines(odd)).toEqual(['version.ts imports ../package.json']);
  expect(inside.length).toBeGreaterThan(files.length);
});

test('imports run downwards only', () => {
  expect(lines(inside.filter(({ from, to }) => levelOf(to) < levelOf(from)))).toEqual([]);
});

test('nobody imports main.ts, and main.ts imports no room but cli and terminal', () => {
  expect(lines(inside.filter(({ to }) => to === main))).toEqual([]);
  const entered = inside.filter(({ from, to }) => from === main && to.includes('/'));
  expect([...new Set(entered.map(({ to }) => dirname(to)))].sort()).toEqual(['cli', 'terminal']);
});

test('the SDK is imported in the room aws only', () => {
  const sdk = imports.filter(({ to }) => /^@(?:aws-sdk|aws-crypto|smithy)\//.test(to));
  expect(sdk.length).toBeGreaterThan(0);
  expect(lines(sdk.filter(({ from }) => !from.startsWith('aws/')))).toEqual([]);
});

test('no import leads in a circle', () => {
  const done = new Set<string>();
  const circleFrom = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const { to } of inside.filter(({ from }) => from === file)) {
      const circle = circleFrom(to, [...path, file]);
      if (circle !== undefined) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of files) expect(circleFrom(file, [])).toBeUndefined();
});

test('a way to import that is not seen would be a hole in these tests', () => {
  const text = `import a from 'a';\nimport type { B } from '../b.ts';\nimport {\n  c,\n} from 'c';\nimport 'd';\nexport { e } from 'e';\nexport * from 'f';\nconst g = await import('g');`;
  expect(importsIn(text)).toEqual(['a', '../b.ts', 'c', 'd', 'e', 'f', 'g']);
});
