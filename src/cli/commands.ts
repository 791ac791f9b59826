import type { ProfileKind } from '../profiles/kind.ts';
import { sessionDefaults } from '../sessions/defaults.ts';
import { execForms, formats, forms } from '../shells/names.ts';
import { formatDuration } from '../time.ts';

type Option = {
  readonly type: 'string' | 'boolean';
  readonly describe: string;
  readonly alias?: string;
  /** What stands for the value in the help. */
  readonly value?: string;
  /** The only values there are. */
  readonly choices?: readonly string[];
  /** What Tab offers, where other values will do too. */
  readonly offers?: 'profiles' | readonly string[];
  readonly default?: string;
  readonly hidden?: boolean;
};

/**
 * Every option of every command, named once. Help and parsing follow this table, and the words in completions, hooks
 * and launcher are made from it by `npm run generate`.
 */
export const options = {
  profile: {
    type: 'string',
    alias: 'p',
    value: 'NAME',
    offers: 'profiles',
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
    offers: ['15m', '1h', '4h', '8h', '12h', '24h', '36h'],
    describe: `how long a new session lasts: 15m to 36h (default duration_seconds of the profile, else ${formatDuration(sessionDefaults.duration)})`,
  },
  'min-ttl': {
    type: 'string',
    value: 'TIME',
    describe: `a session with less time left is renewed (default ${formatDuration(sessionDefaults.minTtl)})`,
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
    default: 'keys',
    describe: 'export the keys, AWS_PROFILE, or only what the prompt hook needs',
  },
  unset: { type: 'boolean', describe: 'take back what env has set' },
  roles: { type: 'boolean', describe: 'let the roles of the profile use its session in every AWS tool' },
  undo: { type: 'boolean', describe: 'bring back the lines that --roles has changed' },
  force: { type: 'boolean', describe: 'ask AWS again although the profile is initialised' },
  'no-input': { type: 'boolean', describe: 'never ask anything' },
  quiet: { type: 'boolean', alias: 'q', describe: 'say nothing but errors' },
  debug: { type: 'boolean', describe: 'show where an error comes from' },
  'no-debug': { type: 'boolean', hidden: true, describe: 'the opposite of --debug, as in the origin' },
  path: { type: 'boolean', describe: "print where the shell's script lies" },
  yes: { type: 'boolean', alias: 'y', describe: 'do not ask before the change' },
  all: { type: 'boolean', describe: 'every profile' },
  purge: { type: 'boolean', describe: 'with --remove: the sessions and all notes of ours as well' },
  remove: { type: 'boolean', describe: 'take everything out again' },
  status: { type: 'boolean', describe: 'say what an unfinished rotation has done' },
  resume: { type: 'boolean', describe: 'finish an unfinished rotation' },
  abort: { type: 'boolean', describe: 'undo an unfinished rotation' },
  'delete-other': { type: 'boolean', describe: 'delete the other key of a user who has two' },
  'keep-old': { type: 'boolean', describe: 'leave the old key inactive instead of deleting it' },
  service: {
    type: 'string',
    value: 'SERVICE',
    offers: [
      'billing',
      'cloudformation',
      'cloudwatch',
      'dynamodb',
      'ec2',
      'ecs',
      'eks',
      'iam',
      'lambda',
      'rds',
      's3',
    ],
    describe: 'the page to open, as it is called in the address of the console: s3, ec2',
  },
  print: { type: 'boolean', describe: 'print the URL instead of opening it' },
  browser: {
    type: 'string',
    value: 'NAME',
    offers: ['brave', 'chrome', 'edge', 'firefox'],
    describe: "the browser, instead of the system's: firefox, or the name of a program",
  },
  json: { type: 'boolean', describe: 'print JSON, for scripts' },
  'no-mfa': { type: 'boolean', describe: 'without the condition that demands MFA' },
  hook: { type: 'boolean', hidden: true, describe: 'called by the prompt hook' },
  stored: { type: 'boolean', hidden: true, describe: 'only what is stored and live: exit code 1 without' },
  help: { type: 'boolean', alias: 'h', describe: 'show the help' },
  version: { type: 'boolean', describe: 'print the version' },
} as const satisfies Readonly<Record<string, Option>>;

