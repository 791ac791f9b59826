import { tell } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCode } from '../errors.ts';
import { describeSession } from '../sessions/live-session.ts';
import { login } from '../sessions/login.ts';
import { sessionOptionsOf } from './given.ts';
import type { Given, SessionOption } from './given.ts';

/** `login`: a new session, stored as `[<profile>-sts]`. */
export const runLogin = async (
  given: Given<SessionOption | 'if-needed'>,
  context: Context,
): Promise<number> => {
  const live = await login(
    { ...sessionOptionsOf(given), ifNeeded: given.flag('if-needed'), readsStdin: true },
    context,
  );
  tell(context, describeSession(live, context.now()));
  return exitCode.done;
};
