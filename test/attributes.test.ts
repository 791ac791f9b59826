import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { keepAttributes } from '../src/files/attributes.ts';
import { checkEditable, editFile } from '../src/files/edit.ts';
import { describeOnLinux } from './support/linux.ts';
import { newFolder, nobody } from './support/processes.ts';

// a busy machine is no failure
vi.setConfig({ testTimeout: 60_000 });

const root = newFolder();
let folder: string;
let path: string;
let state: string;

beforeEach(() => {
  folder = fs.mkdtempSync(join(root, 'home-'));
  path = join(folder, "it's ü=1 \\ credentials");
  state = join(folder, 'state');
  fs.writeFileSync(path, '[a]\n', { mode: 0o600 });
});

afterAll(() => fs.rmSync(root, { recursive: true }));

const sh = (tool: string, ...words: string[]): string =>
  execFileSync(tool, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

const acl = (file: string): string => sh('getfacl', '-cpnE', file).trim().split('\n').join(' ');

const edit = (): Promise<boolean> =>
  editFile(path, (bytes) => Buffer.concat([bytes, Buffer.from('k = v\n')]), { state });

// macOS has lists of another kind, and neither setfacl nor getfattr.

const ours = `user:${nobody}`;

describeOnLinux('an edit', () => {
  test('keeps the ACL of a file: who had no access gets none, and who had it keeps it', async () => {
    sh('setfacl', '-m', `${ours}:r--,group::---`, path);
    const before = acl(path);
    expect(before).toBe(`user::rw- ${ours}:r-- group::--- mask::r-- other::---`);
    await edit();
    expect(acl(path)).toBe(before);
    expect(fs.readFileSync(path, 'utf8')).toBe('[a]\nk = v\n');
    expect(fs.statSync(path).mode & 0o777).toBe(0o640);
  });

  test('keeps an ACL whose mask allows nothing', async () => {
    sh('setfacl', '-m', `${ours}:rw-,mask::---`, path);
    const before = acl(path);
    await edit();
    expect(acl(path)).toBe(before);
  });

  test('takes over no default ACL of the folder', async () => {
    fs.chmodSync(path, 0o640);
    sh('setfacl', '-d', '-m', `${ours}:rwx,group::rwx`, folder);
    await edit();
    expect(acl(path)).toBe('user::rw- group::r-- other::---');
  });

  test('keeps the ACL of a file against the default ACL of the folder', async () => {
    sh('setfacl', '-m', `${ours}:r--,group::---`, path);
    sh('setfacl', '-d', '-m', 'user:1:rwx,group::rwx', folder);
    const before = acl(path);
    await edit();
    expect(acl(path)).toBe(before);
  });

  test('makes a new file that nobody else can read, whatever the default ACL says', async () => {
    sh('setfacl', '-d', '-m', `${ours}:rwx,group::rwx`, folder);
    fs.rmSync(path);
    await edit();
    expect(acl(path)).toMatch(/ mask::--- other::---$/);
    expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  });

  test('keeps extended attributes, empty and binary ones too', async () => {
    sh('setfattr', '-n', 'user.origin', '-v', 'https://x/?a=b', path);
    sh('setfattr', '-n', 'user.bytes', '-v', '0x000aff', path);
    sh('setfattr', '-n', 'user.empty', path);
    const attributes = (): string => sh('getfattr', '-d', '-e', 'hex', '--absolute-names', path);
    const before = attributes();
    expect(before.split('\n').filter((line) => line.startsWith('user.'))).toHaveLength(3);
    await edit();
    expect(attributes()).toBe(before);
  });

  test('is refused where the ACL cannot be kept', async () => {
    // as on a file system that takes no ACL from this process
    sh('setfacl', '-m', `${ours}:r--`, path);
    const tools = join(folder, 'tools');
    fs.mkdirSync(tools);
    for (const name of ['getfacl', 'ls']) fs.symlinkSync(`/usr/bin/${name}`, join(tools, name));
    fs.writeFileSync(
      join(tools, 'setfacl'),
      '#!/bin/sh\necho "setfacl: x: Operation not supported" >&2; exit 1\n',
      {
        mode: 0o755,
      },
    );
    const temporary = join(folder, `.credentials.aws-iam-login.${process.pid}.01234567.tmp`);
    fs.writeFileSync(temporary, '', { mode: 0o600 });
    expect(() => keepAttributes(path, temporary, 0o640, { platform: 'linux', folders: [tools] })).toThrow(
      'its access control list or extended attributes could not be kept (the file system does not take them)',
    );
  });

  test('that could not keep the ACL is refused by the check before a code is spent', () => {
    sh('setfacl', '-m', `${ours}:r--`, path);
    const spy = vi.spyOn(fs, 'existsSync').mockImplementation((name) => String(name).endsWith('/ls'));
    try {
      expect(() => checkEditable(path)).toThrow('getfacl and setfacl are missing');
    } finally {
      spy.mockRestore();
    }
    expect(fs.readdirSync(folder)).toEqual([basename(path)]);
  });

  test('is not refused when another process sweeps the temporary file of the check away', async () => {
    const exists = fs.existsSync.bind(fs);
    let sweeps = 0;
    const sweep = vi.spyOn(fs, 'existsSync').mockImplementation((name) => {
      const strays = fs.readdirSync(folder).filter((each) => each.endsWith('.tmp'));
      if (sweeps < 3 && strays.length > 0) {
        for (const each of strays) fs.rmSync(join(folder, each));
        sweeps += 1;
      }
      return exists(name);
    });
    try {
      checkEditable(path);
    } finally {
      sweep.mockRestore();
    }
    expect(sweeps).toBe(3);
    expect(fs.readdirSync(folder)).toEqual([basename(path)]);
  });

  test('of a plain file leaves it plain', async () => {
    fs.chmodSync(path, 0o644);
    checkEditable(path, state);
    await edit();
    expect(acl(path)).toBe('user::rw- group::r-- other::r--');
    expect(sh('getfattr', '-d', '-m', '-', '--absolute-names', path)).not.toContain('posix_acl');
    expect(fs.readdirSync(folder)).toHaveLength(2);
  });
});

const toolsNamed = (...names: string[]): string => {
  const tools = fs.mkdtempSync(join(root, 'tools-'));
  for (const name of names) {
    const real = ['/usr/bin', '/bin'].map((each) => join(each, name)).find((each) => fs.existsSync(each));
    const called = join(tools, `${name}.called`);
    fs.writeFileSync(join(tools, name), `#!/bin/sh\necho >> ${called}\nexec ${real} "$@"\n`, {
      mode: 0o755,
    });
  }
  return tools;
};

const called = (tools: string): number =>
  fs
    .readdirSync(tools)
    .filter((name) => name.endsWith('.called'))
    .reduce((sum, name) => sum + fs.statSync(join(tools, name)).size, 0);

describeOnLinux('the tools of the system', () => {
  let temporary: string;

  beforeEach(() => {
    temporary = join(folder, `.credentials.aws-iam-login.${process.pid}.01234567.tmp`);
  });

  const keep = (tools: string, platform: NodeJS.Platform = 'linux'): void => {
    fs.writeFileSync(temporary, '', { mode: 0o600 });
    keepAttributes(path, temporary, fs.statSync(path).mode, { platform, folders: [tools] });
  };

  test.each([
    ['attr', ['getfattr', 'setfattr']],
    ['acl', ['getfacl', 'setfacl']],
    ['both', ['getfattr', 'setfattr', 'getfacl', 'setfacl']],
  ])(
    'of package %s keep an ACL, remove an inherited one, and cost one process on a plain file',
    (_, names) => {
      const tools = toolsNamed(...names);
      keep(tools);
      expect(called(tools)).toBe(1);
      sh('setfacl', '-d', '-m', `${ours}:rwx,group::rwx`, folder);
      keep(tools);
      fs.chmodSync(temporary, 0o600);
      expect(acl(temporary)).toBe('user::rw- group::--- other::---');
      sh('setfacl', '-m', `user:1:rw-,${ours}:r--,group::---`, path);
      fs.rmSync(temporary);
      keep(tools);
      expect(acl(temporary)).toBe(acl(path));
    },
  );

  test('are not called where there are none, when the mode gives nothing to a group', () => {
    const tools = toolsNamed('ls');
    keep(tools);
    expect(called(tools)).toBe(0);
    fs.chmodSync(path, 0o640);
    keep(tools);
    expect(called(tools)).toBe(1);
  });

  test('are named where they are missing and there is an ACL, on the file or inherited', () => {
    const tools = toolsNamed('ls');
    sh('setfacl', '-m', `${ours}:r--`, path);
    const missing = 'it or its folder has an access control list, and getfacl and setfacl are missing';
    expect(() => keep(tools)).toThrow(missing);
    sh('setfacl', '-b', path);
    fs.chmodSync(path, 0o640);
    sh('setfacl', '-d', '-m', `${ours}:rwx`, folder);
    fs.rmSync(temporary);
    expect(() => keep(tools)).toThrow(missing);
  });

  test('on macOS are cp -p, which brings the content along', () => {
    const tools = toolsNamed('cp');
    sh('setfacl', '-m', `${ours}:r--,group::---`, path);
    keep(tools, 'darwin');
    expect(called(tools)).toBe(1);
    expect(acl(temporary)).toBe(acl(path));
    expect(() => keepAttributes(path, temporary, 0o600, { platform: 'darwin', folders: [] })).toThrow(
      'there is no cp on this machine',
    );
  });
});
