import fs from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { nodeOf } from './support/nodes.ts';
import { type Home, makeHome, program, runCommand } from './support/program.ts';

// The first run fetches each Node.
vi.setConfig({ testTimeout: 120_000 });

let home: Home;

beforeEach(() => {
  home = makeHome('http://127.0.0.1:9');
});

afterEach(() => home.remove());

describe.each([12, 14, 16, 18])('Node %i', (major) => {
  test('gets one sentence, and whatever evaluates stdout stops', async () => {
    const node = await nodeOf(major);
    const runWith = (...words: string[]) => runCommand(home, node, [program, ...words]);
    const mark = join(home.folder, 'ran');
    const stderr = expect.stringMatching(
      new RegExp(
        `^aws-iam-login: Node ${major}\\.\\d+\\.\\d+ is too old: aws-iam-login needs 20\\.19 or newer\\n$`,
      ),
    );
    for (const words of [
      ['env'],
      ['default', 'env'],
      ['env', '--format', 'fish'],
      ['--region=x', 'env', '-q'],
    ]) {
      expect(await runWith(...words)).toEqual({ exitCode: 1, signal: null, stdout: 'false\n', stderr });
    }
    for (const words of [[], ['login'], ['rotate', '--yes'], ['--version'], ['env', '--format=process']]) {
      expect(await runWith(...words)).toEqual({ exitCode: 1, signal: null, stdout: '', stderr });
    }
    expect(await runWith('exec', '--', 'touch', mark)).toMatchObject({ exitCode: 125, stdout: '', stderr });
    expect(fs.existsSync(mark)).toBe(false);
  });
});
