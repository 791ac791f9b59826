import fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { type BuildOptions, type Metafile, type OutputFile, type Plugin, build } from 'esbuild';
import { releasesIn } from './changelog.ts';
import { findComponents, thirdPartyLicenses } from './licenses.ts';
import { manualOf } from './man.ts';

// Makes what the package delivers: dist with the manual, and the licences of what is bundled in it. The same source gives the same
// bytes. Runs in the folder of package.json.

const root = process.cwd();
const dist = join(root, 'dist');
const entry = join(dist, 'aws-iam-login.cjs');

/** What esbuild says of the build, for the licences and for tests. */
const metafilePath = join(root, 'build', 'metafile.json');

/** Of package.json the program needs the version, and nobody the rest. */
const versionOnly: Plugin = {
  name: 'version-only',
  setup: (building) => {
    building.onLoad({ filter: /[\\/]package\.json$/ }, ({ path }) => {
      if (dirname(path) !== root) return undefined;
      const { version }: { readonly version: string } = JSON.parse(fs.readFileSync(path, 'utf8'));
      return { contents: JSON.stringify({ version }), loader: 'json' };
    });
  },
};

const common = {
  bundle: true,
  platform: 'node',
  plugins: [versionOnly],
  metafile: true,
  write: false,
  logLevel: 'warning',
} as const satisfies BuildOptions;

const buildProgram = async (): Promise<void> => {
  const builds = await Promise.all([
    // read by every Node since 12
    build({
      ...common,
      entryPoints: ['src/main.ts'],
      external: ['./cli/run.js', './cli/help.js'],
      outfile: entry,
      format: 'cjs',
      target: 'node12.22',
      minify: true,
    }),
    build({
      ...common,
      entryPoints: ['src/cli/run.ts', 'src/cli/help.ts'],
      alias: {
        '@aws-sdk/credential-provider-node': './src/aws/no-other-credentials.ts',
        'escalade/sync': './src/cli/no-package-json.ts',
      },
      banner: {
        js: "import {createRequire as _createRequire} from 'node:module';const require=_createRequire(import.meta.url);",
      },
      outbase: 'src',
      outdir: dist,
      chunkNames: 'cli/[name]-[hash]',
      format: 'esm',
      splitting: true,
      target: 'node20.19',
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
      target: 'node20.19',
      minify: true,
    }),
  ]);
  const metafile: Metafile = {
    inputs: Object.assign({}, ...builds.map(({ metafile: { inputs } }) => inputs)),
    outputs: Object.assign({}, ...builds.map(({ metafile: { outputs } }) => outputs)),
  };
  writeChanged(metafilePath, Buffer.from(JSON.stringify(metafile)));
  const licenses = thirdPartyLicenses(await findComponents(metafilePath, root));
  writeChanged(join(root, 'THIRD-PARTY-LICENSES'), Buffer.from(licenses));
  writeDist([...builds.flatMap(({ outputFiles }) => outputFiles), manual()]);
};

const manual = (): Pick<OutputFile, 'path' | 'contents'> => {
  const [release] = releasesIn(fs.readFileSync(join(root, 'CHANGELOG.md'), 'utf8'));
  if (release === undefined) throw new Error('CHANGELOG.md has no release, whose day the manual bears');
  return { path: join(dist, 'aws-iam-login.1'), contents: Buffer.from(manualOf(root, release)) };
};

/** Writes what has changed and removes what no build has made: others may be running what is there. */
const writeDist = (files: ReadonlyArray<Pick<OutputFile, 'path' | 'contents'>>): void => {
  for (const { path, contents } of files) writeChanged(path, contents);
  fs.chmodSync(entry, 0o755);
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