export type OptionName = keyof typeof options;

/** The name and the properties of an option, by its long or its short name. */
export const findOption = (
  name: string,
): { readonly name: OptionName; readonly option: Option } | undefined => {
  const long = isOption(name) ? name : optionNames.find((candidate) => optionOf(candidate).alias === name);
  return long === undefined ? undefined : { name: long, option: optionOf(long) };
};

const isOption = (name: string): name is OptionName => Object.keys(options).includes(name);

export const optionNames = Object.keys(options).filter(isOption);

/** The properties of an option, as they are for a command if one is named. */
export const optionOf = (name: OptionName, command?: CommandName): Option => ({
  ...options[name],
  ...(command === undefined ? {} : commandOf(command).values?.[name]),
});

type Command = {
  readonly describe: string;
  /** What the word after the command names. */
  readonly operand: 'profile' | 'shell' | 'none';
  /** The kinds of profiles that Tab offers, in this order; `userFirst` where nothing is said. */
  readonly kinds?: readonly ProfileKind[];
  /** What stdout carries. A shell evaluates `variables`, and has to stop when there are none. */
  readonly stdout: 'nothing' | 'variables' | 'text' | "the command's";
  readonly options: readonly OptionName[];
  readonly examples: ReadonlyArray<readonly [string, string]>;
  /** Where an option has other values than in other commands. */
  readonly values?: Partial<
    Record<OptionName, { readonly choices: readonly string[]; readonly describe: string }>
  >;
  /** What else its help says, in lines. */
  readonly note?: readonly string[];
};

/** What Tab offers where a user is meant as often as a role: no SSO profile, for which we have no session. */
export const userFirst: readonly ProfileKind[] = ['user', 'role', 'other', 'session'];
const roleFirst: readonly ProfileKind[] = ['role', 'user', 'other', 'session'];
const onlyUsers: readonly ProfileKind[] = ['user', 'other'];

