import { basename, dirname, relative } from 'node:path';
import { type BuildResult, type Metafile, type OutputFile, type Plugin, build } from 'esbuild';

import { later } from './later.ts';

// esbuild cuts the program into parts where something is loaded later: some sixty, most of them smaller than what it costs
// to find and read one more file. Here what is loaded together becomes one file, and all of it CommonJS: Node's loader of
// ES modules takes 6 ms, and esbuild cuts ES modules only.

/** The file that Node is started with. */
export const entry = 'dist/aws-iam-login.cjs';

/**
 * What lies in one file: all that its sources import and no earlier file holds. Whatever is in none of these has a file
 * of its own. A later file takes from an earlier one what it needs of it.
 */
const together: Readonly<Record<string, readonly string[]>> = {
  [entry]: ['src/main.ts', 'src/cli/check-options.ts', 'src/cli/run.ts'],
  ...later,
  'dist/cli/overview.cjs': ['src/commands/status.ts', 'src/commands/list.ts'],
  'dist/cli/login.cjs': ['src/commands/login.ts'],
};

/** Where the parts would lie, all in one folder. */
export const partsFolder = 'dist/cli';

/** What stands for `import.meta.url` in the parts. */
export const importMetaUrl = '__importMetaUrl';

type Parts = BuildResult<{ metafile: true; write: false }>;
type Outputs = Metafile['outputs'];
type Part = { readonly path: string; readonly text: string; readonly told: Outputs[string] };
type FileOf = (path: string) => string;

/** What a name of a part is called where another file takes it. */
type NameOutside = (path: string, name: string) => string;

/** The files that are delivered, and what esbuild says of them. Raises an error for what cannot be one file. */
export const joinParts = async ({
  outputFiles,
  metafile: { inputs, outputs: made },
}: Parts): Promise<Pick<Parts, 'outputFiles' | 'metafile'>> => {
  const outputs = usedOf(made);
  const isLeftOut = (path: string): boolean => isIn(made, path) && !isIn(outputs, path);
  const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
  const all = Object.entries(outputs).map(([path, told]): Part => ({
    path,
    told,
    text: texts.get(basename(path)) ?? '',
  }));
  const fileOf = placeParts(outputs);
  const nameOutside = nameParts(all);
  const files = [...new Set(all.map(({ path }) => fileOf(path)))];
  const joined = await Promise.all(
    files.map(async (file) => {
      const parts = all.filter(({ path }) => fileOf(path) === file);
      const others = all.filter((part) => !parts.includes(part));
      return { file, parts, output: await joinFile(file, { parts, others, fileOf, nameOutside }) };
    }),
  );
  return {
    outputFiles: joined.map(({ output }) => output),
    metafile: {
      inputs: Object.fromEntries(Object.entries(inputs).filter(([path]) => !isLeftOut(path))),
      outputs: Object.fromEntries(
        joined.map(({ file, parts, output }) => [file, toldOf(file, parts, output, fileOf)]),
      ),
    },
  };
};

const isIn = (parts: Outputs, path: string): boolean =>
  Object.values(parts).some((part) => path in part.inputs);

/** The parts that our own sources lead to: esbuild also makes parts of what a package no longer asks for. */
const usedOf = (outputs: Outputs): Outputs => {
  const used = new Set<string>();
  const use = (path: string): void => {
    if (used.has(path)) return;
    used.add(path);
    for (const { path: next, external } of outputs[path]?.imports ?? []) if (external !== true) use(next);
  };
  for (const [path, { entryPoint }] of Object.entries(outputs))
    if (entryPoint?.startsWith('src/') === true) use(path);
  return Object.fromEntries(Object.entries(outputs).filter(([path]) => used.has(path)));
};

