import { commandIn, isOn } from './scanner.ts';
import type { Scan } from './scanner.ts';
import { commandOf, options } from './commands.ts';
import { tell } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCode, isUserError, messageOf } from '../errors.ts';
import { failureOf } from '../shells/names.ts';

/**
 * Shows an error, prints what stops a shell that evaluates stdout, and returns the exit code. Every Node since 12 can
 * run it.
 */
export const reportFailure = (error: unknown, line: Scan, context: Context): number => {
  const code = exitCodeOf(error, line);
  const fromHook = isOn(line, 'hook');
  // The prompt hook that must not ask only wants to know, and says itself what there is to say.
  if (!(fromHook && isOn(line, 'no-input') && code === exitCode.noSession)) {
    tell(context, `${isUserError(error) ? '' : 'unexpected error: '}${messageOf(error)}`, 'error');
    if (isUserError(error) && error.hint !== undefined && !fromHook) context.log(`  hint: ${error.hint}`);
  }
  if (isOn(line, 'debug') && error instanceof Error) context.log(traceOf(error));
  stopShell(line, context);
  return code;
};

/** Prints what stops a shell that evaluates the stdout of this command line; for other command lines nothing. */
export const stopShell = (line: Scan, context: Context): void => {
  const command = commandIn(line);
  if (command === undefined || commandOf(command).stdout !== 'variables' || isOn(line, 'help')) return;
  const format = line.options.find(({ name }) => name === 'format')?.value;
  const text = failureOf(format ?? options.format.default);
  // not even an empty text: a terminal that has gone away takes none
  if (text !== '') context.print(text);
};

// The exit codes of exec are the command's: a failure of ours has one that commands do not use.
const exitCodeOf = (error: unknown, line: Scan): number => {
  const code = isUserError(error) ? error.exitCode : exitCode.failed;
  return commandIn(line) === 'exec' && code !== exitCode.interrupted ? exitCode.notStarted : code;
};

const traceOf = (error: Error): string =>
  `${error.stack ?? error.message}${error.cause instanceof Error ? `\ncaused by: ${error.cause.stack ?? error.cause.message}` : ''}`;
