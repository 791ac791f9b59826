import fs from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import type { Plugin } from 'esbuild';

// What most starts never need lies in files of its own that are loaded when one of its functions is called: V8 takes some
// 40 ns for each byte that it loads, whether it is called or not. The sources import each other as they always do.

/**
 * The files that are loaded at the first call, and the sources in each. Only functions may be taken from these. Nothing
 * that a failing file system needs: it may be the one that these are in.
 */
export const later: Readonly<Record<string, readonly string[]>> = {
  'dist/cli/parsers.cjs': ['src/ini/read.ts', 'src/ini/read-odd.ts'],
  'dist/cli/seldom.cjs': [
    'src/nearest.ts',
    'src/profiles/foreign.ts',
    'src/profiles/own-process.ts',
    'src/profiles/role-chain.ts',
  ],
};

/** The entry points of esbuild that these sources are: what they are called in its output, and where they are. */
export const laterEntryPoints = (): Record<string, string> =>
  Object.fromEntries(
    Object.values(later)
      .flat()
      .map((source) => [partOf(source), source]),
  );

const partOf = (source: string): string => source.replace(/^src\/|\.ts$/g, '').replaceAll('/', '-');

const fileOf = (source: string): string | undefined =>
  Object.entries(later).find(([, sources]) => sources.includes(source))?.[0];

/** Puts functions that load the source and call it in its place, for all that import it from another file. */
export const loadedWhenCalled = (root: string): Plugin => ({
  name: 'loaded-when-called',
  setup: (building) => {
    building.onResolve({ filter: /^\.\.?\// }, ({ path, importer, kind, namespace }) => {
      if (namespace === 'later') return { path, external: true };
      const source = relative(root, resolve(dirname(importer), path));
      const file = fileOf(source);
      return file === undefined || kind === 'entry-point' || fileOf(relative(root, importer)) === file
        ? undefined
        : { path: source, namespace: 'later', sideEffects: false };
    });
    building.onLoad({ filter: /./, namespace: 'later' }, ({ path }) => {
      const text = fs.readFileSync(resolve(root, path), 'utf8');
      const names = [...text.matchAll(/^export (?:async )?(\w+) (\w+)(.*)$/gm)].flatMap(
        ([, kind, name = '', rest = '']) => {
          if (kind === 'type') return [];
          if (kind === 'const' && /^ = (?:async )?(?:\(|<)/.test(rest)) return [name];
          throw new Error(`${path} is loaded when it is called, and ${name} is no function`);
        },
      );
      const calls = names.map(
        (name) =>
          `export function ${name}(...given) { return require('./${partOf(path)}.js').${name}(...given); }`,
      );
      return { contents: calls.join('\n'), loader: 'js' };
    });
  },
});
