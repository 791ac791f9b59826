import fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { acquireLock, type Lock, readLock, tryLock } from '../src/files/lock.ts';
import { withFault } from './support/faults.ts';
import { bundleChild, type Child, newFolder, startChild, untilFolder } from './support/processes.ts';
import { atSize } from './support/size.ts';

/** Processes that want one lock at once. */
const COUNT = atSize(8, 50);

const root = newFolder();
let script: string;
let folder: string;
let path: string;

beforeAll(async () => {
  script = await bundleChild(root);
});

beforeEach(() => {
  folder = fs.mkdtempSync(join(root, 'lock-'));
  path = join(folder, 'lock');
});

afterAll(() => fs.rmSync(root, { recursive: true }));

const take = (data = {}): Lock => {
  const { lock } = tryLock(path, data);
  if (lock === undefined) throw new Error('the lock is not free');
  return lock;
};

// as if the holder had given no sign for a minute
const backdate = (): void => {
  const minuteAgo = Date.now() / 1000 - 60;
  for (const name of fs.readdirSync(path)) fs.utimesSync(join(path, name), minuteAgo, minuteAgo);
};

describe('a lock', () => {
  test('is one process’s until it is released', () => {
    const lock = take();
    expect(tryLock(path).holder).toMatchObject({ state: 'held', pid: process.pid, token: lock.token });
    expect(lock.stillOwn()).toBe(true);
    lock.release();
    expect(lock.stillOwn()).toBe(false);
    const next = take();
    lock.release();
    expect(next.stillOwn()).toBe(true);
    next.release();
  });

  test('shows the holder’s last words, while it is held, after it, and to the next holder', () => {
    expect(readLock(path)).toBeUndefined();
    const lock = take({ phase: 'working' });
    expect(readLock(path)).toMatchObject({ state: 'held', data: { phase: 'working' } });
    lock.update({ phase: 'asking' });
    expect(readLock(path)).toMatchObject({ state: 'held', data: { phase: 'asking' } });
    lock.release();
    expect(readLock(path)).toMatchObject({ state: 'released', token: lock.token, data: { phase: 'asking' } });
    const next = take();
    expect(next.previous).toMatchObject({ token: lock.token, data: { phase: 'asking' } });
    next.release();
  });

  test('leaves one file behind, readable by its owner only', () => {
    for (let times = 0; times < 3; times += 1) take().release();
    expect(fs.readdirSync(path)).toEqual(['3']);
    expect(fs.statSync(join(path, '3')).mode & 0o777).toBe(0o600);
    expect(fs.statSync(path).mode & 0o777).toBe(0o700);
  });

  test('is not waited for after the signal was aborted, and the reason is passed on', async () => {
    const lock = take();
    const controller = new AbortController();
    const waiting = acquireLock(path, {
      signal: controller.signal,
      onWait: () => controller.abort(new Error('enough')),
    });
    await expect(waiting).rejects.toThrow('enough');
    lock.release();
    expect(fs.readdirSync(path)).toEqual(['1']);
  });

  test('is not waited for longer than asked', async () => {
    const lock = take();
    await expect(acquireLock(path, { timeoutMs: 0 })).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(`process ${process.pid} has not released it`),
    });
    lock.release();
  });

  test('of a process that exits without a release is free', async () => {
    const child = startChild(script, ['hold', path]);
    await child.says('held');
    expect(readLock(path)).toMatchObject({ state: 'held', pid: child.pid, data: { phase: 'holding' } });
    child.kill('SIGTERM');
    await child.ended;
    expect(readLock(path)?.state).toBe('stale');
    take().release();
  });

  test('of a killed process that nobody has reaped yet is free', async () => {
    // the shell becomes a process that never waits for its child
    const child = startChild(script, ['hold', path]);
    await child.says('held');
    child.kill('SIGKILL');
    await child.ended;
    const entry = join(path, '1');
    // the id given to another process since: ours, which started at another time
    fs.writeFileSync(
      entry,
      fs.readFileSync(entry, 'utf8').replace(`"pid":${child.pid}`, `"pid":${process.pid}`),
    );
    expect(readLock(path)?.state).toBe(fs.existsSync('/proc/self/stat') ? 'stale' : 'held');
  });

  test('whose file is old is not taken from a holder that lives', async () => {
    const lock = take();
    backdate();
    expect(tryLock(path).holder?.state).toBe('held');
    const before = fs.statSync(join(path, '1')).mtimeMs;
    const controller = new AbortController();
    const waiting = acquireLock(path, { signal: controller.signal });
    await untilFolder(path, () => fs.statSync(join(path, '1')).mtimeMs > before);
    expect(readLock(path)?.state).toBe('held');
    expect(lock.stillOwn()).toBe(true);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    lock.release();
  });

  test('is made without hard links too', async () => {
    const { error } = await withFault({ under: folder, action: 'EPERM', op: 'linkSync' }, () => {
      const lock = take({ phase: 'asking' });
      expect(tryLock(path).holder).toMatchObject({ state: 'held', data: { phase: 'asking' } });
      lock.release();
      take().release();
    });
    expect(error).toBeUndefined();
    expect(fs.readdirSync(path)).toEqual(['2']);
  });

  test('that cannot be written is a UserError, and nothing is left', async () => {
    const errors: unknown[] = [];
    for (const op of ['openSync', 'writeSync', 'linkSync']) {
      const { error } = await withFault({ under: folder, action: 'ENOSPC', op }, () => tryLock(path));
      errors.push(error);
    }
    const expected = { name: 'UserError', message: `could not lock ${path}: no space is left on the disk` };
    expect(errors).toMatchObject([expected, expected, expected]);
    expect(fs.readdirSync(path)).toEqual([]);
  });

  test('that failed while it was taken is not in the way of the next attempt', async () => {
    const locks: (string | undefined)[] = [];
    for (let at = 1; ; at += 1) {
      const { count } = await withFault({ under: folder, action: 'EIO', at }, () =>
        tryLock(path).lock?.release(),
      );
      if (count < at) break;
      locks.push(tryLock(path).holder?.state);
      fs.rmSync(path, { recursive: true });
    }
    expect(locks.length).toBeGreaterThan(10);
    expect(locks.filter((each) => each !== undefined)).toEqual([]);
  });
});

