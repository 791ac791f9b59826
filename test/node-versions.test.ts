import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeOf } from './support/nodes.ts';
import {
  type Ended,
  type Home,
  makeHome,
  program,
  runCommand,
  sessionLines,
  startCommand,
  writeCredentials,
} from './support/program.ts';
import { atSize } from './support/size.ts';

let home: Home;

beforeEach(() => {
  home = makeHome('http://127.0.0.1:9');
});

afterEach(() => home.remove());

describe.each(atSize([12], [12, 14, 16, 18]))('Node %i', (major) => {
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

describe('exec by a Node that can become its command', () => {
  const session = { accessKeyId: 'ASIAONE', secretAccessKey: 'secret', sessionToken: 'token' };
  const env = { 'odd.name': 'kept', 'an other': 'too', empty: '' };

  beforeEach(() => {
    writeCredentials(home, `[default]\n[default-sts]\n${sessionLines(session, '2099-01-01T00:00:00Z')}`);
  });

  test('leaves nothing of ours behind', async () => {
    const node = await nodeOf(24);
    const script = 'echo $$ $PPID; printenv AWS_SESSION_TOKEN';
    const running = startCommand(home, node, [program, 'exec', '--', 'sh', '-c', script]);
    const { stdout, stderr, exitCode } = await running.ended;
    expect({ stdout, stderr, exitCode }).toEqual({
      stdout: `${running.child.pid} ${process.pid}\ntoken\n`,
      stderr: '',
      exitCode: 0,
    });
  });

  test('does the same as one that cannot, whatever the command', async () => {
    const node = await nodeOf(24);
    const other = Buffer.from(fs.readFileSync(process.execPath).subarray(0, 4096));
    other.writeUInt16LE(other.readUInt16LE(18) + 1, 18);
    const commands = [
      ['true'],
      ['sh', '-c', 'exit 42'],
      ['sh', '-c', 'kill -9 $$'],
      // what a program does that writes to a closed pipe, or too much: Node ignores the signals, the command must not
      ['sh', '-c', 'kill -PIPE $$; echo survived'],
      ['sh', '-c', 'kill -XFSZ $$; echo survived'],
      ['env', '-u', '_'],
      ['sh', '-c', 'printf "<%s>" "$0" "$@"; cat', '--', '', 'a b', '--help', "it's", 'ü\n'],
      [write('script', '#!/bin/sh\necho "script $0 $1"\n'), 'x'],
      ['script'],
      [write('without-interpreter', 'echo "plain $1"\n'), 'x'],
      [write('lost-interpreter', '#!/no/such/interpreter\n')],
      [write('script-of-script', `#!${join(home.folder, 'bin', 'script')}\n`)],
      [write('other-machine', other)],
      [write('empty', '')],
      ['/etc'],
      ['/etc/passwd'],
      ['/does/not/exist'],
      ['no-such-command'],
      [''],
      ['true', 'x'.repeat(120_000)],
    ];
    for (const command of commands) {
      const words = [program, 'exec', 'default', '--', ...command];
      const [becomes, starts] = await Promise.all(
        [node, process.execPath].map((path) => runCommand(home, path, words, { env, input: 'in' })),
      );
      expect({ command, ...codeOf(becomes) }).toEqual({ command, ...codeOf(starts) });
    }
  });
});

const write = (name: string, text: string | Buffer): string => {
  const path = join(home.folder, 'bin', name);
  fs.writeFileSync(path, text, { mode: 0o755 });
  return path;
};

// A command that a signal has ended has no exit code where it is ours no more; a shell sees the same.
const codeOf = (ended: Ended | undefined) => {
  const { exitCode, signal, stdout, stderr } = ended ?? {
    exitCode: null,
    signal: null,
    stdout: '',
    stderr: '',
  };
  return {
    exitCode: signal === null ? exitCode : 128 + os.constants.signals[signal],
    stdout: stdout.split('\n').sort(),
    stderr,
  };
};
