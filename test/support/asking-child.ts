import { runCredentialProcess } from '../../src/commands/credential-process.ts';
import type { Context } from '../../src/context.ts';
import { isUserError, messageOf } from '../../src/errors.ts';

// `credential-process default` with another patience, in seconds: credential-process.test.ts runs it in a terminal.

const context: Context = {
  env: { ...process.env },
  now: Date.now,
  sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  log: (line) => process.stderr.write(`${line}\n`),
  print: (text) => process.stdout.write(text),
};

const given = {
  text: (name: string) => (name === 'duration' ? '12h' : undefined),
  flag: () => false,
  operand: 'default',
  rest: undefined,
};

try {
  process.exitCode = await runCredentialProcess(given, context, Number(process.argv[2]));
} catch (error) {
  context.log(messageOf(error));
  process.exitCode = isUserError(error) ? error.exitCode : 99;
}