const startCounters = async (): Promise<Child[]> => {
  const children = Array.from({ length: COUNT }, () => startChild(script, ['count', path, folder]));
  await Promise.all(children.map((child) => child.says('waiting')));
  return children;
};

const outcome = async (children: Child[]): Promise<unknown> => {
  const ended = await Promise.all(children.map((child) => child.ended));
  return {
    failed: ended.filter(({ code }) => code !== 0),
    counted: fs.readFileSync(join(folder, 'counter'), 'utf8'),
    files: fs.readdirSync(path),
  };
};

const oneAtATime = { failed: [], counted: String(COUNT), files: [String(COUNT + 1)] };

describe(`${COUNT} waiting processes`, () => {
  test('hold the lock one at a time after it was released', async () => {
    const lock = take();
    const children = await startCounters();
    lock.release();
    expect(await outcome(children)).toEqual(oneAtATime);
  });

  test('hold the lock one at a time after its holder was killed', async () => {
    const holder = startChild(script, ['hold', path]);
    await holder.says('held');
    const children = await startCounters();
    holder.kill('SIGKILL');
    expect(await outcome(children)).toEqual(oneAtATime);
  });

  test('hold the lock one at a time after its holder was stopped, which then knows', async () => {
    const holder = startChild(script, ['hold', path]);
    await holder.says('held');
    const children = await startCounters();
    holder.kill('SIGSTOP');
    backdate();
    expect(await outcome(children)).toEqual(oneAtATime);
    holder.kill('SIGCONT');
    holder.tell();
    await holder.says('lost');
    expect(await holder.ended).toMatchObject({ code: 0 });
    expect(readLock(path)?.state).toBe('released');
  });
});
