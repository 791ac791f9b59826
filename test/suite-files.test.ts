import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type SuiteFile, findSuiteFiles, mentions } from './support/suite-files.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const files = findSuiteFiles(root);

const whichMention = (pattern: RegExp, runner: SuiteFile['runner']): string[] =>
  files.filter((file) => file.runner === runner && mentions(root, file, pattern)).map(({ path }) => path);

test('the runner finds the files of both kinds', () => {
  expect(files).toContainEqual({ path: 'test/hook.bats', runner: 'bats' });
  expect(files).toContainEqual({ path: 'test/login.test.ts', runner: 'vitest' });
  expect(files.map(({ path }) => path)).not.toContain('test/suites.ts');
});

test('a file needs what its helpers call', () => {
  expect(whichMention(/\bkill-server\b/, 'vitest')).toContain('test/login.test.ts');
  expect(whichMention(/\bkill-server\b/, 'bats')).toContain('test/hook.bats');
  expect(whichMention(/\bkill-server\b/, 'vitest')).not.toContain('test/installation.test.ts');
});

test('a file with a sweep is found by the size that it asks for', () => {
  expect(whichMention(/\batSize\b/, 'vitest')).toContain('test/single-flight.test.ts');
  expect(whichMention(/\batSize\b/, 'vitest')).not.toContain('test/init.test.ts');
});

test('what a machine cannot run counts as failed, and one sentence says what to install', () => {
  const path = fs.mkdtempSync(join(os.tmpdir(), 'aws-iam-login-suites-'));
  fs.symlinkSync(process.execPath, join(path, 'node'));
  const suites = join(root, 'build', 'suites.js');
  const options = { encoding: 'utf8', env: { PATH: path } } as const;
  const { status, stdout } = spawnSync(process.execPath, [suites, 'shell'], options);
  fs.rmSync(path, { recursive: true });
  const count = files.filter(({ runner }) => runner === 'bats').length;
  expect(stdout).toMatch(/^not ok: test\/hook\.bats needs .*\btmux\b/m);
  expect(stdout).toMatch(/^Suites that need .*\btmux\b.* count as failed; to run them: /m);
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(`0 passed, ${count} failed`);
  expect(status).toBe(1);
});
