import fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type BuildOptions, type Metafile, type OutputFile, type Plugin, build, transform } from 'esbuild';
import { releasesIn } from './changelog.ts';
import { entry, importMetaUrl, joinParts, partsFolder } from './join-parts.ts';
import { laterEntryPoints, loadedWhenCalled } from './later.ts';
import { findComponents, thirdPartyLicenses } from './licenses.ts';
import { manualOf } from './man.ts';

// Makes what the package delivers: dist with the manual, and the licences of what is bundled in it. The same source gives the same
// bytes. Runs in the folder of package.json.

const root = process.cwd();
const dist = join(root, 'dist');

/** What esbuild says of the build, for the licences and for tests. */
const metafilePath = join(root, 'build', 'metafile.json');

/** Of a package.json, ours or one of the SDK, the program needs the version, and nobody the rest. */
const versionOnly: Plugin = {
  name: 'version-only',
  setup: (building) => {
    building.onLoad({ filter: /[\\/]package\.json$/ }, ({ path }) => {
      const { version }: { readonly version: string } = JSON.parse(fs.readFileSync(path, 'utf8'));
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

/** Parts of Node that cost milliseconds, and that most commands import for what they seldom do. */
const costly = [
  'crypto',
  'child_process',
  'fs/promises',
  'http',
  'https',
  'net',
  'tls',
  'tty',
  'os',
  'util',
  'zlib',
  'timers/promises',
];

/** What stands in the place of a part of Node, or of a source that is loaded when it is called. */
const isMade = (path: string): boolean => /^(?:node|later):/.test(path);

/** What was bundled of other files, without those that stand for others: nobody's licence is on them. */
const withoutNode = <Value>(inputs: Readonly<Record<string, Value>>): Record<string, Value> =>
  Object.fromEntries(Object.entries(inputs).filter(([path]) => !isMade(path)));

/** Lets the costly parts of Node be loaded at their first use instead of with the chunk that imports them. */
const loadedWhenUsed: Plugin = {
  name: 'loaded-when-used',
  setup: (building) => {
    const filter = new RegExp(`^(node:)?(${costly.join('|')})$`);
    building.onResolve({ filter }, ({ path, kind, namespace }) => {
      const name = path.replace(/^node:/, '');
      // what calls require looks at names itself
      return namespace === 'node' || kind === 'require-call'
        ? { path: `node:${name}`, external: true }
        : { path: name, namespace: 'node', sideEffects: false };
    });
    // esbuild copies every name that the module has itself, and keeps what is behind it
    building.onLoad({ filter, namespace: 'node' }, ({ path }) => ({
      contents: `module.exports = Object.create(new Proxy({}, {
        get: (_, name) => name === '__esModule' ? undefined : require('node:${path}')[name]
      }));`,
      loader: 'js',
    }));
  },
};

/**
 * Functions for arrows: V8 skims a function until it is called, but reads an arrow whole, which takes twice as long. What
 * has a class stays as it is, since esbuild does not keep super and this there.
 */
const withoutArrows: Plugin = {
  name: 'without-arrows',
  setup: (building) => {
    building.onLoad({ filter: /\.(?:[cm]?js|ts)$/ }, async ({ path }) => {
      const text = fs.readFileSync(path, 'utf8');
      if (/\b(?:class|super)\b/.test(text)) return undefined;
      const loader = path.endsWith('.ts') ? 'ts' : 'js';
      const { code } = await transform(text, { loader, target, supported: { arrow: false } });
      return { contents: code, loader: 'js' };
    });
  },
};

const target = 'node20.19';

const common = {
  bundle: true,
  platform: 'node',
  metafile: true,
  write: false,
  logLevel: 'warning',
} as const satisfies BuildOptions;

const buildProgram = async (): Promise<void> => {
  const [parts, store] = await Promise.all([
    build({
      ...common,
      entryPoints: { main: 'src/main.ts', ...laterEntryPoints() },
      alias: {
        '@aws-sdk/credential-provider-node': './src/aws/no-other-credentials.ts',
        '@smithy/core/event-streams': './src/aws/no-event-streams.ts',
        debug: './src/aws/no-debug.ts',
        'escalade/sync': './src/cli/no-package-json.ts',
      },
      // of ES modules esbuild takes only what is used: STS and IAM need neither JSON nor CBOR, nor http2
      mainFields: ['module', 'main'],
      define: { 'import.meta.url': importMetaUrl },
      plugins: [versionOnly, loadedWhenUsed, loadedWhenCalled(root), withoutArrows],
      outdir: partsFolder,
      entryNames: '[name]',
      chunkNames: '[name]-[hash]',
      format: 'esm',
      splitting: true,
      target,
      minifyWhitespace: true,
      minifySyntax: true,
    }),
    // a process of its own, with the one package that is installed beside ours, where it is
    build({
      ...common,
      entryPoints: ['src/stores/system-child.ts'],
      external: ['@napi-rs/keyring'],
      outfile: join(dist, 'system-key-store.cjs'),
      format: 'cjs',
      target,
      minify: true,
    }),
  ]);
  const { outputFiles, metafile } = await joinParts(parts);
  const whole: Metafile = {
    inputs: withoutNode({ ...metafile.inputs, ...store.metafile.inputs }),
    outputs: { ...metafile.outputs, ...store.metafile.outputs },
  };
  for (const output of Object.values(whole.outputs)) output.inputs = withoutNode(output.inputs);
  for (const input of Object.values(whole.inputs))
    input.imports = input.imports.filter(({ path }) => !isMade(path));
  writeChanged(metafilePath, Buffer.from(JSON.stringify(whole)));
  const licenses = thirdPartyLicenses(await findComponents(metafilePath, root));
  writeChanged(join(root, 'THIRD-PARTY-LICENSES'), Buffer.from(licenses));
  writeDist([...outputFiles, ...store.outputFiles, manual()]);
};

const manual = (): Pick<OutputFile, 'path' | 'contents'> => {
  const [release] = releasesIn(fs.readFileSync(join(root, 'CHANGELOG.md'), 'utf8'));
  if (release === undefined) throw new Error('CHANGELOG.md has no release, whose day the manual bears');
  return { path: join(dist, 'aws-iam-login.1'), contents: Buffer.from(manualOf(root, release)) };
};

/** Writes what has changed and removes what no build has made: others may be running what is there. */
const writeDist = (files: ReadonlyArray<Pick<OutputFile, 'path' | 'contents'>>): void => {
  for (const { path, contents } of files) writeChanged(path, contents);
  fs.chmodSync(join(root, entry), 0o755);
  const made = new Set(files.map(({ path }) => relative(dist, path)));
  for (const name of fs.readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const path = join(dist, name);
    if (!made.has(name) && !fs.statSync(path).isDirectory()) fs.rmSync(path);
  }
};

const writeChanged = (path: string, contents: Uint8Array): void => {
  if (fs.existsSync(path) && fs.readFileSync(path).equals(contents)) return;
  fs.mkdirSync(dirname(path), { recursive: true });
  fs.writeFileSync(path, contents);
};

await buildProgram().catch((error: unknown) => {
  console.error(`could not build: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
