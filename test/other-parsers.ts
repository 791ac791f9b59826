import { execa } from 'execa';
import { loadSharedConfigFiles } from '@smithy/core/config';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileKind } from '../src/ini/section-name.ts';

/**
 * The parsers that AWS's own tools use, run as they are: botocore's configloader in every Python on this
 * machine that has it, and the JavaScript SDK's loadSharedConfigFiles.
 */
export type SharedFile = { readonly kind: FileKind; readonly bytes: Buffer };

/** Profiles with their keys; the keys of nested blocks are joined with a dot (`s3.max`). */
export type Profiles = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** One entry a file, in the order given; `rejected` is the exception of a file that botocore does not read. */
export type BotoAnswer = { readonly rejected: string | undefined; readonly profiles: Profiles };

const PYTHON = `
import json, os, sys
from botocore.configloader import load_config, raw_config_parse
for name in json.load(sys.stdin):
    try:
        found = load_config(name)['profiles'] if name.endswith('config') else raw_config_parse(name)
        print(json.dumps({'profiles': found}))
    except Exception as error:
        print(json.dumps({'rejected': type(error).__name__ + ': ' + str(error)}))
`;

/** Each Python that can import botocore: Debian's own, and the one on PATH. Throws when there is none. */
export const findPythons = async (): Promise<string[]> => {
  const found = new Set<string>();
  for (const python of ['/usr/bin/python3', 'python3']) {
    const { exitCode, stdout } = await execa(
      python,
      ['-c', 'import sys, botocore.configloader; print(sys.executable)'],
      { reject: false },
    );
    if (exitCode === 0) found.add(await realpath(stdout.trim()));
  }
  if (found.size === 0) throw new Error('no Python with botocore: install python3-boto3');
  return [...found];
};

/** What botocore reads in each file. One Python process reads them all. */
export const readWithBoto = async (python: string, files: readonly SharedFile[]): Promise<BotoAnswer[]> =>
  withFiles(files, async (paths) => {
    const { stdout } = await execa(python, ['-X', 'utf8', '-c', PYTHON], {
      input: JSON.stringify(paths),
      maxBuffer: 1e9,
    });
    return stdout.split('\n').map((line) => {
      const answer = recordOf(JSON.parse(line));
      const rejected = typeof answer['rejected'] === 'string' ? answer['rejected'] : undefined;
      return { rejected, profiles: profilesOf(answer['profiles'] ?? {}) };
    });
  });

/** What the JavaScript SDK reads in each file: nothing at all where it throws. */
export const readWithJs = async (files: readonly SharedFile[]): Promise<Profiles[]> =>
  withFiles(files, async (paths) => {
    const answers: Profiles[] = [];
    for (const path of paths) {
      const isConfig = path.endsWith('config');
      const read = await loadSharedConfigFiles({
        filepath: isConfig ? `${path}.none` : path,
        configFilepath: isConfig ? path : `${path}.none`,
        ignoreCache: true,
      });
      answers.push(profilesOf(isConfig ? read.configFile : read.credentialsFile));
    }
    return answers;
  });

const withFiles = async <T>(
  files: readonly SharedFile[],
  read: (paths: string[]) => Promise<T>,
): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'ini-'));
  try {
    const paths = files.map(({ kind }, index) => join(folder, `${index}-${kind}`));
    for (const [index, path] of paths.entries()) await writeFile(path, files[index]?.bytes ?? '');
    return await read(paths);
  } finally {
    await rm(folder, { recursive: true });
  }
};

const profilesOf = (value: unknown): Profiles =>
  new Map(
    Object.entries(recordOf(value))
      // `[constructor]` makes the JavaScript SDK write onto the global Object and answer with that function.
      .filter(([, keys]) => typeof keys === 'object')
      .map(([profile, keys]) => [profile, flatten(recordOf(keys))]),
  );

const flatten = (keys: Record<string, unknown>): Map<string, string> =>
  new Map(
    Object.entries(keys).flatMap(([key, inner]) =>
      typeof inner === 'string'
        ? [[key, inner] as const]
        : Object.entries(recordOf(inner)).map(([name, text]) => [`${key}.${name}`, String(text)] as const),
    ),
  );

const recordOf = (value: unknown): Record<string, unknown> => {
  if (typeof value !== 'object' || value === null) throw new Error('a parser answered with no object');
  return { ...value };
};
