import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Context } from '../src/context.ts';
import { copiesOf } from '../src/shells/copies.ts';
import { setup } from '../src/shells/setup.ts';
import type { Installation } from '../src/shells/setup.ts';

let home: string;

beforeEach(() => {
  home = fs.mkdtempSync(join(tmpdir(), 'setup-'));
});

afterEach(() => fs.rmSync(home, { recursive: true }));

const installation: Installation = {
  platform: 'darwin',
  parent: '-bash',
  node: process.execPath,
  entry: '/gone/aws-iam-login.cjs',
  packageRoot: dirname(import.meta.dirname),
};

/** Runs setup with these settings and returns what it said. */
const runSetup = async (
  given: Partial<Installation> & { remove?: boolean; env?: Record<string, string> } = {},
): Promise<string> => {
  const { remove = false, env = {}, ...rest } = given;
  const said: string[] = [];
  const context: Context = {
    env: { HOME: home, ...env },
    now: Date.now,
    sleep: async () => {},
    log: (line) => said.push(line),
    print: (text) => said.push(text),
  };
  const options = { shell: undefined, remove, yes: true, input: false };
  await setup(options, context, { ...installation, ...rest });
  return said.join('\n');
};

const write = (name: string, text: string): void => fs.writeFileSync(join(home, name), text);
const read = (name: string): string => fs.readFileSync(join(home, name), 'utf8');
const marker = '# >>> aws-iam-login >>>';
const setUpFiles = (): string[] =>
  fs
    .readdirSync(home)
    .filter((name) => /^\.(bash|prof)/.test(name) && read(name).includes(marker))
    .sort();

const loginFiles = ['.bash_profile', '.bash_login', '.profile'];

describe('bash on macOS', () => {
  test.each([
    [[], '.bash_profile'],
    [['.profile'], '.profile'],
    [['.bash_login', '.profile'], '.bash_login'],
    [loginFiles, '.bash_profile'],
    [['.bashrc', '.profile'], '.profile'],
  ])('with %j is set up in %s, and every byte is back after --remove', async (names, chosen) => {
    for (const name of names) write(name, `# ${name}\n`);
    const before = fs.readdirSync(home).sort();
    await runSetup();
    expect(setUpFiles()).toEqual([chosen]);
    expect(await runSetup()).toBe(
      'aws-iam-login: bash is set up already; in one that was open before: exec bash -l',
    );
    await runSetup({ remove: true });
    expect(setUpFiles()).toEqual([]);
    expect(
      fs
        .readdirSync(home)
        .filter((name) => before.includes(name) || loginFiles.includes(name))
        .sort(),
    ).toEqual(before);
    for (const name of names) expect(read(name)).toBe(`# ${name}\n`);
  });

  test('a .bash_profile that holds nothing but our block hides a .profile: setup says so, and how to mend it', async () => {
    expect(await runSetup()).not.toContain('hint');
    write('.profile', 'export MINE=1\n');
    const said = await runSetup();
    expect(said).toContain(`login shells do not read ${join(home, '.profile')} because of it`);
    expect(said).toContain('\n  hint: aws-iam-login setup bash --remove && aws-iam-login setup bash');
    await runSetup({ remove: true });
    await runSetup();
    expect(setUpFiles()).toEqual(['.profile']);
    expect(fs.existsSync(join(home, '.bash_profile'))).toBe(false);
  });

  test('the block follows when a file comes up that login shells read first', async () => {
    write('.profile', '# mine\n');
    await runSetup();
    write('.bash_profile', '. ~/.profile\n');
    await runSetup();
    expect(setUpFiles()).toEqual(['.bash_profile']);
    expect(read('.profile')).toBe('# mine\n');
  });

  test('an empty .bash_profile is read by login shells, so it is the one', async () => {
    write('.bash_profile', '');
    write('.profile', '# mine\n');
    await runSetup();
    expect(setUpFiles()).toEqual(['.bash_profile']);
  });

  test('--remove takes the block out of every file that has it', async () => {
    await runSetup();
    write('.profile', read('.bash_profile'));
    write('.bash_profile', '# mine\n');
    await runSetup({ remove: true });
    expect(setUpFiles()).toEqual([]);
    expect(read('.bash_profile')).toBe('# mine\n');
  });
});

test('bash on Linux is set up in .bashrc', async () => {
  for (const name of loginFiles) write(name, '');
  await runSetup({ platform: 'linux' });
  expect(setUpFiles()).toEqual(['.bashrc']);
});

describe('the shell is', () => {
  test.each([
    ['bash', 'zsh', 'bash'],
    ['-zsh', 'bash', 'zsh'],
    ['/opt/homebrew/bin/fish', 'bash', 'fish'],
    ['bash-5.3', 'zsh', 'bash'],
    ['make', 'zsh', 'zsh'],
    ['bashful', 'fish', 'fish'],
    ['', 'bash', 'bash'],
  ])('that of the parent process %j, else of SHELL=/bin/%s: %s', async (parent, shell, expected) => {
    const said = await runSetup({ parent, env: { SHELL: `/bin/${shell}` } });
    expect(said).toContain(`setup ${expected} --remove`);
  });

  test('a usage error where neither names one', async () => {
    await expect(runSetup({ parent: 'make', env: { SHELL: '/bin/tcsh' } })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('tcsh'),
    });
  });
});

test.each([
  ['bash', 'linux', 'exec bash'],
  ['bash', 'darwin', 'exec bash -l'],
  ['zsh', 'darwin', 'exec zsh'],
  ['fish', 'linux', 'exec fish'],
])('after setup, %s on %s is told: %s', async (parent, platform, command) => {
  expect((await runSetup({ parent, platform })).split('\n').at(-1)).toBe(
    `aws-iam-login: done; open a new shell, or: ${command}`,
  );
});

test('what a session script reads is copied before it, so that no kill leaves one that lacks it', () => {
  const copies = copiesOf(installation);
  const names = copies.map(({ name }) => name);
  const reading = copies.flatMap(({ name, text }, place) =>
    [...text.matchAll(/^(?:source|__aws_iam_login_load) \S*?(shell\/[\w.-]+)$/gm)].map(([, needed = '']) => ({
      name,
      isEarlier: names.indexOf(needed) >= 0 && names.indexOf(needed) < place,
    })),
  );
  expect(reading).toEqual([
    { name: 'shell/aws-iam-login-session.bash', isEarlier: true },
    { name: 'shell/aws-iam-login-session.zsh', isEarlier: true },
  ]);
});
