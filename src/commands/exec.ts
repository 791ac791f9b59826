import type { Context, Environment } from '../context.ts';
import { sessionVariables } from '../shells/variables.ts';
import type { Variables } from '../shells/variables.ts';
import type { LiveSession } from '../sessions/stored-session.ts';
import { runCommand } from '../terminal/command.ts';

/** Runs a command with the session's variables and returns its exit code, as `runCommand` does. */
export const exec = (
  command: readonly string[],
  live: LiveSession,
  minTtl: number,
  context: Context,
): Promise<number> =>
  runCommand(
    command,
    withVariables(context.env, sessionVariables(live, { as: 'keys', minTtl }, context.env)),
    context,
  );

const withVariables = (env: Environment, variables: Variables): Environment => {
  const changed = { ...env, ...Object.fromEntries(variables) };
  return Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined));
};
