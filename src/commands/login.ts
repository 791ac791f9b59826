import { tell } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCode } from '../errors.ts';
import { getProfile, readSharedFiles } from '../profiles/profile.ts';
import { describeSession } from '../sessions/live-session.ts';
import { login } from '../sessions/login.ts';
import { sessionOptionsOf } from './given.ts';
import type { Given, SessionOption } from './given.ts';

/** `login`: a new session, stored as `[<profile>-sts]`; for a profile that was new to us it offers its roles, too. */
export const runLogin = async (
  given: Given<SessionOption | 'if-needed' | 'quiet'>,
  context: Context,
): Promise<number> => {
  const asked = sessionOptionsOf(given);
  let initialised: string | undefined;
  const onInitialised = (profileName: string): void => {
    initialised = profileName;
  };
  const live = await login(
    { ...asked, ifNeeded: given.flag('if-needed'), readsStdin: true, tellsOfRoles: true, onInitialised },
    context,
  );
  tell(context, describeSession(live, context.now()));
  if (initialised === undefined) return exitCode.done;
  const input = asked.input && !given.flag('quiet');
  const { offerRoles } = await import('./init-roles.ts');
  return offerRoles(getProfile(initialised, readSharedFiles(context.env)), { input }, context);
};
