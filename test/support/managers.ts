import fs from 'node:fs';
import os from 'node:os';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { npm, root } from './package.ts';

export const managers = ['npm', 'pnpm', 'yarn', 'bun'] as const;
export type Manager = (typeof managers)[number];

/** A package manager that installs for all of a user's shells, below one folder. */
export type Installer = {
  /** Whether it installs without a network, and so without the optional package. yarn 1 and bun cannot. */
  readonly isOffline: boolean;
  /** Where it puts the commands of packages. */
  readonly bin: string;
  /** What it keeps of a package that is gone; below the folder, too. */
  readonly cache: string;
  readonly install: (file: string) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
};

/** A package manager that is at work below this folder, which need not be there. Raises an error when the registry lacks it. */
export const installerOf = async (manager: Manager, folder: string): Promise<Installer> => {
  fs.mkdirSync(folder, { recursive: true });
  const cache = join(folder, 'cache');
  if (manager === 'npm') {
    const run = async (...words: string[]): Promise<void> => {
      const place = ['--global', '--prefix', folder, '--cache', cache, '--offline'];
      await npm([...words, ...place], { cwd: folder, env: { HOME: folder } });
    };
    return {
      isOffline: true,
      bin: join(folder, 'bin'),
      cache: 'cache',
      install: (file) => run('install', file),
      remove: (name) => run('uninstall', name),
    };
  }
  const bin = join(folder, 'bin');
  const command = await commandOf(manager);
  const run = async (...words: string[]): Promise<void> => {
    await execa(command, words, {
      cwd: folder,
      env: {
        HOME: folder,
        PNPM_HOME: folder,
        BUN_INSTALL: folder,
        PATH: [bin, process.env['PATH'] ?? ''].join(delimiter),
      },
    });
  };
  if (manager === 'yarn') {
    const place = ['--prefix', folder, '--global-folder', join(folder, 'all'), '--cache-folder', cache];
    return {
      isOffline: false,
      bin,
      cache: 'cache',
      install: (file) => run('global', 'add', `file:${file}`, ...place),
      remove: (name) => run('global', 'remove', name, ...place),
    };
  }
  return {
    isOffline: manager === 'pnpm',
    bin,
    cache: manager === 'bun' ? join('install', 'cache') : 'store',
    install: (file) => run('add', '--global', ...(manager === 'pnpm' ? ['--offline'] : []), file),
    remove: (name) => run('remove', '--global', name),
  };
};

/** Where the registry has the manager, and the command within it. */
const packages = {
  pnpm: { name: 'pnpm@12', command: join('.bin', 'pnpm') },
  yarn: { name: 'yarn@1', command: join('.bin', 'yarn') },
  bun: {
    name: `@oven/bun-${os.platform()}-${os.arch() === 'arm64' ? 'aarch64' : os.arch()}@1`,
    command: join(
      '@oven',
      `bun-${os.platform()}-${os.arch() === 'arm64' ? 'aarch64' : os.arch()}`,
      'bin',
      'bun',
    ),
  },
} as const;

// Fetched once, into `build`.
const commandOf = async (manager: keyof typeof packages): Promise<string> => {
  const { name, command } = packages[manager];
  const home = join(root, 'build', 'managers', manager);
  const path = join(home, 'node_modules', command);
  if (!fs.existsSync(path)) {
    fs.mkdirSync(home, { recursive: true });
    const options = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', home];
    await npm(['install', ...options, name], { cwd: home });
  }
  return path;
};
