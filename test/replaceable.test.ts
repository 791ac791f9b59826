import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkEditable } from '../src/files/edit.ts';
import { newFolder } from './support/processes.ts';

let folder: string;

beforeEach(() => {
  folder = newFolder();
});

afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

test('a trial that the holder of the lock clears away is made again', async () => {
  const path = join(folder, 'credentials');
  fs.writeFileSync(path, '[default]\n', { mode: 0o600 });
  // removes forty files as soon as they appear, as the holder of the lock does once
  const script = `n=0; echo ready; while [ $n -lt 40 ]; do for f in .credentials.aws-iam-login.*.tmp; do [ -e "$f" ] && rm -f "$f" && n=$((n + 1)); done; done`;
  const remover = spawn('sh', ['-c', script], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  await once(remover.stdout, 'data');
  while (remover.exitCode === null) {
    expect(() => checkEditable(path)).not.toThrow();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(fs.readdirSync(folder)).toEqual(['credentials']);
});
