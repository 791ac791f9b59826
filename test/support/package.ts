import fs from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Options, execa } from 'execa';
import { systemCode } from '../../src/errors.ts';
import type { Row } from './bench.ts';

/** The folder of the project. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** What npm says of a package file. */
export type Packed = {
  readonly filename: string;
  /** Bytes of the file, and of all that is in it. */
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
};

/** What `npm pack` puts into the package as dist is now; the file itself is written only where it is told a folder. */
export const pack = async (into?: string, from = root): Promise<Packed> => {
  const where = into === undefined ? ['--dry-run'] : ['--pack-destination', into];
  const { stdout } = await npm(['pack', '--json', '--ignore-scripts', ...where], { cwd: from });
  const told: Readonly<Record<string, Packed>> = JSON.parse(stdout);
  const [packed] = Object.values(told);
  if (packed === undefined) throw new Error(`npm pack told nothing: ${stdout}`);
  return packed;
};

/** Runs npm without what an npm around it has set: this may be a test that `npm test` has started. */
export const npm = async (
  words: readonly string[],
  options: Options & { readonly cwd: string },
): Promise<{ readonly stdout: string; readonly stderr: string }> => {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$)/i.test(name));
  const { stdout, stderr } = await execa('npm', words, {
    ...options,
    env: { ...Object.fromEntries(own), ...options.env },
    extendEnv: false,
  });
  return { stdout: String(stdout), stderr: String(stderr) };
};

/** For the benchmark: what a user downloads and what then lies on the disk, of the project in this folder. */
export const benchPackage = async (from: string): Promise<Row[]> => {
  const { size, unpackedSize, files } = await pack(undefined, from);
  return [
    {
      what: 'package',
      figure: `${files.length} files`,
      note: `${kilobytes(size)} kB packed, ${kilobytes(unpackedSize)} kB unpacked`,
    },
  ];
};

const kilobytes = (bytes: number): string => (bytes / 1000).toFixed(0);

const made = ['.git', 'build', 'dist', 'node_modules', 'THIRD-PARTY-LICENSES'];

/** Copies the project without what is made in it; node_modules come along as hard links where the disk allows it. */
export const copyProject = (folder: string): void => {
  const filter = (path: string): boolean => !made.includes(relative(root, path));
  fs.cpSync(root, folder, { recursive: true, filter });
  linkTree(join(root, 'node_modules'), join(folder, 'node_modules'));
};

const linkTree = (from: string, to: string): void => {
  fs.mkdirSync(to, { recursive: true });
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkTree(source, target);
    else if (entry.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(source), target);
    else linkFile(source, target);
  }
};

const linkFile = (from: string, to: string): void => {
  try {
    fs.linkSync(from, to);
  } catch (error) {
    if (!['EXDEV', 'EPERM', 'EMLINK'].includes(systemCode(error) ?? '')) throw error;
    fs.copyFileSync(from, to);
  }
};
