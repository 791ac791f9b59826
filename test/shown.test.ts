import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shellWord, shown } from '../src/text.ts';
import { type Home, makeHome, run } from './support/program.ts';
import { seed } from './support/seed.ts';
import { runShell, shells } from './support/shells.ts';

let home: Home;
let canary: string;

beforeEach(() => {
  // nobody listens there
  home = makeHome('http://127.0.0.1:9');
  canary = join(fs.mkdtempSync(join(os.tmpdir(), 'aws-iam-login-canary-')), 'ran');
});

afterEach(() => {
  home.remove();
  fs.rmSync(join(canary, '..'), { recursive: true });
});

const hostile = (): string[] => [
  `x$(touch ${canary})`,
  `x\`touch ${canary}\``,
  `x"; touch ${canary}; "`,
  `x'; touch ${canary}; '`,
  `\\'; touch ${canary}; \\'`,
  `x & touch ${canary} #`,
  `x | tee >${canary}`,
  '!!',
  '~root',
  '=ls',
  '*',
  '{a,b}',
  'é ü',
];

const pieces = fc.constantFrom(
  ...`'"\\$\`!*?~=#&|;<>(){}[]^ %,a1-`.split(''),
  'é',
  '\u{1F511}',
  '\\n',
  '$(',
  "\\'",
);

const generated = (count: number): string[] =>
  fc.sample(
    fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join('')),
    { numRuns: count, seed },
  );

test.each(shells)('%s reads each shown word as the text that it stands for', async (shell) => {
  const texts = [...hostile(), ...generated(1000)];
  const { stdout } = await runShell(home, shell, `printf '%s\\0' ${texts.map(shellWord).join(' ')}`);
  expect(stdout.split('\0').slice(0, -1)).toEqual(texts);
  expect(fs.existsSync(canary)).toBe(false);
});

const unseen = ['\n', '\t', '\r', '\u001B]0;title\u0007', '\u009B31m', '\u202E', '\u200B', '\u2028'];

test.each(['bash', 'zsh'] as const)('%s reads back what a terminal would not show', async (shell) => {
  const texts = hostile().flatMap((text) => unseen.map((character) => `${character}${text}`));
  const words = texts.map(shellWord);
  expect(words.join('')).toMatch(/^[ -~é ü]+$/);
  const { stdout } = await runShell(home, shell, `printf '%s\\0' ${words.join(' ')}`);
  expect(stdout.split('\0').slice(0, -1)).toEqual(texts);
});

test.each(shells)('%s runs nothing that stands in a shown word with control characters', async (shell) => {
  for (const text of hostile()) await runShell(home, shell, `printf '%s' ${shellWord(`\n${text}\n`)}`);
  expect(fs.existsSync(canary)).toBe(false);
});

test('a plain name is shown as it is', () => {
  for (const name of ['default', 'a.b@c+d%e:f/g,h=i-j_k']) expect(shellWord(name)).toBe(name);
});

test('shown text steers no terminal and keeps its lines', () => {
  expect(shown(`a\tb\nc${unseen.slice(2).join('d')}\uD800é`)).toMatch(/^a\tb\nc[?d\]0;title31m]*é$/);
});

test('a hint can be pasted into every shell, whatever the profile is called', async () => {
  const names = hostile().slice(0, 7);
  const key = 'aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n';
  fs.writeFileSync(home.credentials, names.map((name) => `[${name}]\n${key}`).join(''));
  const hints: string[] = [];
  for (const name of names) {
    const { stderr } = await run(home, ['login', name, '--no-input']);
    hints.push(/hint: run: (.*)\n$/.exec(stderr)?.[1] ?? '');
    expect(hints.at(-1)).toMatch(/^aws-iam-login init /);
  }
  // What the program would get.
  const program = join(home.folder, 'bin', 'aws-iam-login');
  fs.rmSync(program);
  fs.writeFileSync(program, `#!/bin/sh\nprintf '%s\\0' "$@"\n`, { mode: 0o755 });
  for (const shell of shells) {
    const { stdout, stderr } = await runShell(home, shell, hints.join('\n'));
    expect({ stdout, stderr }).toEqual({
      stdout: names.map((name) => `init\0${name}\0`).join(''),
      stderr: '',
    });
    expect(fs.existsSync(canary)).toBe(false);
  }
});

test('no message steers the terminal, wherever its text comes from', async () => {
  const escape = '\u001B]0;owned\u0007';
  fs.writeFileSync(home.credentials, `[near${escape}]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n`);
  const outputs = [
    await run(home, ['login', 'near']),
    await run(home, ['login', `near${escape}`]),
    await run(home, ['env', '--debug'], { env: { AWS_SHARED_CREDENTIALS_FILE: `/nowhere${escape}/x` } }),
    await run(home, ['env'], { env: { AWS_PROFILE: `x${escape}` } }),
  ];
  for (const { stderr } of outputs) {
    expect(stderr).toMatch(/^aws-iam-login: /);
    expect(stderr).not.toMatch(/[^\n\P{Cc}]/u);
  }
});
