import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Environment } from '../context.ts';
import { UserError, exitCode } from '../errors.ts';
import { shellWord } from '../text.ts';
import { shells } from './names.ts';
import type { Shell } from './names.ts';

/** The name of the process that started this one; empty where the system does not tell. */
export const parentName = (): string => {
  const parent = String(process.ppid);
  try {
    return process.platform === 'linux'
      ? readFileSync(`/proc/${parent}/comm`, 'utf8').trim()
      : execFileSync('/bin/ps', ['-o', 'comm=', '-p', parent], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
};

/**
 * The shell that called this program: its parent process, else the one that `$SHELL` names. Raises UserError when
 * neither is a shell that we know.
 */
export const callingShell = (parent: string, env: Environment): Shell => {
  const shell = shellNamed(parent) ?? shellNamed(env['SHELL'] ?? '');
  if (shell !== undefined) return shell;
  const name = basename(env['SHELL'] ?? '');
  throw new UserError(
    `setup needs to know the shell: SHELL is ${name === '' ? 'not set' : shellWord(name)}`,
    { hint: `name it: aws-iam-login setup ${shells.join('|')}`, exitCode: exitCode.usage },
  );
};

/** The shell that a path or the name of a process names, undefined for any other program. */
export const shellNamed = (name: string): Shell | undefined => {
  // A login shell's name begins with a dash, and another build's name ends with its version.
  const plain = basename(name)
    .replace(/^-/, '')
    .replace(/-?[\d.]+$/, '');
  return shells.find((shell) => shell === plain);
};
