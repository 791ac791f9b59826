import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

type Locked = {
  readonly integrity?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};

const lock: { readonly packages: Readonly<Record<string, Locked>> } = JSON.parse(
  readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'),
);

// Node looks for a package beside whoever asks for it, then in every folder above.
const isLocked = (asker: string, name: string): boolean => {
  const folder = asker === '' ? '' : `${asker}/`;
  if (`${folder}node_modules/${name}` in lock.packages) return true;
  return asker !== '' && isLocked(asker.slice(0, Math.max(asker.lastIndexOf('/node_modules/'), 0)), name);
};

// npm leaves out, without a word, what the registry does not give, and then `npm ci` refuses the lock.
test('package-lock.json holds every optional package that a locked one names', () => {
  const optional = Object.entries(lock.packages).flatMap(([asker, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).map((name) => ({ asker, name })),
  );
  expect(optional.length).toBeGreaterThan(0);
  expect(optional.filter(({ asker, name }) => !isLocked(asker, name))).toEqual([]);
});

test('package-lock.json holds a checksum of every package', () => {
  const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
  expect(packages.filter(([, { integrity }]) => integrity === undefined)).toEqual([]);
});

test.each([
  {
    what: 'both kinds of tests',
    npm: {
      ci: 'true',
      test: "printf 'a zero byte: \\0\\n'; echo 5 passed, 0 failed",
      long: 'echo 2 passed, 0 failed',
    },
    ends: { line: '7 passed, 0 failed', status: 0 },
  },
  {
    what: 'failures',
    npm: { ci: 'true', test: 'echo 5 passed, 1 failed; exit 1', long: 'echo 2 passed, 3 failed; exit 1' },
    ends: { line: '7 passed, 4 failed', status: 1 },
  },
  {
    what: 'a run that ends without its line as one failure',
    npm: { ci: 'true', test: 'exit 7', long: 'echo 2 passed, 0 failed' },
    ends: { line: '2 passed, 1 failed', status: 1 },
  },
  {
    what: 'an installation that fails as one failure',
    npm: { ci: 'exit 1', test: 'echo 5 passed, 0 failed', long: 'echo 2 passed, 0 failed' },
    ends: { line: '0 passed, 1 failed', status: 1 },
  },
])('.ci/run sums up $what in its last line', ({ npm, ends }) => {
  const bin = mkdtempSync(join(os.tmpdir(), 'aws-iam-login-npm-'));
  const script = `#!/bin/sh\ncase "$*" in ci*) ${npm.ci} ;; *test:long) ${npm.long} ;; *test) ${npm.test} ;; esac\n`;
  writeFileSync(join(bin, 'npm'), script, { mode: 0o755 });
  const { stdout, status } = spawnSync(fileURLToPath(new URL('../.ci/run', import.meta.url)), {
    env: { ...process.env, PATH: [bin, process.env['PATH'] ?? ''].join(delimiter) },
    encoding: 'utf8',
  });
  rmSync(bin, { recursive: true });
  expect({ line: stdout.trimEnd().split('\n').at(-1), status }).toEqual(ends);
});

const manifest: {
  readonly preferUnplugged?: boolean;
  readonly bin: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
} = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

// A shell sources what `hook` names, and cannot read in the archives in which Yarn's Plug'n'Play keeps packages.
test('Yarn unpacks the package', () => {
  expect(manifest.preferUnplugged).toBe(true);
});

// npm runs `prepare`, but not `prepack`, for a dependency that comes from git.
test('a dependency from git is built', () => {
  expect(manifest.scripts['prepare']).toContain('npm run --silent build:cli');
  for (const path of Object.values(manifest.bin))
    expect(existsSync(new URL(`../${path}`, import.meta.url))).toBe(true);
});
