import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { liveSession } from '../sessions/login.ts';
import { withSession } from '../shells/variables.ts';
import { runCommand } from '../terminal/command.ts';
import { shellWord } from '../text.ts';
import { profileOf, sessionOptionsOf } from './given.ts';
import type { Given, SessionOption } from './given.ts';

/** `exec`: runs a command with the variables of a live session; the exit code is the command's. */
export const runExec = async (given: Given<SessionOption>, context: Context): Promise<number> => {
  const command = given.rest ?? [];
  const named = profileOf(given);
  if (command.length === 0) {
    const words = ['aws-iam-login', 'exec', ...(named === undefined ? [] : [shellWord(named)])];
    throw new UserError('exec needs a command to run', {
      hint: `${words.join(' ')} -- aws sts get-caller-identity`,
    });
  }
  const asked = sessionOptionsOf(given);
  const live = await liveSession(asked, context);
  return runCommand(command, withSession(live, context.env), context);
};
