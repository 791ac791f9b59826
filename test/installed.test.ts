import fs from 'node:fs';
import os from 'node:os';
import { delimiter, dirname, join, relative, sep } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { version } from '../src/version.ts';
import { type Scene, useScene } from './support/fixture.ts';
import { nodeOf } from './support/nodes.ts';
import { type Manager, installerOf, managers } from './support/managers.ts';
import { copyProject, npm, pack, root } from './support/package.ts';
import { type Ended, runCommand, sectionOf, sessionLines } from './support/program.ts';
import { runShell } from './support/shells.ts';
import { atSize } from './support/size.ts';

// What a user gets: the packed file, installed into an empty folder whose name has everything in it that a shell might
// stumble over; without a network where the package manager can do that.

const session = { accessKeyId: 'ASIAONE', secretAccessKey: 'secret', sessionToken: 'token' };

/** The function that the hook leaves in each shell. */
const isDefined = {
  bash: 'declare -F aws-iam-login',
  zsh: 'whence -w aws-iam-login',
  fish: 'functions -q aws-iam-login; and echo aws-iam-login',
} as const;
const hookShells = ['bash', 'zsh', 'fish'] as const;

/** Every file below a folder, by its path there. */
const filesBelow = (name: string): string[] =>
  fs
    .readdirSync(name, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(name, join(entry.parentPath, entry.name)))
    .toSorted();

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
    const { isOffline, bin, cache, install, remove } = await installerOf(manager, prefix);
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
    const library = join('@napi-rs', 'keyring', 'package.json');
    expect(filesBelow(prefix).some((path) => path.endsWith(library))).toBe(!isOffline);
    const stored = isOffline ? (await run('init', 'default', '--key-store', 'system', '--yes')).stderr : '';
    const refusal = 'needs the package @napi-rs/keyring, which is not installed';
    expect(stored).toContain(isOffline ? refusal : '');

    const role = scene.aws.createRole({ name: 'admin', requireMfa: true });
    fs.writeFileSync(home.config, `[profile admin]\nrole_arn = ${role.arn}\nsource_profile = default\n`);
    expect(await run('init', '--force')).toMatchObject({ exitCode: 0, stdout: '' });
    const asRole = await run('credential-process', 'admin');
    expect(asRole).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(asRole.stdout)).toMatchObject({
      Version: 1,
      SessionToken: sectionOf(home, 'admin-sts')['aws_session_token'],
    });

    const before = filesBelow(home.folder);
    for (const shell of hookShells) {
      expect(await run('setup', shell, '--yes')).toMatchObject({ exitCode: 0, stdout: '' });
    }
    expect(filesBelow(home.folder)).toContain(join('.local', 'share', 'aws-iam-login', 'stamp'));
    for (const shell of hookShells) {
      const words = ['setup', shell, '--remove', ...(shell === 'fish' ? ['--purge'] : []), '--yes'];
      expect(await run(...words)).toMatchObject({ exitCode: 0, stdout: '' });
    }
    const ours = before.filter((path) => path.startsWith(join('.aws', 'aws-iam-login')));
    expect(filesBelow(home.folder)).toEqual(before.filter((path) => !ours.includes(path)));
    expect(fs.readFileSync(home.credentials, 'utf8')).not.toContain('-sts]');

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
    const files = filesBelow(prefix).filter((path) => !path.startsWith(join(cache, sep)));
    // the other managers leave lists of their own
    expect(manager === 'npm' ? files : files.filter((path) => /aws-iam-login/.test(path))).toEqual([]);
  });
});

/** Somebody who is not root, where the tests are root. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

test('a plain user runs it from a prefix that he may not write to', async () => {
  const { home, phone } = scene;
  const prefix = join(folder, 'of somebody else');
  const { bin, install } = await installerOf('npm', prefix);
  await install(file);
  fs.chmodSync(folder, 0o755);
  await execa('chmod', ['-R', 'a+rX,a-w', prefix]);
  if ('uid' in nobody) await execa('chown', ['-R', `${nobody.uid}:${nobody.gid}`, home.folder]);
  const run = (...words: string[]) =>
    execa(join(bin, 'aws-iam-login'), words, {
      ...nobody,
      cwd: home.folder,
      env: home.env,
      extendEnv: false,
      reject: false,
    });
  try {
    expect(await run('login', '--token-code', phone.code())).toMatchObject({ exitCode: 0, stdout: '' });
    const { aws_session_token: token } = sectionOf(home, 'default-sts');
    const exec = await run('exec', '--', 'sh', '-c', 'id -u; printenv AWS_SESSION_TOKEN');
    expect(exec).toMatchObject({ exitCode: 0, stdout: `${nobody.uid ?? process.getuid?.()}\n${token}` });
    const { uid, mode } = fs.statSync(home.credentials);
    expect({ uid, mode: mode & 0o777 }).toEqual({ uid: nobody.uid ?? process.getuid?.(), mode: 0o600 });
  } finally {
    await execa('chmod', ['-R', 'u+w', prefix]);
  }
});

describe.each(atSize<readonly string[]>([], ['9.8.7']))('beside version %s', (other) => {
  test('each is itself, and serves the session of the other', async () => {
    const { home, phone } = scene;
    const project = join(folder, 'other');
    copyProject(project);
    const manifest = fs.readFileSync(join(project, 'package.json'), 'utf8');
    fs.writeFileSync(join(project, 'package.json'), manifest.replace(`"${version}"`, `"${other}"`));
    await npm(['run', '--silent', 'build:cli'], { cwd: project });
    const files = [file, join(folder, (await pack(folder, project)).filename)];
    const programs: string[] = [];
    for (const [index, packed] of files.entries()) {
      const { bin, install } = await installerOf('npm', join(folder, `side ${index}`));
      await install(packed);
      programs.push(join(bin, 'aws-iam-login'));
    }
    const [mine = '', others = ''] = programs;
    const run = (program: string, ...words: string[]) => runCommand(home, program, words);
    expect([(await run(mine, '--version')).stdout, (await run(others, '--version')).stdout]).toEqual([
      `${version}\n`,
      `${other}\n`,
    ]);
    expect(await run(others, 'login', '--token-code', phone.code())).toMatchObject({ exitCode: 0 });
    const { aws_session_token: token } = sectionOf(home, 'default-sts');
    for (const program of programs) {
      expect((await run(program, 'exec', '--', 'printenv', 'AWS_SESSION_TOKEN')).stdout).toBe(`${token}\n`);
    }
    for (const program of [mine, others, mine]) {
      expect(await run(program, 'setup', 'bash', '--yes')).toMatchObject({ exitCode: 0 });
    }
  });
});
