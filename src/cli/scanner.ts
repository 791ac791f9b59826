import { commandNames, commandOf, findOption, isCommand } from './commands.ts';
import type { CommandName, OptionName } from './commands.ts';
import { usageError } from '../errors.ts';
import { shellWord } from '../text.ts';

/** An option as it was given. */
export type GivenOption = {
  /** Undefined for one that is in no table. */
  readonly name: OptionName | undefined;
  /** Undefined for a flag, and for an option that lacks its value. */
  readonly value: string | undefined;
  /** The option in one word: with its long name and its value where they are known, else as it was written. */
  readonly word: string;
};

/** A command line, cut into what its words are. */
export type Scan = {
  readonly words: readonly string[];
  readonly options: readonly GivenOption[];
  /** What follows `--`, or the command of `exec` that begins without it. */
  readonly rest: readonly string[] | undefined;
  /** All that follows `exec` from its first word on, which may begin the command as well as name a profile; not with `--`. */
  readonly afterExec: readonly string[] | undefined;
};

/**
 * Tells words, options with their values, and what follows `--` apart; the word after the profile of `exec` begins a
 * command as `--` would. Never raises, whatever may be wrong.
 */
export const scan = (argv: readonly string[]): Scan => {
  const words: string[] = [];
  const options: GivenOption[] = [];
  let afterExec: readonly string[] | undefined;
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? '';
    if (argument === '--') return { words, options, rest: argv.slice(index + 1), afterExec: undefined };
    if (!argument.startsWith('-') || argument === '-') {
      if (beginsCommand(words, options)) return { words, options, rest: argv.slice(index), afterExec };
      if (words.length === 1 && words[0] === 'exec') afterExec = argv.slice(index);
      words.push(argument);
      continue;
    }
    const given = argument.startsWith('--') ? [longOption(argument)] : shortOptions(argument);
    const last = given.pop();
    options.push(...given);
    if (last === undefined) continue;
    const next = argv[index + 1];
    if (lacksValue(last) && next !== undefined && next !== '--') {
      options.push(toOption(last.name, next, last.word));
      index += 1;
    } else {
      options.push(last);
    }
  }
  return { words, options, rest: undefined, afterExec };
};

/** Whether the next word is the first of the command that `exec` runs: the profile is named already. */
const beginsCommand = ([first, second]: readonly string[], options: readonly GivenOption[]): boolean => {
  if (first === 'exec') return second !== undefined || options.some(({ name }) => name === 'profile');
  return second === 'exec' && first !== undefined && !isCommand(first);
};

const longOption = (argument: string): GivenOption => {
  const [, name = '', value] = /^--([^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
  return toOption(name, value, argument);
};

/** `-q`, `-qy`, `-p=work`, `-pwork`: flags up to the first option that takes a value, which is the rest. */
const shortOptions = (argument: string): GivenOption[] => {
  const letters = argument.slice(1).split('');
  const place = letters.findIndex((letter) => takesValue(findOption(letter)?.name));
  const flags = place < 0 ? letters : letters.slice(0, place);
  if (!flags.every((letter) => /[A-Za-z]/.test(letter))) return [toOption('', undefined, argument)];
  const given = flags.map((letter) => toOption(letter, undefined, `-${letter}`));
  const letter = place < 0 ? undefined : letters[place];
  if (letter === undefined) return given;
  const value = argument.slice(place + 2).replace(/^=/, '');
  return [...given, toOption(letter, letters.length === place + 1 ? undefined : value, `-${letter}`)];
};

const toOption = (given: string | undefined, value: string | undefined, word: string): GivenOption => {
  const name = findOption(given ?? '')?.name;
  const isWhole = name !== undefined && value !== undefined && takesValue(name);
  return { name, value, word: isWhole ? `--${name}=${value}` : word };
};

const takesValue = (name: OptionName | undefined): boolean =>
  name !== undefined && findOption(name)?.option.type === 'string';

const lacksValue = ({ name, value }: GivenOption): boolean => value === undefined && takesValue(name);

/** Whether a flag was given; of a flag and its opposite (`--no-…`) the last one counts. */
export const isOn = ({ options }: Scan, flag: OptionName): boolean => {
  const last = options.filter(({ name }) => name === flag || name === `no-${flag}`).pop();
  return last?.name === flag && last.value !== 'false';
};

/** The command that was meant, as far as that can be told of a line that may be wrong; undefined when none is named. */
export const commandIn = ({ words: [first = '', second = ''] }: Scan): CommandName | undefined =>
  [first, second].find(isCommand);

/** Whether a command line asks for nothing but help or version; not behind `exec x`, where x may be a program. */
export const asksForHelp = (line: Scan): boolean =>
  line.afterExec === undefined &&
  (isOn(line, 'help') || isOn(line, 'version') || ['help', 'version'].includes(commandIn(line) ?? ''));

/** A command line in one order; what `--help` and `--version` ask for is a command as well. */
export type CommandLine = {
  readonly command: CommandName;
  /** Whether the only word is taken for a profile, and the command for login. */
  readonly implied: boolean;
  readonly operand: string | undefined;
  readonly options: readonly GivenOption[];
  readonly rest: readonly string[] | undefined;
};

/**
 * Both word orders as one: `<command> [profile]` and the origin's `<profile> [command]`, where a missing command is
 * login. Raises UserError (usage), with the word that `nearestOf` finds, for words that fit neither.
 */
export const commandLineOf = (
  line: Scan,
  nearestOf: (word: string, words: readonly string[]) => string | undefined,
): CommandLine => {
  const { words, options, rest } = line;
  const [first, second, third] = words;
  if (isOn(line, 'help') || isOn(line, 'version')) {
    const { command } = commandLineOf({ words, options: [], rest, afterExec: undefined }, nearestOf);
    const [asked, about] = isOn(line, 'help') ? (['help', command] as const) : (['version'] as const);
    const operand = words.length === 0 ? undefined : about;
    return { command: asked, implied: false, operand, options: [], rest: undefined };
  }
  if (third !== undefined) throw usageError(`one word too many: ${shellWord(third)}`);
  if (first === undefined) return { command: 'login', implied: false, operand: undefined, options, rest };
  if (isCommand(first)) {
    if (second !== undefined && commandOf(first).operand === 'none')
      throw usageError(`one word too many: ${shellWord(second)}`);
    return { command: first, implied: false, operand: second, options, rest };
  }
  if (second === undefined) return { command: 'login', implied: true, operand: first, options, rest };
  if (!isCommand(second)) {
    const nearest = nearestOf(second, commandNames) ?? nearestOf(first, commandNames);
    throw usageError(
      `${shellWord(second)} is no command; the commands are ${commandNames.join(', ')}`,
      nearest === undefined ? undefined : `did you mean ${shellWord(nearest)}?`,
    );
  }
  return { command: second, implied: false, operand: first, options, rest };
};