const everywhere = [
  'no-input',
  'quiet',
  'debug',
  'no-debug',
  'help',
  'version',
] as const satisfies readonly OptionName[];
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
    kinds: onlyUsers,
    stdout: 'nothing',
    options: ['profile', 'serial-number', 'region', 'force', 'roles', 'undo', 'yes', ...everywhere],
    examples: [
      ['aws-iam-login init', 'the profile default'],
      ['aws-iam-login work init', 'the profile work'],
      ['aws-iam-login init work --serial-number GAHT12345678', 'one of several MFA devices'],
      ['aws-iam-login init work --roles', 'no AWS tool asks for a code for its roles any more'],
    ],
  },
  login: {
    describe: 'get a new session with an MFA code, stored as [<profile>-sts]',
    operand: 'profile',
    stdout: 'nothing',
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
    kinds: roleFirst,
    stdout: 'variables',
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
    kinds: roleFirst,
    stdout: 'nothing',
    options: [...session, 'format', 'as', 'unset', ...everywhere],
    examples: [['aws-iam-login use work', 'this shell is work now']],
  },
  exec: {
    describe: 'run a command with the variables of a live session',
    operand: 'profile',
    kinds: roleFirst,
    stdout: "the command's",
    options: [...session, 'as', ...everywhere],
    values: {
      as: {
        choices: execForms,
        describe: 'hand over the keys, or a profile that renews them as SDKs ask for it',
      },
    },
    examples: [
      ['aws-iam-login exec work terraform apply', 'with a session of the profile work'],
      ['aws-iam-login exec work --as process python3 job.py', 'longer than a session lasts'],
      ['aws-iam-login exec -- terraform apply', 'of the profile that is in use, or of default'],
    ],
    note: [
      "The exit code is the command's: 127 when it is not found, 126 when it cannot be executed, 128 plus",
      "the signal's number, and 125 when anything of ours fails before the command starts.",
    ],
  },
  'credential-process': {
    describe: 'print a live session for credential_process in ~/.aws/config',
    operand: 'profile',
    kinds: roleFirst,
    stdout: 'text',
    options: [...session, ...everywhere],
    examples: [
      [
        'credential_process = aws-iam-login credential-process work',
        'in [profile work-live] of ~/.aws/config',
      ],
      ['aws --profile work-live s3 ls', 'asks for a code when there is no session'],
    ],
    note: [
      'Programs that call it together ask once, on the terminal; a question ends after 55 s. Where a',
      'renewal asks nobody (roles, mfa_process) it comes 16 minutes before the end, halfway at most.',
    ],
  },
  rotate: {
    describe: 'replace the access key; an interrupted rotation is finished, or undone with --abort',
    operand: 'profile',
    kinds: onlyUsers,
    stdout: 'text',
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
  status: {
    describe: 'say what this shell and a profile have: who, which session, until when',
    operand: 'profile',
    kinds: [...userFirst, 'SSO'],
    stdout: 'text',
    options: ['profile', 'min-ttl', 'json', ...everywhere],
    examples: [
      ['aws-iam-login status', 'this shell, and its profile'],
      ['aws-iam-login status work --quiet || aws-iam-login work', 'exit code 0 live, 3 not'],
    ],
  },
  list: {
    describe: 'list every profile with its session and the time that is left',
    operand: 'none',
    stdout: 'text',
    options: ['json', ...everywhere],
    examples: [
      ['aws-iam-login list', 'roles stand below their user'],
      ['aws-iam-login list --json', 'for scripts'],
    ],
  },
  logout: {
    describe: 'remove the stored session of a profile, and those of its roles',
    operand: 'profile',
    stdout: 'nothing',
    options: ['profile', 'all', 'hook', ...everywhere],
    examples: [
      ['aws-iam-login logout work', 'work, and the roles that come from it'],
      ['aws-iam-login logout --all', 'every session that login and roles have stored'],
    ],
  },
  console: {
    describe: 'open the AWS console in the browser, signed in as a role',
    operand: 'profile',
    stdout: 'text',
    options: [...session, 'service', 'print', 'browser', ...everywhere],
    examples: [
      ['aws-iam-login console admin', 'the console as the role of profile admin'],
      ['aws-iam-login console admin --service s3', 'a page of it'],
      ['aws-iam-login console admin --print', 'only the URL'],
    ],
    note: [
      'The console stays open for as long as the session of the role lives, an hour at most. For 15',
      'minutes the URL signs in whoever has it. Over ssh and without a display it is printed.',
    ],
  },
  policy: {
    describe: 'print the least-privilege IAM policy that the commands need',
    operand: 'profile',
    stdout: 'text',
    options: ['profile', 'region', 'no-mfa', ...everywhere],
    examples: [['aws-iam-login policy > policy.json', 'for the partition of the profile']],
  },
  hook: {
    describe: 'print the line that loads the prompt hook, use and completion into a shell',
    operand: 'shell',
    stdout: 'text',
    options: ['path', ...everywhere],
    examples: [
      ['eval "$(aws-iam-login hook bash)"', 'bash and zsh'],
      ['aws-iam-login hook fish | source', 'fish'],
    ],
  },
  setup: {
    describe: "install hook and completion, and load them from the shell's rc file",
    operand: 'shell',
    stdout: 'nothing',
    options: ['remove', 'purge', 'yes', ...everywhere],
    examples: [
      ['aws-iam-login setup', 'the shell that you type it in'],
      ['aws-iam-login setup zsh --remove', 'takes everything out again'],
      ['aws-iam-login setup --remove --purge', 'and the stored sessions, before an uninstall'],
    ],
  },
  completion: {
    describe: 'print the completion script of a shell',
    operand: 'shell',
    stdout: 'text',
    options: [...everywhere],
    examples: [
      ['aws-iam-login completion fish > ~/.config/fish/completions/aws-iam-login.fish', 'without the hook'],
    ],
  },
} as const satisfies Readonly<Record<string, Command>>;

export type CommandName = keyof typeof commands;

/** The options that a command takes. */
export type OptionOf<Name extends CommandName> = (typeof commands)[Name]['options'][number];

/** The properties of a command. */
export const commandOf = (name: CommandName): Command => commands[name];

/** Whether a word is a command. */
export const isCommand = (word: string): word is CommandName => Object.keys(commands).includes(word);

export const commandNames = Object.keys(commands).filter(isCommand);
