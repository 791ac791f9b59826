import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isUserError } from '../src/errors.ts';
import { checkEditable, editFile } from '../src/files/edit.ts';
import {
  ensureStateFolder,
  lockPathFor,
  readStateFile,
  removeStateFile,
  writeStateFile,
} from '../src/files/state-files.ts';
import { readFileIfAny } from '../src/files/read.ts';
import { locateFiles } from '../src/files/locations.ts';
import { setSettings } from '../src/ini/edit.ts';
import { readProfile } from '../src/ini/read.ts';
import { faultEnvironment, withFault } from './support/faults.ts';
import {
  bundleChild,
  isRoot,
  listTree,
  newFolder,
  nobody,
  startChild,
  untilFolder,
} from './support/processes.ts';
import { atSize } from './support/size.ts';

/** Processes that edit one file at once. */
const COUNT = atSize(8, 50);
/** Of so many operations one is killed. */
const EACH = atSize(6, 1);

const root = newFolder();
let script: string;
let home: string;
let path: string;
let state: string;

beforeAll(async () => {
  script = await bundleChild(root);
});

beforeEach(() => {
  newHome();
});

afterAll(() => fs.rmSync(root, { recursive: true }));

const old = '[default]\r\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\r\n# no last line end';

const startWith = (text: string): void => {
  fs.mkdirSync(join(home, '.aws'), { recursive: true });
  fs.writeFileSync(path, text, { mode: 0o600 });
};

const append =
  (text: string) =>
  (bytes: Buffer): Buffer =>
    Buffer.concat([bytes, Buffer.from(text)]);

const read = (): string => fs.readFileSync(path, 'utf8');

const edit = (text: string): Promise<boolean> => editFile(path, append(text), { state });

const newHome = (): void => {
  home = fs.mkdtempSync(join(root, 'home-'));
  ({ credentials: path, state } = locateFiles({ HOME: home }));
};

// what lies below the home folder and should not when nobody is at work
const strays = (): string[] => {
  const lock = lockPathFor('aws-iam-login', fs.realpathSync(path));
  const [last = '', ...more] = fs.readdirSync(join(home, '.aws', lock)).map((name) => join(lock, name));
  const usual = ['aws-iam-login', 'aws-iam-login/locks', lock, last, 'credentials'];
  return [...more, ...listTree(join(home, '.aws')).filter((each) => !usual.includes(each))];
};

// as if the holder of the file's lock had given no sign for a minute
const backdateLock = (): void => {
  const lock = lockPathFor(state, fs.realpathSync(path));
  const minuteAgo = Date.now() / 1000 - 60;
  for (const name of fs.readdirSync(lock)) fs.utimesSync(join(lock, name), minuteAgo, minuteAgo);
};

const noHome = (): string => {
  throw new Error('no such user');
};

describe('the files', () => {
  test('are found where AWS’s tools look for them', () => {
    expect(locateFiles({ HOME: '/h' })).toEqual({
      credentials: '/h/.aws/credentials',
      config: '/h/.aws/config',
      state: '/h/.aws/aws-iam-login',
    });
    expect(
      locateFiles({
        HOME: '/h',
        AWS_SHARED_CREDENTIALS_FILE: '~/c',
        AWS_CONFIG_FILE: '',
        AWS_IAM_LOGIN_HOME: '~x/~/s',
      }),
    ).toEqual({ credentials: '/h/c', config: '/h/.aws/config', state: '~x/~/s' });
  });

  test('are looked for in the system’s home folder without HOME, and a missing home is said', () => {
    expect(locateFiles({ HOME: '' }, () => '/system').config).toBe('/system/.aws/config');
    expect(() => locateFiles({}, noHome)).toThrow('there is no home folder');
    const all = {
      AWS_SHARED_CREDENTIALS_FILE: '/c',
      AWS_CONFIG_FILE: '/f',
      AWS_IAM_LOGIN_HOME: '/s',
    };
    expect(locateFiles(all, noHome)).toEqual({ credentials: '/c', config: '/f', state: '/s' });
  });

  test('that are missing read as none', () => {
    expect(readFileIfAny(path)).toBeUndefined();
    fs.writeFileSync(join(home, 'file'), '');
    expect(readFileIfAny(join(home, 'file', 'credentials'))).toBeUndefined();
  });

  test('that are folders are refused', async () => {
    fs.mkdirSync(path, { recursive: true });
    expect(() => readFileIfAny(path)).toThrow(`could not read ${path}: it is a folder, not a file`);
    expect(() => checkEditable(path, state)).toThrow(`could not write ${path}: it is a folder, not a file`);
  });
});

