import { checkOptions } from './check-options.ts';
import { commandOf, optionOf } from './commands.ts';
import type { CommandName } from './commands.ts';
import type { CommandLine, GivenOption } from './scanner.ts';

/**
 * The values of a command's options by their names. Raises UserError (usage). What the scanner has told apart already
 * needs no yargs, which costs most commands a fifth of their time: it is loaded for flags with a value (`--yes=false`).
 */
export const parseOptions = async ({
  command,
  options: given,
  rest,
}: CommandLine): Promise<ReadonlyMap<string, unknown>> => {
  checkOptions(command, given, rest);
  return plainValues(given) ?? readWithYargs(command, given);
};

/** The values where each option is a flag or has the value that it takes; undefined where there is more to it. */
export const plainValues = (given: readonly GivenOption[]): ReadonlyMap<string, unknown> | undefined => {
  const values = new Map<string, unknown>();
  for (const { name, value } of given) {
    if (name === undefined || (optionOf(name).type === 'string') !== (value !== undefined)) return undefined;
    values.set(name, value ?? true);
  }
  return values;
};

/** The values as yargs reads them. */
export const readWithYargs = async (
  command: CommandName,
  given: readonly GivenOption[],
): Promise<ReadonlyMap<string, unknown>> => {
  const { default: yargs } = await import('yargs');
  const parser = yargs([])
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'short-option-groups': true,
    })
    .help(false)
    .version(false)
    .exitProcess(false);
  for (const name of commandOf(command).options) {
    const { type, alias } = optionOf(name, command);
    parser.option(name, alias === undefined ? { type } : { type, alias });
  }
  return new Map(Object.entries(await parser.parseAsync(given.map(({ word }) => word))));
};
