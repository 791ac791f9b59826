import { commandLineOf, scan } from './scanner.ts';
import type { CommandLine, Scan } from './scanner.ts';
import { commandNames, commandOf, isCommand, optionOf } from './commands.ts';
import type { CommandName, OptionName, OptionOf } from './commands.ts';
import { reportFailure } from './failure.ts';
import { parseOptions } from './options.ts';
import type { Given } from '../commands/given.ts';
import { tell } from '../context.ts';
import type { Context } from '../context.ts';
import { usageError } from '../errors.ts';
import { nearestOf } from '../nearest.ts';
import { allProfileNames, knownNames, readSharedFiles } from '../profiles/profile.ts';
import { findProgram } from '../terminal/find-program.ts';
import { shellWord, withShownPaths } from '../text.ts';
import { version } from '../version.ts';

/**
 * Runs a command line and resolves to the exit code: the whole program without its process. The one place where errors
 * are shown; never rejects.
 */
export const run = async (argv: readonly string[], given: Context): Promise<number> => {
  const line = scan(argv);
  const context: Context = {
    ...given,
    log: (text, kind) => given.log(withShownPaths(text, given.env['HOME']), kind),
  };
  try {
    return await runLine(line, context);
  } catch (error) {
    return reportFailure(error, line, context);
  }
};

const runLine = async (scanned: Scan, context: Context): Promise<number> => {
  const line = commandLineOf(scanned, nearestOf);
  refuseProgram(scanned, context);
  if (line.command === 'help' || line.command === 'version')
    return (await import('./help.ts')).runHelp(scanned, context);
  await noteOtherVersion(context);
  const given = givenOf(await parseOptions(line), line);
  const told = given.flag('quiet') ? { ...context, log: () => {} } : context;
  checkNames(line.command, line, given, told);
  return (await handlers[line.command]())(given, told);
};

const noteOtherVersion = async (context: Context): Promise<void> => {
  const hookVersion = context.env['AWS_IAM_LOGIN_HOOK_VERSION'] || version;
  if (hookVersion !== version) (await import('../shells/other-version.ts')).noteVersion(hookVersion, context);
};

/**
 * A word can be a command and a profile. Raises UserError (usage) for a profile that is none and rather is, or looks
 * like, a command; says so where a profile that is called like the command may have been meant (not for what a live
 * session answers at once: `eval "$(aws-iam-login env)"` would say it each time).
 */
const checkNames = (
  command: CommandName,
  { operand, implied }: CommandLine,
  given: Given<OptionName>,
  context: Context,
): void => {
  if (commandOf(command).operand !== 'profile') return;
  if (operand === undefined) {
    if (given.text('profile') === undefined && namesIfAny(context).includes(command))
      tell(context, `${command} is taken for the command: -p ${command} names the profile`);
  } else if (implied) {
    const names = knownNames(readSharedFiles(context.env));
    const nearest = names.includes(operand) ? undefined : nearestOf(operand, [...names, ...commandNames]);
    if (nearest === undefined || !isCommand(nearest)) return;
    throw usageError(
      `${shellWord(operand)} is neither a command nor a profile`,
      `did you mean ${shellWord(nearest)}?`,
    );
  } else if (isCommand(operand)) {
    const names = namesIfAny(context);
    if (names.includes(operand) || !names.includes(command)) return;
    throw usageError(
      `${command} is taken for the command, and there is no profile ${operand}`,
      `name the profile with -p: aws-iam-login ${operand} -p ${command}`,
    );
  }
};

/** Raises UserError when the word that stands where exec has its profile is none, but a program. */
const refuseProgram = ({ afterExec = [] }: Scan, context: Context): void => {
  const [word] = afterExec;
  if (word === undefined || findProgram(word, context.env['PATH']) === undefined) return;
  const names = namesIfAny(context);
  if ([word, `${word}-sts`, word.replace(/-sts$/, '')].some((name) => names.includes(name))) return;
  const line = afterExec.map(shellWord).join(' ');
  throw usageError(
    `${shellWord(word)} is no profile but a program`,
    `to run it: aws-iam-login exec -- ${line.length > longestLine ? `${shellWord(word)} …` : line}`,
  );
};

const longestLine = 200;

// A file that cannot be read is for the command to complain of.
const namesIfAny = (context: Context): string[] => {
  try {
    return allProfileNames(readSharedFiles(context.env));
  } catch {
    return [];
  }
};

const givenOf = (values: ReadonlyMap<string, unknown>, line: CommandLine): Given<OptionName> => ({
  text: (name) => {
    const value = values.get(name);
    return typeof value === 'string' ? value : optionOf(name).default;
  },
  flag: (name) => values.get(name) === true,
  operand: line.operand,
  rest: line.rest,
});

/** Each command is loaded when it is run; it can look at the options that the table gives it, and at no others. */
const handlers: {
  readonly [Name in Exclude<CommandName, 'help' | 'version'>]: () => Promise<
    (given: Given<OptionOf<Name>>, context: Context) => Promise<number>
  >;
} = {
  init: async () => (await import('../commands/init.ts')).runInit,
  login: async () => (await import('../commands/login.ts')).runLogin,
  env: async () => (await import('../commands/env.ts')).runEnv,
  use: async () => (await import('../commands/use.ts')).runUse,
  exec: async () => (await import('../commands/exec.ts')).runExec,
  'credential-process': async () => {
    const { runCredentialProcess } = await import('../commands/credential-process.ts');
    return (given, context) => runCredentialProcess(given, context);
  },
  rotate: async () => (await import('../commands/rotate.ts')).runRotate,
  status: async () => (await import('../commands/status.ts')).runStatus,
  list: async () => (await import('../commands/list.ts')).runList,
  logout: async () => (await import('../commands/logout.ts')).runLogout,
  console: async () => (await import('../commands/console.ts')).runConsole,
  doctor: async () => (await import('../commands/doctor.ts')).runDoctor,
  policy: async () => (await import('../commands/policy.ts')).runPolicy,
  hook: async () => (await import('../commands/hook.ts')).runHook,
  setup: async () => (await import('../commands/setup.ts')).runSetup,
  completion: async () => (await import('../commands/completion.ts')).runCompletion,
};
