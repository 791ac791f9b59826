import { parseWords } from './scanner.ts';
import type { CommandLine } from './scanner.ts';
import { commandNames, isCommand, options, shells } from './commands.ts';
import type { CommandName, OptionName, Shell } from './commands.ts';
import type { Context } from '../context.ts';
import { parseDuration } from '../time.ts';
import { formatEnv, formatVariables, formats } from '../shells/formats.ts';
import type { Format } from '../shells/formats.ts';
import { forms, unsetVariables } from '../shells/variables.ts';
import type { Form } from '../shells/variables.ts';
import { UserError, exitCode, isUserError, usageError } from '../errors.ts';
import { exec } from '../commands/exec.ts';
import { answerStored } from './stored.ts';
import { completion, hook, noteOtherVersion } from '../shells/scripts.ts';
import { describeInit, init } from '../commands/init.ts';
import { describeSession, liveSession, login } from '../sessions/user-session.ts';
import type { SessionOptions } from '../sessions/user-session.ts';
import { nearestOf } from '../nearest.ts';
import { policy } from '../commands/policy.ts';
import { allProfileNames, readSharedFiles } from '../profiles/profile.ts';
import {
  describeRotation,
  describeStatus,
  formatRotation,
  formatStatus,
  readRotationStatus,
  rotate,
} from '../rotation/rotate.ts';
import type { RotateOptions } from '../rotation/rotate.ts';
import { setup } from '../shells/setup.ts';
import { shellWord } from '../text.ts';

/** The values of a command's options, as they were given. */
type Given = {
  readonly text: (name: OptionName) => string | undefined;
  readonly flag: (name: OptionName) => boolean;
  readonly operand: string | undefined;
  readonly rest: readonly string[] | undefined;
};

/** Runs a command line and resolves to the exit code. Raises UserError for what the user should know. */
export const run = async (argv: readonly string[], context: Context): Promise<number> => {
  noteOtherVersion(context);
  const code = answerStored(argv, context);
  if (code !== undefined) return code;
  const line = parseWords(argv, nearestOf);
  if (line.command !== 'exec') return runLine(line, context);
  try {
    return await runLine(line, context);
  } catch (error) {
    throw isUserError(error) ? ownFailure(error) : error;
  }
};

const runLine = async (line: CommandLine, context: Context): Promise<number> => {
  const { parseOptions } = await import('./options.ts');
  const parsed = await parseOptions(line);
  if (parsed.output !== '') {
    context.print(`${parsed.output}\n`);
    return exitCode.done;
  }
  if (line.command === undefined) return exitCode.done;
  if (line.implied && line.operand !== undefined) refuseMistyped(line.operand, context);
  const given = givenOf(parsed.values, line);
  const log = given.flag('quiet') ? () => {} : context.log;
  return handlers[line.command](given, { ...context, log });
};

// The exit codes of exec are the command's: a failure of ours has one that commands do not use.
const ownFailure = ({ message, hint, exitCode: code, cause }: UserError): UserError =>
  new UserError(message, {
    hint,
    exitCode: code === exitCode.interrupted ? code : exitCode.notStarted,
    cause,
  });

/** Raises UserError (usage) when a word that was taken for a profile is none, and rather looks like a command. */
const refuseMistyped = (word: string, context: Context): void => {
  const names = allProfileNames(readSharedFiles(context.env));
  const nearest = names.includes(word) ? undefined : nearestOf(word, [...names, ...commandNames]);
  if (nearest === undefined || !isCommand(nearest)) return;
  throw usageError(
    `${shellWord(word)} is neither a command nor a profile`,
    `did you mean ${shellWord(nearest)}?`,
  );
};

type Handler = (given: Given, context: Context) => Promise<number>;

