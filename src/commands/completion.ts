import type { Context } from '../context.ts';
import { exitCode } from '../errors.ts';
import { completionText } from '../shells/scripts.ts';
import { namedShellOf } from './given.ts';
import type { Given } from './given.ts';

/** `completion`: prints the shell's completion script. */
export const runCompletion = async (given: Given<never>, context: Context): Promise<number> => {
  context.print(completionText(namedShellOf(given, 'completion')));
  return exitCode.done;
};
