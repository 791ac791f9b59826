#!/usr/bin/env node
// The process around the program. Whatever is imported here by name is read by every Node since 12, which gets one
// sentence and has to stop a shell that evaluates stdout; all else is imported later.
import { fstatSync, writeSync } from 'node:fs';
import { reportFailure, stopShell } from './cli/failure.ts';
import { asksForHelp, scan } from './cli/scanner.ts';
import { tell, withDropped } from './context.ts';
import type { Context } from './context.ts';
import { UserError, exitCode, messageOf, systemCode } from './errors.ts';
import { shown } from './text.ts';

const argv = process.argv.slice(2);
const line = scan(argv);

/** Puts colour into a line for people, once it is known where that goes. */
let paint = (text: string, _kind: 'error' | undefined): string => text;

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
  log: (text, kind) => process.stderr.write(`${paint(shown(text), kind)}\n`),
  print: (text) => {
    // On a terminal that has gone away even nothing cannot be written, and that error would hide the first one.
    if (text !== '') process.stdout.write(text);
  },
  atSignal: (describe) => {
    describeAtSignal = describe;
  },
  // tty is loaded only where it may be one
  toTerminal: () => fstatSync(1).isCharacterDevice() && process.getBuiltinModule('node:tty').isatty(1),
  columns: () => process.stdout.columns,
};

const main = async (): Promise<void> => {
  checkNode(process.versions.node);
  const { quickAnswer } = await import('./cli/quick.ts');
  const answer = quickAnswer(argv, context);
  if (answer !== undefined && 'text' in answer) {
    process.exitCode = answer.exitCode;
    return printAtOnce(answer.text);
  }
  if (answer !== undefined) {
    const { replaceProcess } = await import('./terminal/replace-process.ts');
    const { runCommand } = await import('./terminal/command.ts');
    replaceProcess(answer.command, answer.env);
    guardStreams();
    process.exitCode = await runCommand(answer.command, answer.env, context);
    return;
  }
  guardStreams();
  if (process.stderr.isTTY) {
    const { linePainter } = await import('./terminal/screen.ts');
    paint = linePainter(context.env);
  }
  if (asksForHelp(line)) {
    // without what only the other commands need
    const { runHelp } = await import('./cli/help.js');
    process.exitCode = await runHelp(line, context);
    return;
  }
  guardSignals();
  const { run } = await import('./cli/run.js');
  process.exitCode = await run(argv, context);
};

/** Raises UserError when this Node is too old. */
const checkNode = (nodeVersion: string): void => {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new UserError(`Node ${nodeVersion} is too old: aws-iam-login needs 20.19 or newer`);
};

// Node's own stdout costs two milliseconds before the first byte.
const printAtOnce = (text: string): void => {
  let left = Buffer.from(text);
  try {
    while (left.length > 0) left = left.subarray(writeSync(1, left));
  } catch (error) {
    if (systemCode(error) === 'EAGAIN') {
      guardStreams();
      process.stdout.write(left);
    } else {
      reportUnwritten(error);
    }
  }
};

const guardStreams = (): void => {
  process.stdout.on('error', reportUnwritten);
  process.stderr.on('error', () => {});
};

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
      if (lines.length > 0 && process.stderr.isTTY) process.stderr.write('\r\u001B[K');
      for (const each of lines) tell(context, each);
      stopShell(line, context);
      // Node aborts when it cannot set back the mode of a terminal that has gone away; the signal itself ends it cleanly.
      if (signal === 'SIGHUP') process.kill(process.pid, signal);
      else process.exit(128 + number);
    });
  }
};

main().catch((error: unknown) => {
  process.exitCode = reportFailure(error, line, context);
});
