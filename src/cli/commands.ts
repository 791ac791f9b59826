import { formats } from '../shells/formats.ts';
import { forms } from '../shells/variables.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

type Option = {
  readonly type: 'string' | 'boolean';
  readonly describe: string;
  readonly alias?: string;
  /** What stands for the value in the help. */
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly default?: string;
  readonly hidden?: boolean;
};

/** Every option of every command, named once. Help, parsing and completion follow this table. */
export const options = {
  profile: {
    type: 'string',
    alias: 'p',
    value: 'NAME',
    describe: 'the profile, also one that is called like a command',
  },
  'token-code': {
    type: 'string',
    value: 'CODE',
    describe: 'the six digits of the MFA device; - reads them from stdin',
  },
  duration: {
    type: 'string',
    value: 'TIME',
    default: '12h',
    describe: 'how long a new session lasts: 15m to 36h',
  },
  'min-ttl': {
    type: 'string',
    value: 'TIME',
    default: '5m',
    describe: 'a session with less time left is renewed',
  },
  'if-needed': { type: 'boolean', describe: 'keep a session that is still live' },
  'serial-number': { type: 'string', value: 'SERIAL', describe: 'the MFA device, instead of mfa_serial' },
  region: {
    type: 'string',
    value: 'REGION',
    describe: "the region to ask and to export, instead of the profile's",
  },
  format: {
    type: 'string',
    value: 'FORMAT',
    choices: formats,
    default: 'env',
    describe: 'how to print the variables',
  },
  as: {
    type: 'string',
    value: 'FORM',
    choices: forms,
    describe: 'export the keys, AWS_PROFILE, or only what the prompt hook needs',
  },
  unset: { type: 'boolean', describe: 'take back what env has set' },
  force: { type: 'boolean', describe: 'ask AWS again although the profile is initialised' },
  'no-input': { type: 'boolean', describe: 'never ask anything' },
  quiet: { type: 'boolean', alias: 'q', describe: 'say nothing but errors' },
  debug: { type: 'boolean', describe: 'say what is done, and where an error comes from' },
  path: { type: 'boolean', describe: "print where the shell's script lies" },
  yes: { type: 'boolean', alias: 'y', describe: 'do not ask before the change' },
  remove: { type: 'boolean', describe: 'take everything out again' },
  status: { type: 'boolean', describe: 'say what an unfinished rotation has done' },
  resume: { type: 'boolean', describe: 'finish an unfinished rotation' },
  abort: { type: 'boolean', describe: 'undo an unfinished rotation' },
  'delete-other': { type: 'boolean', describe: 'delete the other key of a user who has two' },
  'keep-old': { type: 'boolean', describe: 'leave the old key inactive instead of deleting it' },
  json: { type: 'boolean', describe: 'print the outcome as JSON' },
  'no-mfa': { type: 'boolean', describe: 'without the condition that demands MFA' },
  hook: { type: 'boolean', hidden: true, describe: 'called by the prompt hook' },
  stored: {
    type: 'boolean',
    hidden: true,
    describe: 'only a session that is stored and live: exit code 1 when there is none',
  },
} as const satisfies Readonly<Record<string, Option>>;

export type OptionName = keyof typeof options;

/** The options of this table as they are written on the command line, with their properties. */
export const optionOf = (name: string): Option | undefined =>
  Object.entries<Option>(options).find(([long, option]) => long === name || option.alias === name)?.[1];

type Command = {
  readonly describe: string;
  /** What the word after the command names. */
  readonly operand: 'profile' | 'shell' | 'none';
  readonly options: readonly OptionName[];
  readonly examples: ReadonlyArray<readonly [string, string]>;
};

const everywhere = ['no-input', 'quiet', 'debug'] as const satisfies readonly OptionName[];
const session = [
  'profile',
  'token-code',
  'duration',
  'min-ttl',
  'serial-number',
  'region',
] as const satisfies readonly OptionName[];

