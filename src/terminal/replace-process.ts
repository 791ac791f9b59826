import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import type { Environment } from '../context.ts';
import { findProgram, isExecutableFile } from './find-program.ts';

/**
 * Becomes the command, where Node has `process.execve` and the command will surely start: then this does not return, and
 * nothing of ours stays behind. It returns with nothing done for everything else, such as a command that is not there.
 *
 * Sure it has to be, since Node ends with an abort when execve fails. Nothing may have been written to stdout or stderr
 * before: Node makes pipes non-blocking, and the command would find them so.
 */
export const replaceProcess = (command: readonly string[], env: Environment): void => {
  const execve: unknown = Reflect.get(process, 'execve');
  if (typeof execve !== 'function') return;
  const variables = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const path = findExecutable(command[0] ?? '', env['PATH']);
  if (path === undefined || !isSmall(command, variables)) return;
  // Node ignores these two, and what is ignored stays so in the command; what has a listener is set back.
  for (const signal of ['SIGPIPE', 'SIGXFSZ'] as const) process.on(signal, ignore);
  try {
    Reflect.apply(execve, process, [path, [...command], Object.fromEntries(variables)]);
  } catch {
    for (const signal of ['SIGPIPE', 'SIGXFSZ'] as const) process.removeListener(signal, ignore);
  }
};

const ignore = (): void => {};

// Systems take a megabyte or more; half a command line of that is for a child, whose failure Node survives.
const isSmall = (command: readonly string[], variables: ReadonlyArray<readonly string[]>): boolean =>
  [...command, ...variables.flat()].reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0) < 100_000;

/** Where the command lies, undefined when it is not found or may not be one that the system starts by itself. */
const findExecutable = (name: string, path: string | undefined): string | undefined => {
  const found = findProgram(name, path);
  if (found === undefined) return undefined;
  const interpreter = /^#![ \t]*(\/[^\s\0]+)[^\n\0]*\n/.exec(startOf(found).slice(0, 128))?.[1];
  return isBinaryOfThisMachine(interpreter ?? found) ? found : undefined;
};

/** Whether a file is a program of the kind that Node is itself, with a loader that is there. */
const isBinaryOfThisMachine = (path: string): boolean => {
  if (!isExecutableFile(path)) return false;
  const start = startOf(path);
  const own = startOf(process.execPath);
  if (own.startsWith('\u007FELF')) {
    const loader = /\/[\w./+-]*\/ld[\w.+-]*(?=\0)/.exec(start)?.[0];
    const isSame = [
      [0, 6],
      [18, 20],
    ].every(([from, to]) => start.slice(from, to) === own.slice(from, to));
    return isSame && (loader === undefined || existsSync(loader));
  }
  // of macOS: magic number and processor, or a file for several processors
  return (
    start.length > 8 &&
    (start.slice(0, 8) === own.slice(0, 8) || start.startsWith('\u00CA\u00FE\u00BA\u00BE'))
  );
};

/** The first bytes of a file, one character each; empty when it cannot be read. */
const startOf = (path: string): string => {
  const bytes = Buffer.alloc(4096);
  try {
    const file = openSync(path, 'r');
    try {
      return bytes.toString('latin1', 0, readSync(file, bytes, 0, bytes.length, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
};
