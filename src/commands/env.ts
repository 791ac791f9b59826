import type { Context } from '../context.ts';
import { exitCode } from '../errors.ts';
import { liveSession } from '../sessions/login.ts';
import { formatEnv, formatVariables } from '../shells/formats.ts';
import { formats, forms } from '../shells/names.ts';
import { unsetVariables } from '../shells/variables.ts';
import { choiceOf, sessionOptionsOf } from './given.ts';
import type { Given, SessionOption } from './given.ts';

/** `env`: prints the variables of a live session, or with `--unset` what takes them back. */
export const runEnv = async (
  given: Given<SessionOption | 'format' | 'as' | 'unset' | 'hook'>,
  context: Context,
): Promise<number> => {
  const format = choiceOf(given.text('format'), formats);
  const as = choiceOf(given.text('as'), forms);
  if (given.flag('unset')) {
    if (format !== 'process') context.print(formatVariables(unsetVariables(context.env), format));
    return exitCode.done;
  }
  const asked = { ...sessionOptionsOf(given), hook: given.flag('hook') };
  const live = await liveSession(asked, context);
  context.print(formatEnv(live, { format, as }, context.env));
  return exitCode.done;
};
