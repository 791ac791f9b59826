import yargs from 'yargs';
import { parseWords } from './arguments.ts';
import type { CommandLine } from './arguments.ts';
import { commandNames, commandOf, commands, options, shells } from './commands.ts';
import type { CommandName, OptionName, Shell } from './commands.ts';
import type { Context } from './context.ts';
import { parseDuration } from './duration.ts';
import { formatEnv, formatVariables, forms, formats, unsetVariables } from './env.ts';
import type { Form, Format } from './env.ts';
import { UserError, exitCode, isUserError } from './errors.ts';
import { exec } from './exec.ts';
import { completion, hook, noteOtherVersion } from './hook.ts';
import { describeInit, init } from './init.ts';
import { describeSession, liveSession, login } from './login.ts';
import type { SessionOptions } from './login.ts';
import { nearestOf } from './nearest.ts';
import { policy } from './policy.ts';
import { printable } from './profiles.ts';
import {
  describeRotation,
  describeStatus,
  formatRotation,
  formatStatus,
  readRotationStatus,
  rotate,
} from './rotate.ts';
import type { RotateOptions } from './rotate.ts';
import { setup } from './setup.ts';
import { version } from './version.ts';

/** The values of a command's options, as they were given. */
type Given = {
  readonly text: (name: OptionName) => string | undefined;
  readonly flag: (name: OptionName) => boolean;
  readonly operand: string | undefined;
  readonly rest: readonly string[] | undefined;
};

/** Runs a command line and resolves to the exit code. Raises UserError for what the user should know. */
export const run = async (argv: readonly string[], context: Context): Promise<number> => {
  const line = parseWords(argv, nearestOf);
  const parsed = await parseOptions(line);
  if (parsed.output !== '') {
    context.print(`${parsed.output}\n`);
    return exitCode.done;
  }
  if (line.command === undefined) return exitCode.done;
  noteOtherVersion(context);
  const given = givenOf(parsed.values, line);
  const log = given.flag('quiet') ? () => {} : context.log;
  return handlers[line.command](given, { ...context, log });
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
        exitCode: 125,
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
  throw usage(`${printable(operand)} is none of the shells ${shells.join(', ')}`);
};

const namedShellOf = (given: Given, command: string): Shell => {
  const shell = shellOf(given);
  if (shell === undefined) throw usage(`${command} needs the name of the shell: ${shells.join(', ')}`);
  return shell;
};

const profileOf = (given: Given): string | undefined => {
  const named = given.text('profile');
  if (named !== undefined && given.operand !== undefined && named !== given.operand) {
    throw usage(`two profiles are named: ${printable(given.operand)} and ${printable(named)}`);
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
  if (minTtl >= duration) throw usage('--min-ttl must be shorter than --duration');
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
  if (more.length > 0) throw usage(`--${mode} and --${more.join(' and --')} do not go together`);
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

const usage = (message: string, hint = 'see: aws-iam-login --help'): UserError =>
  new UserError(message, { hint, exitCode: exitCode.usage });

type Parsed = { readonly values: ReadonlyMap<string, unknown>; readonly output: string };

/** Checks the options with yargs; `output` is the help or the version when that was asked for. */
const parseOptions = async ({ command, options: words, rest }: CommandLine): Promise<Parsed> => {
  if (rest !== undefined && command !== 'exec') throw usage('only exec takes a command after --');
  const parser = command === undefined ? generalParser() : commandParser(command);
  let output = '';
  try {
    const values = await parser.parseAsync(
      [...words],
      {},
      (_error: unknown, _values: unknown, text: string) => {
        output = text;
      },
    );
    return { values: new Map(Object.entries(values)), output };
  } catch (error) {
    throw isUserError(error) ? error : usage(error instanceof Error ? error.message : String(error));
  }
};

const baseParser = () =>
  yargs([])
    .scriptName('aws-iam-login')
    .detectLocale(false)
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'short-option-groups': true,
    })
    .help('help')
    .alias('help', 'h')
    .version(version)
    .wrap(96)
    .exitProcess(false)
    .showHelpOnFail(false)
    .strict()
    .fail((message: string, error: unknown) => {
      throw error instanceof Error ? error : usage(message.split('\n').join('; '));
    });

const generalParser = () => {
  const width = Math.max(...commandNames.map((name) => name.length));
  const list = commandNames.map((name) => `  ${name.padEnd(width)}  ${commands[name].describe}`).join('\n');
  return baseParser()
    .usage(
      [
        'One MFA code a day: AWS sessions for IAM users, in the files and in the shell.',
        '',
        'aws-iam-login <command> [profile] [options]',
        'aws-iam-login <profile> [command] [options]     without a command: login',
        '',
        'Commands:',
        list,
      ].join('\n'),
    )
    .example('aws-iam-login default init', "find the user's name and MFA device")
    .example('aws-iam-login default', 'get a session with an MFA code')
    .example('eval "$(aws-iam-login env default)"', 'put it into the shell')
    .epilogue('aws-iam-login <command> --help tells more about a command.');
};

const commandParser = (command: CommandName) => {
  const { describe, operand, options: names, examples } = commandOf(command);
  const operands = { profile: ' [profile]', shell: ' <shell>', none: '' };
  const parser = baseParser().usage(
    `${describe}\n\naws-iam-login ${command}${operands[operand]} [options]${command === 'exec' ? ' -- command …' : ''}`,
  );
  for (const name of names) {
    const option = optionProperties(name);
    parser.option(name, option);
    if (option.type === 'string') parser.requiresArg(name);
  }
  for (const [example, description] of examples) parser.example(example.replace(/^/, ''), description);
  return parser.check((values) => {
    const twice = Object.entries(values).find(([, value]) => Array.isArray(value) && value.length > 1);
    if (twice !== undefined && twice[0] !== '_') throw usage(`--${twice[0]} is given twice`);
    return true;
  });
};

const optionProperties = (name: OptionName) => {
  const option: (typeof options)[OptionName] & {
    alias?: string;
    choices?: readonly string[];
    hidden?: boolean;
  } = options[name];
  return {
    type: option.type,
    describe: 'default' in option ? `${option.describe} (default ${option.default})` : option.describe,
    ...(option.alias === undefined ? {} : { alias: option.alias }),
    ...(option.choices === undefined ? {} : { choices: [...option.choices] }),
    ...(option.hidden === undefined ? {} : { hidden: option.hidden }),
  };
};

const givenOf = (values: ReadonlyMap<string, unknown>, line: CommandLine): Given => ({
  text: (name) => {
    const value = values.get(name);
    return typeof value === 'string' ? value : undefined;
  },
  flag: (name) => values.get(name) === true,
  operand: line.operand,
  rest: line.rest,
});