/** Every command, in the order of the help. */
export const commands = {
  init: {
    describe: "find the user's name and MFA device, and write them into the profile",
    operand: 'profile',
    options: ['profile', 'serial-number', 'region', 'force', ...everywhere],
    examples: [
      ['aws-iam-login init', 'the profile default'],
      ['aws-iam-login work init', 'the profile work'],
      ['aws-iam-login init work --serial-number GAHT12345678', 'one of several MFA devices'],
    ],
  },
  login: {
    describe: 'get a new session with an MFA code, stored as [<profile>-sts]',
    operand: 'profile',
    options: [...session, 'if-needed', ...everywhere],
    examples: [
      ['aws-iam-login', 'asks for the code of the profile default'],
      ['aws-iam-login work --duration 8h', 'a shorter session'],
      ['oathtool … | aws-iam-login work --token-code -', 'the code from stdin'],
    ],
  },
  env: {
    describe: 'print the variables of a live session for eval; log in first when there is none',
    operand: 'profile',
    options: [...session, 'format', 'as', 'unset', 'hook', 'stored', ...everywhere],
    examples: [
      ['eval "$(aws-iam-login env work)"', 'bash and zsh'],
      ['aws-iam-login env work --format fish | source', 'fish'],
      ['eval "$(aws-iam-login env --unset)"', 'take it back'],
    ],
  },
  use: {
    describe: 'env applied to the current shell (needs the shell hook)',
    operand: 'profile',
    options: [...session, 'format', 'as', 'unset', ...everywhere],
    examples: [['aws-iam-login use work', 'this shell is work now']],
  },
  exec: {
    describe: 'run a command with the variables of a live session',
    operand: 'profile',
    options: [...session, ...everywhere],
    examples: [['aws-iam-login exec work -- terraform apply', "the exit code is the command's"]],
  },
  rotate: {
    describe: 'replace the access key; an interrupted rotation is finished, or undone with --abort',
    operand: 'profile',
    options: [
      'profile',
      'token-code',
      'serial-number',
      'region',
      'status',
      'resume',
      'abort',
      'delete-other',
      'keep-old',
      'yes',
      'json',
      ...everywhere,
    ],
    examples: [
      ['aws-iam-login default rotate', 'a new access key in, the old one out'],
      ['aws-iam-login rotate work --status', 'what an interrupted rotation has done'],
      ['aws-iam-login rotate work --abort', 'back to the old key'],
    ],
  },
  policy: {
    describe: 'print the least-privilege IAM policy that the commands need',
    operand: 'profile',
    options: ['profile', 'region', 'no-mfa', ...everywhere],
    examples: [['aws-iam-login policy > policy.json', 'for the partition of the profile']],
  },
  hook: {
    describe: 'print the line that loads the prompt hook, use and completion into a shell',
    operand: 'shell',
    options: ['path', ...everywhere],
    examples: [
      ['eval "$(aws-iam-login hook bash)"', 'bash and zsh'],
      ['aws-iam-login hook fish | source', 'fish'],
    ],
  },
  setup: {
    describe: "install hook and completion, and load them from the shell's rc file",
    operand: 'shell',
    options: ['remove', 'yes', ...everywhere],
    examples: [
      ['aws-iam-login setup', 'the shell that $SHELL names'],
      ['aws-iam-login setup zsh --remove', 'takes everything out again'],
    ],
  },
  completion: {
    describe: 'print the completion script of a shell',
    operand: 'shell',
    options: [...everywhere],
    examples: [
      ['aws-iam-login completion fish > ~/.config/fish/completions/aws-iam-login.fish', 'without the hook'],
    ],
  },
} as const satisfies Readonly<Record<string, Command>>;

/** The properties of a command. */
export const commandOf = (name: CommandName): Command => commands[name];

export type CommandName = keyof typeof commands;

/** Whether a word is a command. */
export const isCommand = (word: string): word is CommandName => Object.keys(commands).includes(word);

export const commandNames = Object.keys(commands).filter(isCommand);