describe('an edit', () => {
  test('makes a new file 0600 in new folders 0700, whatever the umask', async () => {
    const umask = process.umask(0);
    try {
      expect(await edit('[a]\n')).toBe(true);
    } finally {
      process.umask(umask);
    }
    expect(read()).toBe('[a]\n');
    expect(fs.statSync(path).mode & 0o777).toBe(0o600);
    expect(fs.statSync(join(home, '.aws')).mode & 0o777).toBe(0o700);
    expect(fs.statSync(state).mode & 0o777).toBe(0o700);
    expect(strays()).toEqual([]);
  });

  test('keeps mode, owner and every other byte', async () => {
    startWith(old);
    fs.chmodSync(path, 0o640);
    if (isRoot()) fs.chownSync(path, nobody, nobody);
    const before = fs.statSync(path);
    await edit('x');
    const { mode, uid, gid } = fs.statSync(path);
    expect({ mode, uid, gid }).toEqual({ mode: before.mode, uid: before.uid, gid: before.gid });
    expect(read()).toBe(`${old}x`);
  });

  test('leaves no file of root in another user’s home', async () => {
    if (isRoot()) fs.chownSync(home, nobody, nobody);
    await edit('[a]\n');
    writeStateFile(join(state, 'journals', 'default'), 'text');
    const owners = listTree(home).map((each) => fs.statSync(join(home, each)).uid);
    expect(owners.length).toBeGreaterThan(6);
    expect(new Set(owners)).toEqual(new Set([fs.statSync(home).uid]));
  });

  test('that changes nothing writes nothing', async () => {
    startWith(old);
    const before = fs.statSync(path);
    expect(await edit('')).toBe(false);
    expect(fs.statSync(path)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs });
  });

  test('that makes nothing of no file leaves no file', async () => {
    expect(await edit('')).toBe(false);
    expect(fs.existsSync(path)).toBe(false);
  });

  test('follows symbolic links and keeps them, also to a file that is not there yet', async () => {
    fs.mkdirSync(join(home, '.aws'));
    fs.mkdirSync(join(home, 'dotfiles'));
    fs.symlinkSync('../dotfiles/link', path);
    fs.symlinkSync('real', join(home, 'dotfiles', 'link'));
    await edit('a\n');
    await edit('b\n');
    expect(fs.readlinkSync(path)).toBe('../dotfiles/link');
    expect(fs.readFileSync(join(home, 'dotfiles', 'real'), 'utf8')).toBe('a\nb\n');
    expect(fs.readdirSync(join(home, 'dotfiles')).sort()).toEqual(['link', 'real']);
  });

  test('locks the same file under all of its names', async () => {
    startWith(old);
    fs.symlinkSync('credentials', join(home, '.aws', 'other'));
    fs.symlinkSync('.aws', join(home, 'aws'));
    for (const name of ['.aws/other', 'aws/credentials', '.aws/credentials']) {
      await editFile(join(home, name), append('x'), { state });
    }
    expect(fs.readdirSync(join(state, 'locks'))).toHaveLength(1);
  });

  test('replaces a hard link: the other name keeps the old content', async () => {
    startWith(old);
    fs.linkSync(path, join(home, 'backup'));
    checkEditable(path, state);
    await edit('x');
    expect(read()).toBe(`${old}x`);
    expect(fs.readFileSync(join(home, 'backup'), 'utf8')).toBe(old);
  });

  test('is made again on what another program wrote meanwhile', async () => {
    startWith('a\n');
    let edits = 0;
    await editFile(
      path,
      (bytes) => {
        edits += 1;
        if (edits === 1) fs.appendFileSync(path, 'from elsewhere\n');
        return append('b\n')(bytes);
      },
      { state },
    );
    expect(read()).toBe('a\nfrom elsewhere\nb\n');
    expect(edits).toBe(2);
  });

  test('is made as often as another program writes meanwhile', async () => {
    startWith('a\n');
    let edits = 0;
    await editFile(
      path,
      (bytes) => {
        edits += 1;
        if (edits <= 7) fs.appendFileSync(path, 'from elsewhere\n');
        return append('b\n')(bytes);
      },
      { state, patienceMs: 60_000 },
    );
    expect(read()).toBe(`a\n${'from elsewhere\n'.repeat(7)}b\n`);
    expect(edits).toBe(8);
  });

  test('goes on trying while another program writes the file, and says so once its patience is over', async () => {
    startWith('a\n');
    let busy = 0;
    const writing = setInterval(() => fs.writeFileSync(path, 'from elsewhere\n'), 5);
    const edited = editFile(
      path,
      (bytes) => {
        fs.writeFileSync(path, 'from elsewhere\n');
        return append('b\n')(bytes);
      },
      { state, patienceMs: 300, onBusy: () => (busy += 1) },
    );
    await expect(edited).rejects.toThrow(`could not write ${path}: other programs keep changing it`);
    clearInterval(writing);
    expect(busy).toBe(1);
    expect(read()).toBe('from elsewhere\n');
    expect(strays()).toEqual([]);
  });

  test('does not take the half of a file that is being written in place for the whole', async () => {
    const whole = '[a]\nk = v\n[b]\nk = v\n';
    for (const half of ['', '[a]\nk']) {
      startWith(half);
      let writing = half === '' ? setTimeout(() => fs.writeFileSync(path, whole), 30) : undefined;
      const setB = (bytes: Buffer): Buffer => {
        // written just now, however long this process has waited for its turn
        if (writing === undefined) {
          fs.writeFileSync(path, half);
          writing = setTimeout(() => fs.writeFileSync(path, whole), 30);
        }
        return setSettings(bytes, 'credentials', 'b', { k: 'x' });
      };
      await editFile(path, setB, { state });
      expect(read()).toBe(whole.replace(/v\n$/, 'x\n'));
    }
  });

  test('that throws leaves the file, the lock and the folder as they were', async () => {
    startWith(old);
    const failing = editFile(
      path,
      () => {
        throw new Error('no');
      },
      { state },
    );
    await expect(failing).rejects.toThrow('no');
    expect(read()).toBe(old);
    await edit('x');
    expect(strays()).toEqual([]);
  });

  test('removes the temporary files of killed runs, and only those', async () => {
    startWith(old);
    const stray = join(home, '.aws', `.credentials.aws-iam-login.${process.pid}.0123abcd.tmp`);
    const others = [
      '.config.aws-iam-login.1.0123abcd.tmp',
      '.credentials.swp',
      '.credentials.aws-iam-login.tmp',
    ];
    for (const each of [stray, ...others.map((name) => join(home, '.aws', name))]) fs.writeFileSync(each, '');
    await edit('x');
    expect(fs.existsSync(stray)).toBe(false);
    for (const name of others) expect(fs.existsSync(join(home, '.aws', name))).toBe(true);
  });

  test('is whole when every write writes only a part', async () => {
    const long = 'x'.repeat(100_000);
    const { error } = await withFault({ under: home, action: 'short', op: 'writeSync' }, () => edit(long));
    expect(error).toBeUndefined();
    expect(read()).toBe(long);
  });

  test(`by ${COUNT} processes of as many different sections at once loses nothing`, async () => {
    const names = Array.from({ length: COUNT }, (_, index) => `profile-${index}`);
    startWith(names.map((name) => `[${name}]\n# of ${name}\nkept = yes\n\n`).join(''));
    const ended = await Promise.all(
      names.map((name) => startChild(script, ['set', path, state, name, `new-${name}`]).ended),
    );
    expect(ended.filter(({ output }) => output !== 'done')).toEqual([]);
    const bytes = fs.readFileSync(path);
    const found = names.map((name) => readProfile(bytes, 'credentials', name)?.settings);
    expect(found).toEqual(
      names.map(
        (name) =>
          new Map([
            ['kept', 'yes'],
            ['value', `new-${name}`],
          ]),
      ),
    );
    expect(read().match(/# of profile-/g)).toHaveLength(COUNT);
    expect(strays()).toEqual([]);
  });
});

type Point = {
  operation: string;
  killed: boolean;
  file: string;
  next: { waits: number; complete: boolean; strays: string[] };
};

// edits in a new process that is killed at operation `at`, then in this one
const killAt = async (action: string, at: number): Promise<Point> => {
  const log = join(root, 'operations');
  fs.rmSync(log, { force: true });
  const env = faultEnvironment({ under: home, action, at, log });
  const { signal } = await startChild(script, ['append', path, state, 'new'], { env }).ended;
  const after = read();
  let waits = 0;
  await editFile(path, append('next\n'), { state, onWait: () => (waits += 1) });
  return {
    operation: fs.readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? '',
    killed: signal === 'SIGKILL',
    file: after === old ? 'old' : after === `${old}new\n` ? 'new' : 'broken',
    next: { waits, complete: read() === `${after}next\n`, strays: strays() },
  };
};

const killEverywhere = async (action: string, prepare: () => Promise<unknown>): Promise<Point[]> => {
  const points: Point[] = [];
  for (let at = 1; ; at += EACH) {
    newHome();
    startWith(old);
    await prepare();
    const point = await killAt(action, at);
    if (!point.killed) return points;
    points.push(point);
  }
};

// a run that was killed right before its rename leaves a lock and a temporary file
const killBeforeRename = (): Promise<unknown> => {
  const env = faultEnvironment({ under: home, action: 'kill', op: 'renameSync', at: 1 });
  return startChild(script, ['append', path, state, 'killed'], { env }).ended;
};

describe('a kill (-9) at a file operation of an edit', () => {
  const rows = [
    { name: 'the first edit ever', action: 'kill', prepare: async () => {} },
    { name: 'in the middle of a write', action: 'torn', prepare: async () => {} },
    { name: 'after a run that was killed too', action: 'kill', prepare: killBeforeRename },
  ];
  for (const { name, action, prepare } of rows) {
    test(`leaves the old or the new file, and nothing in the way: ${name}`, async () => {
      const points = await killEverywhere(action, prepare);
      const lines = points.map(({ operation, file }) => `${operation}: ${file} file`);
      console.log([`kill -9 at ${points.length} operations, ${name}`, ...lines].join('\n'));
      const files = points.map(({ file }) => file);
      const firstNew = files.indexOf('new');
      expect(firstNew * EACH).toBeGreaterThan(20);
      expect(files).toEqual(files.map((_, index) => (index < firstNew ? 'old' : 'new')));
      const fine = { waits: 0, complete: true, strays: [] };
      expect(points.filter(({ next }) => !isDeepStrictEqual(next, fine))).toEqual([]);
    });
  }
});

describe('an error at a file operation', () => {
  type Result = { operation: string; error: unknown; file: string; strays: string[] };

  // does `work` with an error at its first operation, then with one at its second, …
  const failEverywhere = async (action: string, work: () => unknown): Promise<Result[]> => {
    const results: Result[] = [];
    const log = join(root, 'operations');
    for (let at = 1; ; at += 1) {
      newHome();
      startWith(old);
      fs.rmSync(log, { force: true });
      const { count, error } = await withFault({ under: home, action, at, log }, work);
      if (count < at) return results;
      const operation = fs.readFileSync(log, 'utf8').split('\n')[at - 1] ?? '';
      const file = read();
      await edit('next\n');
      results.push({ operation, error, file, strays: strays() });
    }
  };

  for (const action of ['ENOSPC', 'EACCES', 'EIO']) {
    test(`of an edit is a UserError that leaves the old file, or does not matter: ${action}`, async () => {
      const results = await failEverywhere(action, () => edit('new\n'));
      const rename = results.findIndex(({ operation }) => operation.endsWith('renameSync'));
      expect(rename).toBeGreaterThan(20);
      // after the rename only the sync of the folder can fail
      const isFine = ({ error, file }: Result, index: number): boolean =>
        error === undefined || index > rename ? file === `${old}new\n` : file === old;
      expect(results.filter((each, index) => !isFine(each, index))).toEqual([]);
      expect(results.filter(({ error }) => error !== undefined && !isUserError(error))).toEqual([]);
      expect(results.filter((each) => each.strays.length > 0)).toEqual([]);
      expect(results.filter(({ error }) => error !== undefined).length).toBeGreaterThan(20);
    });

    test(`of the check before is a UserError, or does not matter: ${action}`, async () => {
      const results = await failEverywhere(action, () => checkEditable(path, state));
      expect(results.filter(({ error }) => error !== undefined && !isUserError(error))).toEqual([]);
      expect(results.filter((each) => each.file !== old || each.strays.length > 0)).toEqual([]);
      expect(results.filter(({ error }) => error !== undefined).length).toBeGreaterThan(15);
    });
  }
});

describe('an editor that is stopped', () => {
  test('before it looks at the lock for the last time edits again what the next one wrote', async () => {
    startWith('a\n');
    const stopped = startChild(script, ['stop', path, state, 'stopped']);
    await stopped.says('stopping');
    backdateLock();
    await editFile(path, append('other\n'), { state });
    expect(read()).toBe('a\nother\n');
    stopped.kill('SIGCONT');
    expect((await stopped.ended).output).toBe('stopping\nedits 2');
    expect(read()).toBe('a\nother\nstopped\n');
    expect(strays()).toEqual([]);
  });

  test('between that look and the rename does not rename', async () => {
    startWith('a\n');
    const log = join(home, 'log');
    const env = faultEnvironment({ under: join(home, '.aws'), action: 'stop', op: 'renameSync', at: 1, log });
    const stopped = startChild(script, ['append', path, state, 'stopped'], { env });
    await untilFolder(home, () => fs.existsSync(log));
    backdateLock();
    await editFile(path, append('other\n'), { state });
    expect(read()).toBe('a\nother\n');
    stopped.kill('SIGCONT');
    expect((await stopped.ended).output).toBe('done');
    expect(read()).toBe('a\nother\nstopped\n');
    expect(strays()).toEqual([]);
  });
});

const chownIfOurs = (file: string): void => {
  if (fs.existsSync(file) && !fs.lstatSync(file).isSymbolicLink()) fs.chownSync(file, nobody, nobody);
};

// as a user who is not root
const run = async (...words: string[]): Promise<string> => {
  if (isRoot()) for (const each of ['', '.aws', '.aws/credentials']) chownIfOurs(join(home, each));
  return (await startChild(script, words, { unprivileged: true }).ended).output;
};

const check = (): Promise<string> => run('check', path, state);

describe('what would make an edit fail is found before', () => {
  test('nothing, in the usual case', async () => {
    startWith(old);
    expect(await check()).toBe('done');
    expect(read()).toBe(old);
    expect(strays()).toEqual([]);
  });

  test('a file that belongs to somebody else', async () => {
    fs.mkdirSync(join(home, '.aws'));
    fs.symlinkSync('/etc/hosts', path);
    const refusal = '/etc/hosts belongs to root, likely because a command ran with sudo';
    expect(await check()).toContain(refusal);
    expect(await run('append', path, state, 'text')).toContain(refusal);
  });

  test('a file that sudo left to root', async () => {
    startWith(old);
    // who is not root cannot make one, only one that is as unreadable
    fs.chmodSync(path, isRoot() ? 0o600 : 0);
    if (isRoot()) for (const each of [home, join(home, '.aws')]) fs.chownSync(each, nobody, nobody);
    const { output } = await startChild(script, ['read', path], { unprivileged: true }).ended;
    expect(output).toBe(
      isRoot()
        ? `UserError could not read ${path}: ${path} belongs to root, likely because a command ran with sudo HINT sudo chown -R ${nobody} ${path}`
        : `UserError could not read ${path}: permission denied by the mode of ${path} HINT chmod u+rw ${path}`,
    );
  });

  test('a file that is read-only', async () => {
    startWith(old);
    fs.chmodSync(path, 0o400);
    expect(await check()).toBe(
      `UserError could not write ${path}: permission denied by the mode of ${path} HINT chmod u+rw ${path}`,
    );
  });

  test('a folder that is read-only', async () => {
    startWith(old);
    fs.chmodSync(join(home, '.aws'), 0o500);
    fs.mkdirSync(join(home, 'state'));
    state = join(home, 'state');
    if (isRoot()) fs.chownSync(state, nobody, nobody);
    expect(await check()).toBe(
      `UserError could not write ${path}: permission denied by the mode of ${join(home, '.aws')} HINT chmod u+rwx ${join(home, '.aws')}`,
    );
    fs.chmodSync(join(home, '.aws'), 0o700);
  });

  test('a folder that nobody may enter', async () => {
    startWith(old);
    fs.chmodSync(join(home, '.aws'), 0o600);
    expect(await check()).toContain(`permission denied by the mode of ${join(home, '.aws')}`);
    expect(await run('read', path)).toContain(`UserError could not read ${path}: permission denied`);
    fs.chmodSync(join(home, '.aws'), 0o700);
  });

  test('a device in the place of a file', () => {
    expect(() => checkEditable('/dev/null', state)).toThrow('it is a device or a pipe, not a file');
  });

  test('symbolic links in a circle', () => {
    fs.mkdirSync(join(home, '.aws'));
    fs.symlinkSync('credentials', path);
    expect(() => checkEditable(path, state)).toThrow('its symbolic links lead in a circle');
  });

  test('a state folder that holds other things and is open to others', () => {
    fs.writeFileSync(join(home, 'file'), '');
    fs.chmodSync(home, 0o755);
    expect(() => checkEditable(path, home)).toThrow('it holds other files and is open to other users');
    expect(fs.statSync(home).mode & 0o777).toBe(0o755);
  });
});

describe('a file system', () => {
  for (const where of ['on the same disk', 'elsewhere']) {
    test(`that is full: a check and an edit say so and the file stays, state ${where}`, async () => {
      fs.mkdirSync(join(home, '.aws'));
      state = where === 'elsewhere' ? join(home, 'state') : state;
      const mounted = mount(['-t', 'tmpfs', '-o', 'size=64k', 'test', join(home, '.aws')]);
      startWith(old);
      if (mounted) fill(join(home, '.aws', 'filler'));
      const fault = mounted ? noFault : { under: join(home, '.aws'), action: 'ENOSPC', op: 'writeSync' };
      const errors = [
        await withFault(fault, () => checkEditable(path, state)),
        await withFault(fault, () => edit('x'.repeat(9000))),
      ];
      const after = {
        text: read(),
        strays: listTree(join(home, '.aws')).filter((name) => name.endsWith('.tmp')),
      };
      if (mounted) unmount(join(home, '.aws'));
      const full = { name: 'UserError', message: expect.stringContaining('no space is left on the disk') };
      expect(errors).toMatchObject([{ error: full }, { error: full }]);
      expect(after).toEqual({ text: old, strays: [] });
    });
  }

  test('that is read-only is said before', async () => {
    fs.mkdirSync(join(home, '.aws'));
    state = join(home, 'state');
    const mounted = mount(['-t', 'tmpfs', 'test', join(home, '.aws')]);
    startWith(old);
    if (mounted) mount(['-o', 'remount,ro', join(home, '.aws')]);
    const fault = mounted ? noFault : { under: join(home, '.aws'), action: 'EROFS', op: 'openSync' };
    const { error } = await withFault(fault, () => checkEditable(path, state));
    if (mounted) unmount(join(home, '.aws'));
    expect(error).toMatchObject({ message: `could not write ${path}: the file system is read-only` });
  });

  test('of which one file is mounted (containers) is said before, or by the edit', async () => {
    startWith(old);
    fs.writeFileSync(join(home, 'mounted'), old);
    const mounted = mount(['--bind', join(home, 'mounted'), path]);
    const fault = mounted ? noFault : { under: home, action: 'EBUSY', op: 'renameSync' };
    const work = mounted ? () => checkEditable(path, state) : () => edit('x');
    const { error } = await withFault(fault, work);
    if (mounted) unmount(path);
    expect(error).toMatchObject({
      message: `could not write ${path}: it is a mount point, so it cannot be replaced in one step`,
      hint: 'mount the folder that holds the file instead of the file',
    });
    expect(read()).toBe(old);
  });
});

// Where we may not mount, the tests inject the error that the mount would give.
const mount = (words: string[]): boolean =>
  process.platform === 'linux' && isRoot() && spawnSync('mount', words).status === 0;

const unmount = (folder: string): void => void execFileSync('umount', [folder]);

const noFault = { under: '/nonexistent', action: 'none' };

const fill = (file: string): void => {
  const fd = fs.openSync(file, 'w');
  try {
    for (;;) fs.writeSync(fd, Buffer.alloc(1024, 'x'));
  } catch {
    fs.closeSync(fd);
  }
};

describe('a file of our own', () => {
  test('is written whole and 0600, read and removed', () => {
    const file = join(state, 'journals', 'default');
    expect(readStateFile(file)).toBeUndefined();
    writeStateFile(file, 'one');
    writeStateFile(file, 'two');
    expect(readStateFile(file)).toBe('two');
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(fs.statSync(join(state, 'journals')).mode & 0o777).toBe(0o700);
    removeStateFile(file);
    removeStateFile(file);
    expect(listTree(state)).toEqual(['journals']);
  });

  test('lies in a folder that is closed to others, also when it was open', () => {
    fs.mkdirSync(join(state, 'locks'), { recursive: true });
    fs.chmodSync(state, 0o755);
    ensureStateFolder(state);
    expect(fs.statSync(state).mode & 0o777).toBe(0o700);
  });

  test('loses the temporary files of dead writers only', async () => {
    const file = join(state, 'journal');
    const dead = startChild(script, ['check', path, state]);
    await dead.ended;
    ensureStateFolder(state);
    for (const pid of [dead.pid, process.pid]) {
      fs.writeFileSync(join(state, `.journal.aws-iam-login.${pid}.0123abcd.tmp`), '');
    }
    writeStateFile(file, 'text');
    expect(fs.readdirSync(state).sort()).toEqual([
      `.journal.aws-iam-login.${process.pid}.0123abcd.tmp`,
      'journal',
      'locks',
    ]);
  });

  test('that cannot be written is a UserError, and the old one stays', async () => {
    const file = join(state, 'journal');
    writeStateFile(file, 'old');
    const errors: unknown[] = [];
    for (const op of ['openSync', 'writeSync', 'fsyncSync', 'renameSync']) {
      errors.push(
        (await withFault({ under: home, action: 'EIO', op }, () => writeStateFile(file, 'new'))).error,
      );
    }
    expect(errors.map(isUserError)).toEqual([true, true, true, true]);
    expect(readStateFile(file)).toBe('old');
    expect(fs.readdirSync(state)).toEqual(['journal']);
  });
});
