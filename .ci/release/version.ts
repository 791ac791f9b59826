import fs from 'node:fs';
import { withRelease } from './changelog.ts';

// What `npm version` calls once before it changes anything, with --check, and once when package.json has the new number.

const path = 'CHANGELOG.md';

const moveUnreleased = (): void => {
  const isCheck = process.argv.includes('--check');
  const version = process.env['npm_new_version'] ?? '';
  if (version === '') throw new Error('npm version has to call this');
  const text = withRelease(fs.readFileSync(path, 'utf8'), version, new Date().toISOString().slice(0, 10));
  if (!isCheck) fs.writeFileSync(path, text);
};

try {
  moveUnreleased();
} catch (error) {
  console.error(`could not make a release: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
