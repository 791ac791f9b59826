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