const handlers: Readonly<Record<CommandName, Handler>> = {
  init: async (given, context) => {
    const result = await init(
      {
        profile: profileOf(given),
        serialNumber: given.text('serial-number'),
        region: given.text('region'),
        input: !given.flag('no-input'),
        force: given.flag('force'),
      },
      context,
    );
    context.log(`aws-iam-login: ${describeInit(result)}`);
    return exitCode.done;
  },

  login: async (given, context) => {
    const live = await login({ ...sessionOptions(given), ifNeeded: given.flag('if-needed') }, context);
    context.log(`aws-iam-login: ${describeSession(live, context.now())}`);
    return exitCode.done;
  },

  env: async (given, context) => {
    const format = choiceOf(given.text('format'), formats, 'env');
    const as = choiceOf(given.text('as'), forms, 'keys');
    if (given.flag('unset')) {
      if (format !== 'process') context.print(formatVariables(unsetVariables(context.env), format));
      return exitCode.done;
    }
    const asked = sessionOptions(given);
    const live = await liveSession(asked, context);
    context.print(formatEnv(live, { format, as, minTtl: asked.minTtl }, context.env));
    return exitCode.done;
  },

  use: async () => {
    throw new UserError('use changes the current shell, and the shell hook is not loaded here', {
      hint: 'run: eval "$(aws-iam-login hook bash)" (or zsh; fish: aws-iam-login hook fish | source), or: aws-iam-login setup',
      exitCode: exitCode.usage,
    });
  },

  exec: async (given, context) => {
    if (given.rest === undefined || given.rest.length === 0) {
      throw new UserError('exec needs a command after --', {
        hint: 'aws-iam-login exec work -- aws s3 ls',
      });
    }
    const asked = sessionOptions(given);
    const live = await liveSession(asked, context);
    return exec(given.rest, live, asked.minTtl, context);
  },

  rotate: async (given, context) => {
    const asked = rotateOptions(given, context);
    const json = given.flag('json');
    if (given.flag('status')) {
      const status = readRotationStatus(asked, context);
      if (json) context.print(formatStatus(status));
      else for (const line of describeStatus(status, context.now())) context.log(`aws-iam-login: ${line}`);
      return exitCode.done;
    }
    const result = await rotate(asked, context);
    context.log(`aws-iam-login: ${describeRotation(result)}`);
    if (json) context.print(formatRotation(result));
    return exitCode.done;
  },

  policy: async (given, context) => {
    const region = given.text('region');
    context.print(policy({ profile: profileOf(given), region, mfa: !given.flag('no-mfa') }, context));
    return exitCode.done;
  },

  hook: async (given, context) => {
    await hook({ shell: namedShellOf(given, 'hook'), path: given.flag('path') }, context);
    return exitCode.done;
  },

  setup: async (given, context) => {
    const { flag } = given;
    await setup(
      { shell: shellOf(given), remove: flag('remove'), yes: flag('yes'), input: !flag('no-input') },
      context,
    );
    return exitCode.done;
  },

  completion: async (given, context) => {
    await completion({ shell: namedShellOf(given, 'completion') }, context);
    return exitCode.done;
  },
};

const shellOf = ({ operand }: Given): Shell | undefined => {
  const shell = shells.find((known) => known === operand);
  if (operand === undefined || shell !== undefined) return shell;
  throw usageError(`${shellWord(operand)} is none of the shells ${shells.join(', ')}`);
};

const namedShellOf = (given: Given, command: string): Shell => {
  const shell = shellOf(given);
  if (shell === undefined) throw usageError(`${command} needs the name of the shell: ${shells.join(', ')}`);
  return shell;
};

const profileOf = (given: Given): string | undefined => {
  const named = given.text('profile');
  if (named !== undefined && given.operand !== undefined && named !== given.operand) {
    throw usageError(`two profiles are named: ${shellWord(given.operand)} and ${shellWord(named)}`);
  }
  return named ?? given.operand;
};

const sessionOptions = (given: Given): SessionOptions => {
  const duration = parseDuration(
    given.text('duration') ?? options.duration.default,
    'duration',
    900,
    129_600,
  );
  const minTtl = parseDuration(given.text('min-ttl') ?? options['min-ttl'].default, 'min-ttl', 0, 129_600);
  if (minTtl >= duration) throw usageError('--min-ttl must be shorter than --duration');
  return {
    profile: profileOf(given),
    tokenCode: given.text('token-code'),
    duration,
    minTtl,
    serialNumber: given.text('serial-number'),
    region: given.text('region'),
    input: !given.flag('no-input'),
    hook: given.flag('hook'),
  };
};

const rotateOptions = (given: Given, context: Context): RotateOptions => {
  const [mode = 'rotate', ...more] = (['status', 'resume', 'abort'] as const).filter(given.flag);
  if (more.length > 0) throw usageError(`--${mode} and --${more.join(' and --')} do not go together`);
  const profile = profileOf(given);
  return {
    profile,
    isNamed: profile !== undefined,
    mode: mode === 'status' ? 'rotate' : mode,
    tokenCode: given.text('token-code'),
    serialNumber: given.text('serial-number'),
    region: given.text('region'),
    deleteOther: given.flag('delete-other'),
    keepOld: given.flag('keep-old'),
    yes: given.flag('yes'),
    input: !given.flag('no-input'),
    progress: given.flag('quiet') ? () => {} : progressLine(context),
  };
};

/** Shows a text in one line that changes; where stderr is no terminal, a line every ten seconds. */
const progressLine = (context: Context): ((text: string) => void) => {
  let last = context.now();
  let isShown = false;
  return (text) => {
    if (process.stderr.isTTY) {
      if (isShown || text !== '')
        process.stderr.write(`\r\u001B[K${text === '' ? '' : `aws-iam-login: ${text}`}`);
      isShown = text !== '';
    } else if (text !== '' && context.now() - last >= 10_000) {
      context.log(`aws-iam-login: ${text}`);
      last = context.now();
    }
  };
};

const choiceOf = <Choice extends Format | Form>(
  given: string | undefined,
  choices: readonly Choice[],
  otherwise: Choice,
): Choice => choices.find((choice) => choice === given) ?? otherwise;

const givenOf = (values: ReadonlyMap<string, unknown>, line: CommandLine): Given => ({
  text: (name) => {
    const value = values.get(name);
    return typeof value === 'string' ? value : undefined;
  },
  flag: (name) => values.get(name) === true,
  operand: line.operand,
  rest: line.rest,
});
