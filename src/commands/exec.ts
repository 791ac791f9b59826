import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { liveSession } from '../sessions/login.ts';
import { withSession } from '../shells/variables.ts';
import { runCommand } from '../terminal/command.ts';
import { sessionOptionsOf } from './given.ts';
import type { Given, SessionOption } from './given.ts';

/** `exec`: runs a command with the variables of a live session; the exit code is the command's. */
export const runExec = async (given: Given<SessionOption>, context: Context): Promise<number> => {
  if (given.rest === undefined || given.rest.length === 0) {
    throw new UserError('exec needs a command after --', {
      hint: 'aws-iam-login exec work -- aws s3 ls',
    });
  }
  const asked = sessionOptionsOf(given);
  const live = await liveSession(asked, context);
  return runCommand(given.rest, withSession(live, context.env), context);
};
