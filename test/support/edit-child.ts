import fs from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { messageOf, UserError } from '../../src/errors.ts';
import { checkEditable, editFile } from '../../src/files/edit.ts';
import { readFileIfAny } from '../../src/files/read.ts';
import { setSettings } from '../../src/ini/edit.ts';
import { acquireLock } from '../../src/files/lock.ts';

// The process that lock.test.ts and files.test.ts start many times, kill and stop. It says what it does in lines on
// stdout and goes on when it gets a line on stdin.

const say = (line: string): void => {
  fs.writeSync(1, `${line}\n`);
};

const heard = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const hear = async (): Promise<void> => {
  await heard.next();
};

const append =
  (line: string) =>
  (bytes: Buffer): Buffer =>
    Buffer.concat([bytes, Buffer.from(`${line}\n`)]);

const actions: Record<string, (...words: string[]) => Promise<void>> = {
  // adds a line to a file
  append: async (path = '', state = '', line = '') => {
    await editFile(path, append(line), { state });
    say('done');
  },
  // writes one key of one profile
  set: async (path = '', state = '', profile = '', value = '') => {
    await editFile(path, (bytes) => setSettings(bytes, 'credentials', profile, { value }), { state });
    say('done');
  },
  // adds a line, and is stopped between reading and writing for the first time
  stop: async (path = '', state = '', line = '') => {
    let edits = 0;
    await editFile(
      path,
      (bytes) => {
        edits += 1;
        if (edits === 1) {
          say('stopping');
          process.kill(process.pid, 'SIGSTOP');
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
        }
        return append(line)(bytes);
      },
      { state },
    );
    say(`edits ${edits}`);
  },
  check: async (path = '', state = '') => {
    checkEditable(path, state);
    say('done');
  },
  read: async (path = '') => {
    say(readFileIfAny(path)?.toString('utf8') ?? 'none');
  },
  // holds a lock until told
  hold: async (path = '') => {
    const lock = await acquireLock(path, { data: { phase: 'holding' } });
    say('held');
    await hear();
    say(lock.stillOwn() ? 'own' : 'lost');
    lock.release();
  },
  // counts one up in a file, which goes wrong as soon as two do it at once
  count: async (path = '', folder = '') => {
    let waits = 0;
    const lock = await acquireLock(path, {
      onWait: () => {
        waits += 1;
        if (waits === 1) say('waiting');
      },
    });
    fs.mkdirSync(join(folder, 'inside'));
    const counter = join(folder, 'counter');
    fs.writeFileSync(counter, String(Number(readFileIfAny(counter) ?? 0) + 1));
    fs.rmdirSync(join(folder, 'inside'));
    lock.release();
    say('done');
  },
};

// given where root tests what other users may do
const runAs = Number(process.env['RUN_AS'] ?? 0);
if (runAs > 0) {
  process.setgroups?.([]);
  process.setgid?.(runAs);
  process.setuid?.(runAs);
}

try {
  const [, , action = '', ...words] = process.argv;
  await actions[action]?.(...words);
  process.exit(0);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  say(`UserError ${messageOf(error)} HINT ${error.hint}`);
  process.exit(1);
}
