import yargs from 'yargs';
import { checkOptions } from './check-options.ts';
import { commandOf, optionOf } from './commands.ts';
import type { CommandLine } from './scanner.ts';

/** The values of a command's options by their names, as yargs reads them. Raises UserError (usage). */
export const parseOptions = async ({
  command,
  options: given,
  rest,
}: CommandLine): Promise<ReadonlyMap<string, unknown>> => {
  checkOptions(command, given, rest);
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
