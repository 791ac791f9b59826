import type { GivenOption } from './scanner.ts';
import { commandNames, commandOf, optionOf } from './commands.ts';
import type { CommandName, OptionName } from './commands.ts';
import { usageError } from '../errors.ts';
import type { UserError } from '../errors.ts';
import { nearestOf } from '../nearest.ts';
import { shellWord } from '../text.ts';

/** Raises UserError (usage), in our words, for options that a command does not take like this. */
export const checkOptions = (
  command: CommandName,
  given: readonly GivenOption[],
  rest: readonly string[] | undefined,
): void => {
  if (rest !== undefined && command !== 'exec') throw usageError('only exec takes a command after --');
  const hint = `see: aws-iam-login ${command} --help`;
  const seen = new Set<OptionName>();
  for (const option of given) {
    const { name, value } = option;
    if (name === undefined || !takes(command, name)) throw unknownOption(command, option);
    const { type, value: stands = '', choices } = optionOf(name, command);
    if (type === 'boolean') {
      if (value !== undefined && !['true', 'false'].includes(value))
        throw usageError(`--${name} takes no value`, hint);
      continue;
    }
    if (!value) throw usageError(`--${name} needs a value: --${name} ${stands}`, hint);
    if (seen.has(name)) throw usageError(`--${name} is given twice`, hint);
    seen.add(name);
    if (choices === undefined || choices.includes(value)) continue;
    const nearest = nearestOf(value, choices);
    throw usageError(
      `--${name} is one of ${choices.join(', ')}, not ${shellWord(value)}`,
      nearest === undefined ? hint : `did you mean --${name} ${nearest}?`,
    );
  }
};

const takes = (command: CommandName, name: OptionName): boolean => commandOf(command).options.includes(name);

const unknownOption = (command: CommandName, { name, word }: GivenOption): UserError => {
  const written = word.split('=')[0] ?? word;
  const others =
    name === undefined || optionOf(name).hidden === true
      ? []
      : commandNames.filter((other) => takes(other, name));
  const shownOptions = commandOf(command).options.filter((known) => optionOf(known).hidden !== true);
  const nearest = written.startsWith('--') ? nearestOf(written.slice(2), shownOptions) : undefined;
  return usageError(
    `${command} has no option ${shellWord(written)}${others.length === 0 ? '' : `, which is one of ${others.join(', ')}`}`,
    nearest === undefined ? `see: aws-iam-login ${command} --help` : `did you mean --${nearest}?`,
  );
};
