#!/usr/bin/env node
import { evaluatedFormat } from './cli/scanner.ts';
import { withDropped } from './context.ts';
import type { Context } from './context.ts';
import { failureOf } from './shells/formats.ts';
import { exitCode, isUserError, messageOf, systemCode } from './errors.ts';
import { shown } from './text.ts';

const argv = process.argv.slice(2);

const context: Context = {
  // a copy: the SDK is told things through process.env that no command of ours and no child may see
  env: withDropped(process.env),
  now: Date.now,
  sleep: (milliseconds) =>
    new Promise((resolve) => {
      setTimeout(resolve, milliseconds);
    }),
  // whatever a file, a variable or a server may have put into a message
  log: (line) => process.stderr.write(`${shown(line)}\n`),
  print: (text) => process.stdout.write(text),
};

const main = async (): Promise<void> => {
  if (!isSupported(process.versions.node)) {
    return fail(
      new Error(`Node ${process.versions.node} is too old: aws-iam-login needs 20.19 or newer`),
      true,
    );
  }
  guardStreams();
  guardSignals();
  const { run } = await import('./cli/run.js');
  process.exitCode = await run(argv, context);
};

const isSupported = (nodeVersion: string): boolean => {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  return major > 20 || (major === 20 && minor >= 19);
};

const guardStreams = (): void => {
  process.stdout.on('error', reportUnwritten);
  process.stderr.on('error', () => {});
};

// Nobody reads any more: that is the reader's right. A full disk is not.
const reportUnwritten = (error: unknown): void => {
  if (systemCode(error) === 'EPIPE') return;
  process.exitCode = exitCode.failed;
  context.log(`aws-iam-login: could not write to stdout: ${messageOf(error)}`);
};

/** The one place where an error is shown and where the exit code of a failure is set. */
const fail = (error: unknown, expected = isUserError(error)): void => {
  process.exitCode = isUserError(error) ? error.exitCode : exitCode.failed;
  const fromHook = argv.includes('--hook');
  // The prompt hook that must not ask only wants to know, and says itself what there is to say.
  if (!(fromHook && argv.includes('--no-input') && process.exitCode === exitCode.noSession)) {
    context.log(`aws-iam-login: ${expected ? '' : 'unexpected error: '}${messageOf(error)}`);
    if (isUserError(error) && error.hint !== undefined && !fromHook) context.log(`  hint: ${error.hint}`);
  }
  if (argv.includes('--debug') && error instanceof Error) context.log(traceOf(error));
  printFailure();
};

const printFailure = (): void => {
  const format = evaluatedFormat(argv);
  if (format !== undefined) context.print(failureOf(format));
};

const traceOf = (error: Error): string =>
  `${error.stack ?? error.message}${error.cause instanceof Error ? `\ncaused by: ${error.cause.stack ?? error.cause.message}` : ''}`;

const guardSignals = (): void => {
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const) {
    process.once(signal, () => {
      printFailure();
      // Node aborts when it cannot set back the mode of a terminal that has gone away; the signal itself ends it cleanly.
      if (signal === 'SIGHUP') process.kill(process.pid, signal);
      else process.exit(128 + number);
    });
  }
};

main().catch((error: unknown) => fail(error));
