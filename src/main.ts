// The process around the program. Whatever is imported here by name is read by every Node since 12, which gets one
// sentence and has to stop a shell that evaluates stdout; all else is imported later.
import { fstatSync, writeSync } from 'node:fs';
import { reportFailure, stopShell } from './cli/failure.ts';
import { quickAnswer } from './cli/quick.ts';
import { asksForHelp, commandIn, scan } from './cli/scanner.ts';
import { tell, withDropped } from './context.ts';
import type { Context } from './context.ts';
import { UserError, exitCode, messageOf, systemCode } from './errors.ts';
import { runCommand } from './terminal/command.ts';
import { replaceProcess } from './terminal/replace-process.ts';
import { linePainter } from './terminal/screen.ts';
import { shown } from './text.ts';

const argv = process.argv.slice(2);
const line = scan(argv);

let describeAtSignal: (() => readonly string[]) | undefined;

const context: Context = {
  // a copy: the SDK is told things through process.env that no command of ours and no child may see
  env: withDropped(process.env),
  now: Date.now,
  sleep: (milliseconds) =>
    new Promise((resolve) => {
      setTimeout(resolve, milliseconds);
    }),
  // whatever a file, a variable or a server may have put into a message
  log: (text, kind) => {
    stderr().write(`${painter()(shown(text), kind)}\n`);
  },
  print: (text) => printAtOnce(text),
  atSignal: (describe) => {
    describeAtSignal = describe;
  },
  // tty is loaded only where it may be one
  toTerminal: () => isTerminal(1),
  columns: () => process.stdout.columns,
};

const main = async (): Promise<void> => {
  checkNode(process.versions.node);
  const answer = quickAnswer(argv, context);
  if (answer !== undefined && 'text' in answer) {
    process.exitCode = answer.exitCode;
    return printAtOnce(answer.text);
  }
  if (answer !== undefined) {
    replaceProcess(answer.command, answer.env);
    process.exitCode = await runCommand(answer.command, answer.env, context);
    return;
  }
  if (asksForHelp(line)) {
    // without what only the other commands need
    const { runHelp } = await import('./cli/help.ts');
    process.exitCode = await runHelp(line, context);
    return;
  }
  guardSignals();
  // its progress does not go through the context
  if (commandIn(line) === 'rotate') stderr();
  const { run } = await import('./cli/run.ts');
  process.exitCode = await run(argv, context);
};

/** Raises UserError when this Node is too old. */
const checkNode = (nodeVersion: string): void => {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new UserError(`Node ${nodeVersion} is too old: aws-iam-login needs 20.19 or newer`);
};

// Node's own stdout costs two to four milliseconds before the first byte; it takes what cannot be written at once.
let waitsForReader = false;

const printAtOnce = (text: string): void => {
  if (waitsForReader) {
    process.stdout.write(text);
    return;
  }
  let left = Buffer.from(text);
  try {
    while (left.length > 0) left = left.subarray(writeSync(1, left));
  } catch (error) {
    if (systemCode(error) !== 'EAGAIN') return reportUnwritten(error);
    waitsForReader = true;
    process.stdout.on('error', reportUnwritten).write(left);
  }
};

const isTerminal = (stream: 1 | 2): boolean => {
  try {
    return fstatSync(stream).isCharacterDevice() && process.getBuiltinModule('node:tty').isatty(stream);
  } catch {
    return false;
  }
};

const once = <Value extends object>(make: () => Value): (() => Value) => {
  let made: Value | undefined;
  return () => (made ??= make());
};

/** Puts colour into a line for people, where they see it. */
const painter = once(() =>
  isTerminal(2) ? linePainter(context.env) : (text: string, _kind: 'error' | undefined): string => text,
);

const stderr = once(() => process.stderr.on('error', () => {}));

// Nobody reads any more: that is the reader's right. A full disk is not.
const reportUnwritten = (error: unknown): void => {
  if (systemCode(error) === 'EPIPE') return;
  process.exitCode = exitCode.failed;
  tell(context, `could not write to stdout: ${messageOf(error)}`);
};

const guardSignals = (): void => {
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const) {
    process.once(signal, () => {
      const lines = describeAtSignal?.() ?? [];
      // the terminal may have shown ^C, behind a line about a wait
      if (lines.length > 0 && isTerminal(2)) stderr().write('\r\u001B[K');
      for (const each of lines) tell(context, each);
      stopShell(line, context);
      // Node aborts when it cannot set back the mode of a terminal that has gone away; the signal itself ends it cleanly.
      if (signal === 'SIGHUP') process.kill(process.pid, signal);
      else process.exit(128 + number);
    });
  }
};

/** Runs the program. */
export const start = (): void => {
  main().catch((error: unknown) => {
    process.exitCode = reportFailure(error, line, context);
  });
};