/** Finds the file of each part, by their paths. */
const placeParts = (outputs: Outputs): FileOf => {
  const placed = new Map<string, string>();
  const place = (path: string, file: string): void => {
    if (placed.has(path)) return;
    placed.set(path, file);
    for (const { path: next, kind, external } of outputs[path]?.imports ?? [])
      if (kind === 'import-statement' && external !== true) place(next, file);
  };
  for (const [file, sources] of Object.entries(together))
    for (const [path, { inputs }] of Object.entries(outputs))
      if (sources.some((source) => source in inputs)) place(path, file);
  return (path) => placed.get(path) ?? path.replace(/\.js$/, '.cjs');
};

/**
 * Two parts of a file may have the same name, so each gets one of its own. What begins a part is asked for by its own
 * name, when it is loaded later.
 */
const nameParts = (parts: readonly Part[]): NameOutside => {
  const all = parts.flatMap(({ path, told }) => told.exports.map((name) => `${path} ${name}`));
  const short = new Map(all.map((each, place) => [each, `_${place.toString(36)}`]));
  const begun = new Set(parts.filter(({ told }) => told.entryPoint !== undefined).map(({ path }) => path));
  return (path, name) => (begun.has(path) ? name : (short.get(`${path} ${name}`) ?? name));
};

type Joining = {
  readonly parts: readonly Part[];
  readonly others: readonly Part[];
  readonly fileOf: FileOf;
  readonly nameOutside: NameOutside;
};

/**
 * Bundles parts once more, in CommonJS, with what lies in other files as external. Raises an error for a file that
 * cannot be.
 */
const joinFile = async (file: string, joining: Joining): Promise<OutputFile> => {
  const { parts, others, nameOutside } = joining;
  const isEntry = file === entry;
  const looksForItself = parts.some(({ text }) => text.includes(importMetaUrl));
  if (isEntry && looksForItself)
    throw new Error(`${file} lies in another folder than what looks for its own path`);
  const taken = parts.flatMap((part) =>
    takenOf(part, others).map((name) => ({ part, name, outside: nameOutside(part.path, name) })),
  );
  const imported = parts.map((part) => {
    const names = taken.flatMap((each, place) => (each.part === part ? `${each.name} as x${place}` : []));
    return `import {${names.join()}} from './${basename(part.path)}';\n`;
  });
  const exported = `module.exports = {${taken.map(({ outside }, place) => `${outside}: x${place}`).join()}};`;
  // another file may find this one under another path, and must not start the program again
  const start = "import {start} from './main.js'; if (require.main === module) start();";
  const ownUrl = `const ${importMetaUrl}=require('node:url').pathToFileURL(__filename).href;`;
  const { outputFiles } = await build({
    stdin: { contents: `${imported.join('')}${exported}${isEntry ? start : ''}` },
    plugins: [otherPartsExternal(file, joining)],
    banner: { js: `${isEntry ? '#!/usr/bin/env node\n' : ''}'use strict';${looksForItself ? ownUrl : ''}` },
    outfile: file,
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    // every Node since 12 reads the entry
    target: isEntry ? 'node12.22' : 'node20.19',
    supported: { 'dynamic-import': false },
    minify: true,
    logLevel: 'warning',
  });
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`esbuild made nothing of ${file}`);
  return output;
};

/** The names that others take from a part: all of one that is loaded later, but for what esbuild calls module.exports. */
const takenOf = ({ path, told }: Part, others: readonly Part[]): string[] => {
  const taken = new Set(others.flatMap(({ text }) => namesFrom(text, basename(path))));
  return told.exports.filter(
    (name) => /^\w+$/.test(name) && (told.entryPoint !== undefined || taken.has(name)),
  );
};

/** An import, as esbuild writes it. */
const statement = /import\{([^{}]*)\}from"\.\/([\w-]+\.js)"/g;

const namesFrom = (text: string, part: string): string[] =>
  [...text.matchAll(statement)].flatMap(([, names = '', from]) =>
    from === part ? names.split(',').map((each) => each.replace(/ as .*/, '')) : [],
  );

