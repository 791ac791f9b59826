import yargs from 'yargs';
import type { CommandLine } from './scanner.ts';
import { commandNames, commandOf, commands, optionOf, options } from './commands.ts';
import type { CommandName, OptionName } from './commands.ts';
import { isUserError, usageError } from '../errors.ts';
import { version } from '../version.ts';

/** The values of the options by their names; `output` is the help or the version when that was asked for. */
export type Parsed = { readonly values: ReadonlyMap<string, unknown>; readonly output: string };

/** Checks the options of a command line with yargs. Raises UserError (usage). */
export const parseOptions = async ({ command, options: given, rest }: CommandLine): Promise<Parsed> => {
  if (rest !== undefined && command !== 'exec') throw usageError('only exec takes a command after --');
  const parser = command === undefined ? generalParser() : commandParser(command);
  let output = '';
  try {
    const values = await parser.parseAsync(
      given.map(({ word }) => word),
      {},
      (_error: unknown, _values: unknown, text: string) => {
        output = text;
      },
    );
    return { values: new Map(Object.entries(values)), output };
  } catch (error) {
    throw isUserError(error) ? error : usageError(error instanceof Error ? error.message : String(error));
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
    .help('help', options.help.describe)
    .alias('help', options.help.alias)
    .version('version', options.version.describe, version)
    .wrap(96)
    .exitProcess(false)
    .showHelpOnFail(false)
    .strict()
    .fail((message: string, error: unknown) => {
      throw error instanceof Error ? error : usageError(message.split('\n').join('; '));
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
  const { describe, operand, options: names, examples, note } = commandOf(command);
  const operands = { profile: ' [profile]', shell: ' <shell>', none: '' };
  const parser = baseParser().usage(
    `${describe}\n\naws-iam-login ${command}${operands[operand]} [options]${command === 'exec' ? ' [--] command …' : ''}`,
  );
  if (note !== undefined) parser.epilogue(note.join('\n'));
  for (const name of names.filter((candidate) => candidate !== 'help' && candidate !== 'version')) {
    const option = optionProperties(name, command);
    parser.option(name, option);
    if (option.type === 'string') parser.requiresArg(name);
  }
  for (const [example, description] of examples) parser.example(example.replace(/^/, ''), description);
  return parser.check((values) => {
    const twice = Object.entries(values).find(([, value]) => Array.isArray(value) && value.length > 1);
    if (twice !== undefined && twice[0] !== '_') throw usageError(`--${twice[0]} is given twice`);
    return true;
  });
};

const optionProperties = (name: OptionName, command: CommandName) => {
  const { type, describe, alias, choices, default: otherwise, hidden } = optionOf(name, command);
  return {
    type,
    describe: otherwise === undefined ? describe : `${describe} (default ${otherwise})`,
    ...(alias === undefined ? {} : { alias }),
    ...(choices === undefined ? {} : { choices: [...choices] }),
    ...(hidden === undefined ? {} : { hidden }),
  };
};
