import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { tell } from '../context.ts';
import type { Context, Environment } from '../context.ts';
import { UserError, systemCode } from '../errors.ts';
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
 * Runs a command on our own stdin, stdout and stderr, passes signals on to it, and returns its exit code as a shell
 * would: its own, 128 plus the signal's number, 127 when it is not found, 126 when it cannot be executed (with one line
 * on stderr). Raises UserError when it cannot be started for another reason.
 */
export const runCommand = async (
  [file = '', ...parameters]: readonly string[],
  env: Environment,
  context: Context,
): Promise<number> => {
  // The terminal sends its signals to the whole group; what is sent to us alone is passed on. From here on no signal
  // ends this process before the command, which is why we listen before there is one.
  let kill: ((signal: NodeJS.Signals) => void) | undefined;
  const pass = (signal: NodeJS.Signals): void => {
    const isFromTerminal = ['SIGINT', 'SIGQUIT', 'SIGWINCH'].includes(signal) && [0, 1, 2].some(isatty);
    if (!isFromTerminal) kill?.(signal);
  };
  for (const signal of forwarded) process.removeAllListeners(signal).on(signal, pass);
  try {
    return await new Promise<number>((resolve, reject) => {
      const child = spawn(file, parameters, { env: { ...env }, stdio: 'inherit' });
      kill = (signal) => void child.kill(signal);
      // a signal that may not be sent, to a command of another user's, is no failure to start
      child.on('error', (error) => {
        if (child.pid === undefined) reject(error);
      });
      child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
    });
  } catch (error) {
    return startFailure(file, error, context);
  } finally {
    for (const signal of forwarded) process.removeListener(signal, pass);
  }
};

const startFailure = (file: string, error: unknown, context: Context): number => {
  const code = systemCode(error);
  if (code === 'ENOENT') {
    tell(context, `${shellWord(file)} is not found`);
    return 127;
  }
  if (code === 'EACCES' || code === 'ENOEXEC' || code === 'EISDIR') {
    tell(context, `${shellWord(file)} cannot be executed`);
    return 126;
  }
  throw new UserError(`could not start ${shellWord(file)}: ${code ?? 'unknown error'}`, { cause: error });
};
