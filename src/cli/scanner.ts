import { commandNames, commandOf, isCommand, optionOf } from './commands.ts';
import type { CommandName } from './commands.ts';
import { usageError } from '../errors.ts';
import { shellWord } from '../text.ts';

/** A command line in one order: the command, its operand, its options as they were written, what follows `--`. */
export type CommandLine = {
  /** Undefined when only options were given, such as `--help`. */
  readonly command: CommandName | undefined;
  /** Whether the only word is taken for a profile, and the command for login. */
  readonly implied: boolean;
  readonly operand: string | undefined;
  readonly options: readonly string[];
  readonly rest: readonly string[] | undefined;
};

/**
 * Both word orders as one: `<command> [profile]` and the origin's `<profile> [command]`, where a missing command is
 * login. Raises UserError (usage), with the word that `nearestOf` finds, for words that fit neither.
 */
export const parseWords = (
  argv: readonly string[],
  nearestOf: (word: string, words: readonly string[]) => string | undefined,
): CommandLine => {
  const { words, options, rest } = splitWords(argv);
  const [first, second, third] = words;
  if (third !== undefined) throw usageError(`one word too many: ${shellWord(third)}`);
  if (first === undefined) {
    const asksForHelp = options.some((option) => ['--help', '-h', '--version'].includes(option));
    return { command: asksForHelp ? undefined : 'login', implied: false, operand: undefined, options, rest };
  }
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

// Options keep their values, so that none of these is taken for a word.
const splitWords = (argv: readonly string[]) => {
  const words: string[] = [];
  const options: string[] = [];
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? '';
    if (argument === '--') return { words, options, rest: argv.slice(index + 1) };
    if (!argument.startsWith('-') || argument === '-') {
      words.push(argument);
      continue;
    }
    options.push(argument);
    const value = argv[index + 1];
    if (takesNextWord(argument) && value !== undefined && value !== '--') {
      options.push(value);
      index += 1;
    }
  }
  return { words, options, rest: undefined };
};

const takesNextWord = (argument: string): boolean =>
  argument.startsWith('--')
    ? !argument.includes('=') && optionOf(argument.slice(2))?.type === 'string'
    : argument.length === 2 && optionOf(argument.slice(1))?.type === 'string';

/**
 * Whether stdout of this command line is text that a shell evaluates, whatever else may be wrong with it, and in
 * which format; undefined when it is not. Never raises.
 */
export const evaluatedFormat = (argv: readonly string[]): string | undefined => {
  const { words, options } = splitWords(argv);
  const [first = '', second] = words;
  if (first !== 'env' && (second !== 'env' || isCommand(first))) return undefined;
  if (options.some((option) => option === '--help' || option === '-h')) return undefined;
  return formatAmong(options) ?? 'env';
};

const formatAmong = (options: readonly string[]): string | undefined => {
  const index = options.findIndex((option) => option === '--format' || option.startsWith('--format='));
  const option = options[index];
  return option === '--format' ? options[index + 1] : option?.slice('--format='.length);
};
