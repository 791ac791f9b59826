import { stdoutScreen } from '../terminal/screen.ts';
import type { Paint } from '../terminal/screen.ts';
import type { Context } from '../context.ts';
import { exitCode, usageError } from '../errors.ts';
import { nearestOf } from '../nearest.ts';
import { shellWord } from '../text.ts';
import { version } from '../version.ts';
import { commandNames, commandOf, everywhere, groups, isCommand, optionOf } from './commands.ts';
import type { CommandName, OptionName } from './commands.ts';
import { checkOptions } from './check-options.ts';
import { commandLineOf } from './scanner.ts';
import type { Scan } from './scanner.ts';
import { readTopic, topicNames } from './topics.ts';

/**
 * Prints what a command line asks for by `help`, `version` or the options of these names. Loads nothing that only other
 * commands need. Raises UserError (usage).
 */
export const runHelp = async (scanned: Scan, context: Context): Promise<number> => {
  const { command, operand, options, rest } = commandLineOf(scanned, nearestOf);
  checkOptions(command, options, rest);
  context.print(command === 'version' ? `${version}\n` : await helpAbout(operand, context));
  return exitCode.done;
};

const helpAbout = async (operand: string | undefined, context: Context): Promise<string> => {
  const { paint } = stdoutScreen(context);
  if (operand === undefined) return join(generalHelp(paint));
  if (isCommand(operand)) return join(commandHelp(operand, paint));
  const topics = topicNames();
  if (topics.includes(operand)) {
    const { renderMarkdown } = await import('../terminal/markdown.ts');
    return renderMarkdown(readTopic(operand), stdoutScreen(context));
  }
  const nearest = nearestOf(operand, [...commandNames, ...topics]);
  throw usageError(
    `${shellWord(operand)} is neither a command nor a topic; the topics are ${topics.join(', ')}`,
    nearest === undefined ? undefined : `did you mean ${nearest}?`,
  );
};

const join = (lines: readonly string[]): string => `${lines.join('\n')}\n`;

/** The help that names every command, in lines of 80 columns at most. */
const generalHelp = (paint: Paint): string[] => [
  'One MFA code a day: AWS sessions for IAM users, in the files and in the shell.',
  '',
  paint('bold', 'Usage'),
  '  aws-iam-login <command> [profile] [options]',
  '  aws-iam-login <profile> [command] [options]     without a command: login',
  ...Object.entries(groups).flatMap(([group, title]) => [
    '',
    paint('bold', title),
    ...columns(
      commandNames
        .filter((name) => commandOf(name).group === group)
        .map((name) => [name, commandOf(name).describe] as const),
      widest(commandNames),
    ),
  ]),
  '',
  paint('bold', 'Options of every command'),
  ...optionLines(everywhere),
  '',
  ...exampleLines(
    [
      ['aws-iam-login', 'an MFA code for a session of default'],
      ['aws-iam-login use work', 'this shell gets the session of work'],
      ['aws-iam-login exec work terraform plan', 'one command gets it'],
    ],
    paint,
  ),
  '',
  paint('bold', 'Exit codes'),
  ...columns(Object.entries(exitCodes)),
  '',
  paint('bold', 'Variables'),
  ...columns(Object.entries(variables)),
  '',
  paint('bold', 'Topics'),
  ...wrapped(topicNames().join(', '), 2),
  '',
  'aws-iam-login help <command or topic> tells more.',
];

const exitCodes: Readonly<Record<string, string>> = {
  [exitCode.done]: 'done',
  [exitCode.failed]: 'failed',
  [exitCode.usage]: 'the command line is wrong',
  [exitCode.noSession]: 'no live session, and nobody can be asked for a code',
  [exitCode.notStarted]: 'exec could not start its command, whose own code it is otherwise',
  [exitCode.interrupted]: 'interrupted or declined',
};

