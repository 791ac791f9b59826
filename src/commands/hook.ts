import type { Context } from '../context.ts';
import { exitCode } from '../errors.ts';
import { hookText } from '../shells/scripts.ts';
import { namedShellOf } from './given.ts';
import type { Given } from './given.ts';

/** `hook`: prints the line that loads the shell's script, or with `--path` where that script lies. */
export const runHook = async (given: Given<'path'>, context: Context): Promise<number> => {
  context.print(hookText({ shell: namedShellOf(given, 'hook'), path: given.flag('path') }));
  return exitCode.done;
};
