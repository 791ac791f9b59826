import fs from 'node:fs';
import os from 'node:os';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { execa } from 'execa';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { releasesIn } from '../.ci/release/changelog.ts';
import { later, loadedWhenCalled } from '../.ci/release/later.ts';
import { version } from '../src/version.ts';
import { copyProject, npm, pack, root } from './support/package.ts';
import { atSize } from './support/size.ts';

const manifest: Readonly<Record<string, unknown>> & {
  readonly bin: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
} = JSON.parse(fs.readFileSync(join(root, 'package.json'), 'utf8'));

let folder: string;

/** npm packs once for all who only look. */
const packed = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'aws-iam-login-packed-')));
let packing: ReturnType<typeof pack> | undefined;
const packOnce = (): ReturnType<typeof pack> => (packing ??= pack(packed));
afterAll(() => fs.rmSync(packed, { recursive: true }));

beforeEach(() => {
  folder = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'aws-iam-login-package-')));
});

afterEach(() => fs.rmSync(folder, { recursive: true }));

const filesBelow = (name: string): string[] =>
  fs.existsSync(join(root, name))
    ? fs
        .readdirSync(join(root, name), { recursive: true, withFileTypes: true })
        .filter((entry) => !entry.isDirectory())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    : [];

const papers = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'SECURITY.md',
  'THIRD-PARTY-LICENSES',
  'package.json',
];

test('the package holds the program, what shells read, the papers, and nothing else', async () => {
  const { files } = await packOnce();
  const forContributors = 'docs/architecture.md';
  const expected = [...papers, ...['completions', 'dist', 'docs', 'shell'].flatMap(filesBelow)].filter(
    (path) => path !== forContributors,
  );
  expect(files.map(({ path }) => path).sort()).toEqual(expected.sort());
  expect(expected.length).toBeGreaterThan(papers.length + 10);
});