const variables: Readonly<Record<string, string>> = {
  AWS_IAM_LOGIN_PROFILE:
    'the profile where none is named; then AWS_PROFILE and AWS_DEFAULT_PROFILE, else default',
  AWS_IAM_LOGIN_AUTO: 'a profile that new shells take up by themselves',
  AWS_IAM_LOGIN_AS: 'its form: keys, profile or watch',
  AWS_IAM_LOGIN_HOOK: 'what the prompt does: ask, notify or off',
  AWS_IAM_LOGIN_WARN: 'seconds before the end at which the prompt says so',
  AWS_IAM_LOGIN_COMMANDS: 'commands before which zsh and fish ask',
  AWS_IAM_LOGIN_MAX_KEY_AGE: 'days after which doctor calls a key old',
  AWS_IAM_LOGIN_HOME: 'where locks and journals are kept',
  NO_COLOR: 'no colour, whatever it holds',
};

/** The help of one command, in lines of 80 columns at most. */
const commandHelp = (name: CommandName, paint: Paint): string[] => {
  const { describe, operand, options, examples, note = [] } = commandOf(name);
  const own = options.filter((option) => !isEverywhere(option) && optionOf(option, name).hidden !== true);
  const common = everywhere.filter((option) => optionOf(option).hidden !== true);
  return [
    `${paint('bold', `aws-iam-login ${name}`)}: ${describe}`,
    '',
    paint('bold', 'Usage'),
    `  aws-iam-login ${name}${operandWords[operand]} [options]${name === 'exec' ? ' [--] command …' : ''}`,
    ...(operand === 'profile'
      ? [`  aws-iam-login <profile> ${name} [options]${name === 'exec' ? ' [--] command …' : ''}`]
      : []),
    ...note.flatMap((text) => ['', ...wrapped(text, 0)]),
    ...(own.length === 0 ? [] : ['', paint('bold', 'Options'), ...optionLines(own, name)]),
    '',
    paint('bold', own.length === 0 ? 'Options' : 'Options of every command'),
    ...wrapped(common.map((option) => spellingOf(option).trim()).join('   '), 2),
    '',
    ...exampleLines(examples, paint),
  ];
};

const operandWords = {
  profile: ' [profile]',
  shell: ' <shell>',
  topic: ' [command or topic]',
  none: '',
} as const;

const isEverywhere = (name: OptionName): boolean => everywhere.some((known) => known === name);

/** The options with what they mean, those without a short name set in. */
const optionLines = (names: readonly OptionName[], command?: CommandName): string[] =>
  columns(
    names
      .filter((name) => optionOf(name, command).hidden !== true)
      .map((name) => [spellingOf(name), meaningOf(name, command)] as const),
  );

const spellingOf = (name: OptionName): string => {
  const { alias, value } = optionOf(name);
  return `${alias === undefined ? '    ' : `-${alias}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
};

const meaningOf = (name: OptionName, command: CommandName | undefined): string => {
  const { describe, choices, default: otherwise } = optionOf(name, command);
  const values = choices === undefined ? '' : `: ${choices.join(', ')}`;
  return `${describe}${values}${otherwise === undefined ? '' : ` (default ${otherwise})`}`;
};

/** Each example in one line with what it does, or with that below where one of them needs the room. */
const exampleLines = (examples: ReadonlyArray<readonly [string, string]>, paint: Paint): string[] => {
  const width = widest(examples.map(([command]) => command));
  const fits = examples.every(([, text]) => width + text.length + 4 <= columnsOfHelp);
  return [
    paint('bold', 'Examples'),
    ...examples.flatMap(([command, text]) =>
      fits ? [`  ${command.padEnd(width)}  ${text}`] : [`  ${command}`, `      ${text}`],
    ),
  ];
};

const columnsOfHelp = 80;

const widest = (words: readonly string[]): number => Math.max(...words.map((word) => word.length));

/** Words with what they mean beside them. */
const columns = (
  rows: ReadonlyArray<readonly [string, string]>,
  width = widest(rows.map(([word]) => word)),
): string[] =>
  rows.flatMap(([word, text]) =>
    wrapped(text, width + 4).map((line, place) =>
      place === 0 ? `  ${word.padEnd(width)}  ${line.trimStart()}` : line,
    ),
  );

/** A text in lines that are set in by so many columns, broken at blanks. */
const wrapped = (text: string, indent: number): string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/ (?! )/)) {
    if (line !== '' && indent + line.length + 1 + word.length > columnsOfHelp) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word.trimStart() : ` ${word}`;
  }
  return [...lines, line].map((each) => ' '.repeat(indent) + each);
};
