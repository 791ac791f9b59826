#!/usr/bin/env node
import { setTimeout as sleep } from 'node:timers/promises';
import { evaluatedFormat } from './arguments.ts';
import type { Context } from './context.ts';
import { failureOf } from './env.ts';
import { exitCode, isUserError, messageOf, systemCode } from './errors.ts';
import { fastEnv } from './fast-env.ts';

const argv = process.argv.slice(2);
const evaluated = evaluatedFormat(argv);

const context: Context = {
  env: process.env,
  now: Date.now,
  sleep: (milliseconds) => sleep(milliseconds),
  log: (line) => process.stderr.write(`${line}\n`),
  print: (text) => process.stdout.write(text),
};

const main = async (): Promise<void> => {
  if (!isSupported(process.versions.node)) {
    fail(
      new Error(`Node ${process.versions.node} is too old: aws-iam-login needs 20.19 or newer`),
      exitCode.failed,
    );
    return;
  }
  const text = fastEnv(argv, context);
  if (text !== undefined) {
    context.print(text);
    return;
  }
  const { run } = await import('./cli.js');
  process.exitCode = await run(argv, context);
};

const isSupported = (nodeVersion: string): boolean => {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  return major > 20 || (major === 20 && minor >= 19);
};

/** The one place where an error is shown and where the exit code of a failure is set. */
const fail = (error: unknown, code: number): void => {
  process.exitCode = code;
  const debug = argv.includes('--debug');
  const known = isUserError(error);
  context.log(
    `aws-iam-login: ${known || code !== exitCode.failed ? messageOf(error) : `unexpected error: ${messageOf(error)}`}`,
  );
  if (known && error.hint !== undefined) context.log(`  hint: ${error.hint}`);
  if (debug && error instanceof Error) context.log(traceOf(error));
  if (evaluated !== undefined) context.print(failureOf(evaluated));
};

const traceOf = (error: Error): string =>
  `${error.stack ?? error.message}${error.cause instanceof Error ? `\ncaused by: ${error.cause.stack ?? error.cause.message}` : ''}`;

// Nobody reads any more: that is the reader's right. A full disk is not.
process.stdout.on('error', (error) => {
  if (systemCode(error) !== 'EPIPE') {
    process.exitCode = exitCode.failed;
    process.stderr.write(`aws-iam-login: could not write to stdout: ${messageOf(error)}\n`);
  }
});
process.stderr.on('error', () => {});

for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const) {
  process.once(signal, () => {
    if (evaluated !== undefined) context.print(failureOf(evaluated));
    process.exit(128 + number);
  });
}

main().catch((error: unknown) => fail(error, isUserError(error) ? error.exitCode : exitCode.failed));