test('what the papers of the package link to is in it', async () => {
  const { files } = await packOnce();
  const paths = files.map(({ path }) => path);
  const pages = paths.filter((path) => path.endsWith('.md'));
  const links = pages.flatMap((page) =>
    [...fs.readFileSync(join(root, page), 'utf8').matchAll(/\]\(([\w./-]+)(?:#[^)]*)?\)/g)].map(
      ([, target = '']) => join(dirname(page), target),
    ),
  );
  expect(links.length).toBeGreaterThan(20);
  expect(links.filter((link) => !paths.some((path) => path === link || path.startsWith(`${link}/`)))).toEqual(
    [],
  );
});

test('every command of the package is an executable file in it', async () => {
  const { files } = await packOnce();
  const executable = files.filter(({ mode }) => (mode & 0o111) === 0o111).map(({ path }) => path);
  expect(Object.keys(manifest.bin)).toEqual(['aws-iam-login']);
  expect(executable).toEqual(expect.arrayContaining(Object.values(manifest.bin)));
});

test('the package needs no other package, has an optional one for the key store of the system, and runs nothing when it is installed', () => {
  const wanted = ['dependencies', 'peerDependencies', 'bundleDependencies', 'bundledDependencies'];
  expect(wanted.filter((name) => name in manifest)).toEqual([]);
  expect(Object.keys(manifest.optionalDependencies)).toEqual(['@napi-rs/keyring']);
  // `prepare` is for those who install from git: npm does not run it for a package file
  const hooks = ['preinstall', 'install', 'postinstall', 'preuninstall', 'uninstall', 'postuninstall'];
  expect(hooks.filter((name) => name in manifest.scripts)).toEqual([]);
});

test('the package has the same bytes wherever, whenever and by whomever it is packed', async () => {
  const places = [
    { home: join(folder, 'one'), env: { TZ: 'Pacific/Kiritimati', LC_ALL: 'C' }, umask: '022' },
    { home: join(folder, 'an other', 'place'), env: { TZ: 'UTC', LC_ALL: 'tr_TR.UTF-8' }, umask: '002' },
  ];
  const packages: Buffer[] = [];
  for (const { home, env, umask } of places.slice(atSize(1, 0))) {
    copyProject(home);
    const into = join(home, 'packed');
    fs.mkdirSync(into);
    const script = `umask ${umask}; exec npm pack --silent --pack-destination "$0"`;
    await execa('sh', ['-c', script, into], {
      cwd: home,
      env: { ...withoutNpm(), ...env },
      extendEnv: false,
    });
    packages.push(fs.readFileSync(join(into, `aws-iam-login-${version}.tgz`)));
  }
  const { filename } = await packOnce();
  packages.push(fs.readFileSync(join(packed, filename)));
  const [first] = packages;
  expect(packages.map((bytes) => first?.equals(bytes))).toEqual(atSize([true, true], [true, true, true]));
});

test('what is loaded when it is called is there, and may be nothing but functions', async () => {
  expect(
    Object.values(later).flatMap((sources) => sources.filter((source) => !fs.existsSync(join(root, source)))),
  ).toEqual([]);
  fs.mkdirSync(join(folder, 'src'));
  const main = join(folder, 'src', 'main.ts');
  fs.writeFileSync(main, "import { nearestOf } from './nearest.ts';\nconsole.log(nearestOf('a', []));\n");
  const buildWith = (nearest: string) => {
    fs.writeFileSync(join(folder, 'src', 'nearest.ts'), nearest);
    const plugins = [loadedWhenCalled(folder)];
    return build({
      entryPoints: [main],
      bundle: true,
      write: false,
      format: 'esm',
      logLevel: 'silent',
      plugins,
    });
  };
  const made = await buildWith('export const nearestOf = (word: string): string => word;\n');
  expect(made.outputFiles[0]?.text).toContain('("./nearest.js").nearestOf(');
  await expect(buildWith("export const nearestOf = 'a';\n")).rejects.toThrow('nearestOf is no function');
});

test('npm version keeps package.json, the lock, the program, its stamp and CHANGELOG in step', async () => {
  const home = join(folder, 'project');
  copyProject(home);
  const git = (...words: string[]) => execa('git', words, { cwd: home });
  fs.appendFileSync(join(home, '.gitignore'), '/packed/\n');
  await git('init', '--quiet');
  await git('config', 'user.name', 'someone');
  await git('config', 'user.email', 'someone@example.com');
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'As it is');
  const unreleased = sectionOf(home, 'Unreleased');
  await npm(['version', '9.8.7'], { cwd: home });

  const read = (name: string): { readonly version: string } =>
    JSON.parse(fs.readFileSync(join(home, name), 'utf8'));
  expect([read('package.json').version, read('package-lock.json').version]).toEqual(['9.8.7', '9.8.7']);
  const today = new Date().toISOString().slice(0, 10);
  expect([today, daysBefore(1)]).toContain(releasesIn(changelogOf(home))[0]?.day);
  expect(sectionOf(home, `9.8.7 - ${releasesIn(changelogOf(home))[0]?.day}`)).toBe(unreleased);
  expect(sectionOf(home, 'Unreleased').trim()).toBe('');
  expect((await git('tag')).stdout).toBe('v9.8.7');
  expect((await git('status', '--porcelain')).stdout).toBe('');

  await npm(['run', '--silent', 'build:cli'], { cwd: home });
  const env = { ...withoutNpm(), HOME: folder, XDG_DATA_HOME: join(folder, 'data') };
  const program = join(home, 'dist', 'aws-iam-login.cjs');
  const run = (...words: string[]) => execa(process.execPath, [program, ...words], { env, extendEnv: false });
  expect((await run('--version')).stdout).toBe('9.8.7');
  await run('setup', 'bash', '--yes');
  const stamp = fs.readFileSync(join(folder, 'data', 'aws-iam-login', 'stamp'), 'utf8');
  expect(stamp.split('\n')[0]).toBe('9.8.7');

  // nothing is unreleased any more: the next number would say nothing, and nothing is changed for it
  await expect(npm(['version', 'patch'], { cwd: home })).rejects.toThrow(
    "CHANGELOG.md says nothing under '## Unreleased'",
  );
  expect(read('package.json').version).toBe('9.8.7');
});

test('CHANGELOG.md dates every version, newest first, and the newest is that of package.json', () => {
  const releases = releasesIn(changelogOf(root));
  expect(releases[0]?.version).toBe(version);
  const days = releases.map(({ day }) => day);
  expect(days).toEqual(days.toSorted().toReversed());
  const headings = changelogOf(root).match(/^## .*$/gm);
  expect(headings).toEqual([
    '## Unreleased',
    ...releases.map((release) => `## ${release.version} - ${release.day}`),
  ]);
});

test('every version in CHANGELOG.md says what was added, changed, fixed and removed, once each and in this order', () => {
  const versions = changelogOf(root).split(/^## /m).slice(1);
  const kinds = ['Added', 'Changed', 'Fixed', 'Removed', 'Changed from the Python origin (0.3.6)'];
  for (const text of versions) {
    const headings = [...text.matchAll(/^### (.*)$/gm)].map(([, heading = '']) => heading);
    expect(headings).toEqual(kinds.filter((kind) => headings.includes(kind)));
  }
});

const changelogOf = (home: string): string => fs.readFileSync(join(home, 'CHANGELOG.md'), 'utf8');

const sectionOf = (home: string, heading: string): string => {
  const [, after = ''] = changelogOf(home).split(`## ${heading}\n`);
  return (after.split(/^## /m)[0] ?? '').trim();
};

const daysBefore = (days: number): string =>
  new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);

const withoutNpm = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries({
      ...process.env,
      PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    }).flatMap(([name, value]) =>
      value === undefined || /^(npm_|INIT_CWD$|AWS_|XDG_)/i.test(name) ? [] : [[name, value]],
    ),
  );
