import { constants } from 'node:os';
import { execa } from 'execa';
import type { Context, Environment } from '../context.ts';
import { sessionVariables } from '../shells/variables.ts';
import type { Variables } from '../shells/variables.ts';
import { UserError, systemCode } from '../errors.ts';
import type { LiveSession } from '../sessions/live-session.ts';
import { shellWord } from '../text.ts';

const forwarded = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGCONT',
  'SIGWINCH',
] as const;

/**
 * Runs a command with the session's variables and returns its exit code as a shell would: its own, 128 plus the
 * signal's number, 127 when it is not found, 126 when it cannot be executed (with one line on stderr).
 */
export const exec = async (
  command: readonly string[],
  live: LiveSession,
  context: Context,
): Promise<number> => {
  const [file = '', ...parameters] = command;
  // The terminal sends its signals to the whole group; what is sent to us alone is passed on. From here on no signal
  // ends this process before the command, which is why we listen before there is one.
  const pass = (signal: NodeJS.Signals): void => {
    const isFromTerminal = ['SIGINT', 'SIGQUIT', 'SIGWINCH'].includes(signal) && process.stdin.isTTY;
    if (!isFromTerminal) child.kill(signal);
  };
  for (const signal of forwarded) process.removeAllListeners(signal).on(signal, pass);
  const child = execa(file, parameters, {
    env: withVariables(context.env, sessionVariables(live, 'keys', context.env)),
    extendEnv: false,
    stdio: 'inherit',
    reject: false,
    preferLocal: false,
    cleanup: false,
  });
  const result = await child;
  for (const signal of forwarded) process.removeListener(signal, pass);
  if (result.signal !== undefined) return 128 + constants.signals[result.signal];
  if (result.exitCode !== undefined) return result.exitCode;
  return startFailure(file, result.cause ?? result, context);
};

const withVariables = (env: Environment, variables: Variables): Environment => {
  const changed = { ...env, ...Object.fromEntries(variables) };
  return Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined));
};

const startFailure = (file: string, error: unknown, context: Context): number => {
  const code = systemCode(error);
  if (code === 'ENOENT') {
    context.log(`aws-iam-login: ${shellWord(file)} is not found`);
    return 127;
  }
  if (code === 'EACCES' || code === 'ENOEXEC' || code === 'EISDIR') {
    context.log(`aws-iam-login: ${shellWord(file)} cannot be executed`);
    return 126;
  }
  throw new UserError(`could not start ${shellWord(file)}: ${code ?? 'unknown error'}`, {
    cause: error,
  });
};
