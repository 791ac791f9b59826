import fs from 'node:fs';
import os from 'node:os';
import { delimiter, dirname, join, relative, sep } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { version } from '../src/version.ts';
import { type Scene, useScene } from './support/fixture.ts';
import { nodeOf } from './support/nodes.ts';
import { type Manager, installerOf, managers } from './support/managers.ts';
import { pack, root } from './support/package.ts';
import { type Ended, runCommand, sectionOf, sessionLines } from './support/program.ts';
import { runShell } from './support/shells.ts';
import { atSize } from './support/size.ts';

// What a user gets: the packed file, installed without a network into an empty folder whose name has everything in it
// that a shell might stumble over.

const session = { accessKeyId: 'ASIAONE', secretAccessKey: 'secret', sessionToken: 'token' };

/** The function that the hook leaves in each shell. */
const isDefined = {
  bash: 'declare -F aws-iam-login',
  zsh: 'whence -w aws-iam-login',
  fish: 'functions -q aws-iam-login; and echo aws-iam-login',
} as const;
const hookShells = ['bash', 'zsh', 'fish'] as const;

type Way = { readonly manager: Manager; readonly major: number | 'this one' };

/** By which package manager, and with which Node. */
const usual: Way = { manager: 'npm', major: 'this one' };
const ways = atSize<readonly Way[]>(
  [usual],
  [
    ...managers.map((manager): Way => ({ ...usual, manager })),
    ...[20, 22, 24, 26].map((major): Way => ({ ...usual, major })),
  ],
);

let folder: string;
let file: string;

beforeAll(async () => {
  folder = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), `aws-iam-login it's "a" $HOME \`id\` -`)));
  file = join(folder, (await pack(folder)).filename);
});

afterAll(() => fs.rmSync(folder, { recursive: true }));

let scene: Scene;
useScene((made) => {
  scene = made;
});

describe.each(ways)('installed from the packed file by $manager, with Node: $major', ({ manager, major }) => {
  test('it does its work, and leaves nothing when it is removed', async () => {
    const node = major === 'this one' ? process.execPath : await nodeOf(major);
    const prefix = join(folder, `${manager} ${major}`);
    const { bin, cache, install, remove } = await installerOf(manager, prefix);
    const { home, phone } = scene;
    const env = { PATH: [bin, dirname(node), home.env['PATH'] ?? ''].join(delimiter) };
    const program = join(bin, 'aws-iam-login');
    const run = (...words: string[]): Promise<Ended> => runCommand(home, program, words, { env });
    const { stdout: used } = await runCommand(home, 'node', ['--version'], { env });
    expect(used).toMatch(major === 'this one' ? `${process.version}\n` : new RegExp(`^v${major}\\.`));

    await install(file);
    expect(fs.readdirSync(bin)).toContain('aws-iam-login');
    // the others do not know manuals
    const manual = join(prefix, 'share', 'man', 'man1', 'aws-iam-login.1');
    expect(fs.existsSync(manual)).toBe(manager === 'npm');
    expect(await run('--version')).toEqual({ exitCode: 0, signal: null, stdout: `${version}\n`, stderr: '' });

    fs.appendFileSync(home.credentials, `[default-sts]\n${sessionLines(session, '2099-01-01T00:00:00Z')}`);
    const script = `eval "$(aws-iam-login env)"; printf %s "$AWS_SESSION_TOKEN"`;
    expect(await runShell(home, 'bash', script, { env })).toMatchObject({ stdout: 'token', stderr: '' });

    const login = await run('login', '--token-code', phone.code());
    expect(login).toMatchObject({ exitCode: 0, stdout: '' });
    const { aws_session_token: token } = sectionOf(home, 'default-sts');
    expect(token).not.toBe('token');
    const exec = await run('exec', '--', 'printenv', 'AWS_SESSION_TOKEN');
    expect(exec).toMatchObject({ exitCode: 0, stdout: `${token}\n` });

    // without a network there is no library for the key store of the system, and nothing else needs it
    const stored = await run('init', 'default', '--key-store', 'system', '--yes');
    expect(stored).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('needs the package @napi-rs/keyring, which is not installed'),
    });

    for (const shell of hookShells) {
      const { stdout: line } = await run('hook', shell);
      const hooked = await runShell(home, shell, `${line}${isDefined[shell]}`, { env });
      expect({ shell, ...hooked }).toMatchObject({ exitCode: 0, stderr: '' });
      expect(hooked.stdout).toContain('aws-iam-login');
      const { stdout: completion } = await run('completion', shell);
      const name = shell === 'zsh' ? '_aws-iam-login' : `aws-iam-login.${shell}`;
      expect(completion).toBe(fs.readFileSync(join(root, 'completions', name), 'utf8'));
    }

    await remove('aws-iam-login');
    expect(fs.readdirSync(bin)).toEqual([]);
    const files = fs
      .readdirSync(prefix, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(prefix, join(entry.parentPath, entry.name)))
      .filter((path) => !path.startsWith(join(cache, sep)));
    // the other managers leave lists of their own
    expect(manager === 'npm' ? files : files.filter((path) => /aws-iam-login/.test(path))).toEqual([]);
  });
});
