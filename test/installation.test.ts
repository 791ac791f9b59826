import { readFileSync } from 'node:fs';
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
  for (const path of Object.values(manifest.bin)) expect(manifest.scripts['build:cli']).toContain(path);
});