/** An import of a part of Node as a whole, as esbuild writes it; and what loads a part later, or when it is called. */
const wholeImport = /\bimport (\w+) ?from"(?!\.)([\w:/]+)"/g;
const calledImport = /\b__require\d*\(("\.\/[\w-]+\.js")\)/g;
const laterImport = /\bimport\("\.\/([\w-]+\.js)"\)/g;

/**
 * The text with `require` where esbuild would put a copy of what it loads between: a getter for each name of `fs`, in each
 * file, costs as much as to read the file. Single names stay with esbuild, which asks for each when it is used: to look at
 * `ReadStream` loads Node's streams.
 */
const requireDirectly = (text: string, isHere: (part: string) => boolean): string => {
  const here: string[] = [];
  const changed = text
    .replace(wholeImport, 'const $1=require("$2")')
    .replace(calledImport, 'require($1)')
    .replace(laterImport, (_, path: string) => {
      if (!isHere(path)) return `Promise.resolve().then(function(){return require("./${path}")})`;
      return `Promise.resolve(here${here.push(`import*as here${here.length} from"./${path}";`) - 1})`;
    });
  return here.join('') + changed;
};

/** The path by which a file asks for the one that a part is in. */
const pathTo = (part: string, from: string, fileOf: FileOf): string => {
  const path = relative(dirname(from), fileOf(`${partsFolder}/${part}`));
  return path.startsWith('.') ? path : `./${path}`;
};

/**
 * What parts import of other files comes by one `require` of each: a later file has dozens of parts that take from the
 * entry.
 */
const otherPartsExternal = (file: string, { parts, others, fileOf, nameOutside }: Joining): Plugin => ({
  name: 'other-parts-external',
  setup: (building) => {
    const here = new Set(parts.map(({ path }) => basename(path)));
    const texts = new Map(
      parts.map(({ path, text }) => [basename(path), requireDirectly(text, (part) => here.has(part))]),
    );
    const takenFrom = (other: string): string[] =>
      others
        .map(({ path }) => basename(path))
        .filter((part) => pathTo(part, file, fileOf) === other)
        .flatMap((part) =>
          [...texts.values()]
            .flatMap((text) => namesFrom(text, part))
            .map((name) => nameOutside(`${partsFolder}/${part}`, name)),
        );
    building.onResolve({ filter: /^\./ }, ({ path, kind, namespace }) => {
      const name = basename(path);
      if (texts.has(name)) return { path: name, namespace: 'part' };
      if (namespace === 'other') return { path, external: true };
      const other = name.endsWith('.js') ? pathTo(name, file, fileOf) : path;
      return kind === 'import-statement'
        ? { path: other, namespace: 'other' }
        : { path: other, external: true };
    });
    building.onLoad({ filter: /./, namespace: 'other' }, ({ path }) => {
      const names = [...new Set(takenFrom(path))];
      return { contents: names.length === 0 ? '' : `export const {${names.join()}}=require('${path}')` };
    });
    building.onLoad({ filter: /./, namespace: 'part' }, ({ path }) => ({
      contents: (texts.get(path) ?? '').replace(statement, (whole, names: string, from: string) => {
        if (texts.has(from)) return whole;
        const renamed = names.split(',').map((each) => {
          const [name = '', as = name] = each.split(' as ');
          return `${nameOutside(`${partsFolder}/${from}`, name)} as ${as}`;
        });
        return `import{${renamed.join()}}from"./${from}"`;
      }),
    }));
  },
});

const toldOf = (
  file: string,
  parts: readonly Part[],
  { contents }: OutputFile,
  fileOf: FileOf,
): Outputs[string] => ({
  bytes: contents.length,
  exports: parts.flatMap(({ told }) => told.exports),
  inputs: Object.assign({}, ...parts.map(({ told }) => told.inputs)),
  imports: parts
    .flatMap(({ told }) => told.imports)
    .map((each) => (each.external === true ? each : { ...each, path: fileOf(each.path) }))
    .filter(({ path }) => path !== file),
});
