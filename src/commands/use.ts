import type { Context, Environment } from '../context.ts';
import { UserError, exitCode } from '../errors.ts';
import { readFileIfAny } from '../files/read.ts';
import { parentName, shellNamed } from '../shells/calling-shell.ts';
import type { Shell } from '../shells/names.ts';
import { rows } from '../shells/rows.ts';
import type { Given } from './given.ts';

/** `use` is the shell hook's: here it can only say how to load that. Raises UserError (usage). */
export const runUse = async (_: Given<never>, { env }: Context): Promise<number> => {
  throw withoutHook(env, parentName(), process.platform);
};

/** What to do in the shell that called, which is the parent process, else the one of `$SHELL`. */
export const withoutHook = (env: Environment, parent: string, platform: string): UserError => {
  const called = shellNamed(parent);
  if (called !== undefined && isInRcFile(called, env, platform)) {
    return new UserError(`use changes the current shell, and this ${called} has not read its rc file yet`, {
      hint: `open a new shell, or: ${rows[called].restart(platform)}`,
      exitCode: exitCode.usage,
    });
  }
  const shell = called ?? shellNamed(env['SHELL'] ?? '');
  const now = shell === undefined ? '' : `, or only in this shell: ${rows[shell].load}`;
  return new UserError('use changes the current shell, and the shell hook is not loaded here', {
    hint: `run: aws-iam-login setup${now}`,
    exitCode: exitCode.usage,
  });
};

/** Whether the rc file loads the hook, by our block or by a line that somebody wrote. */
const isInRcFile = (shell: Shell, env: Environment, platform: string): boolean =>
  rows[shell]
    .rcFiles(env, platform)
    .some((path) => /^[^#\n]*\baws-iam-login\b/m.test(readFileIfAny(path)?.toString('latin1') ?? ''));
