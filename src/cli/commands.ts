import type { ProfileKind } from '../profiles/kind.ts';
import { sessionDefaults } from '../sessions/defaults.ts';
import { execForms, formats, forms } from '../shells/names.ts';
import { keyPlaces } from '../stores/names.ts';
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
    describe: 'the profile, also one named like a command',
  },
  'token-code': {
    type: 'string',
    value: 'CODE',
    describe: 'the six digits; - reads them from stdin',
  },
  duration: {
    type: 'string',
    value: 'TIME',
    offers: ['15m', '1h', '4h', '8h', '12h', '24h', '36h'],
    describe: `how long a new session lasts, 15m to 36h (default ${formatDuration(sessionDefaults.duration)}, or duration_seconds of the profile)`,
  },
  'min-ttl': {
    type: 'string',
    value: 'TIME',
    describe: `renew a session with less time left (default ${formatDuration(sessionDefaults.minTtl)})`,
  },
  'if-needed': { type: 'boolean', describe: 'keep a session that is still live' },
  'serial-number': { type: 'string', value: 'SERIAL', describe: 'the MFA device, instead of mfa_serial' },
  region: {
    type: 'string',
    value: 'REGION',
    describe: "the region to ask and export, not the profile's",
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
  'key-store': {
    type: 'string',
    value: 'NAME',
    choices: keyPlaces,
    describe: 'move the access key into a key store; file: back into the file',
  },
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
  offline: { type: 'boolean', describe: 'ask AWS nothing' },
  'max-key-age': {
    type: 'string',
    value: 'DAYS',
    offers: ['30', '60', '90', '180', '365'],
    describe: 'after how many days a key is old (default 90)',
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

/** The groups of commands in the help, and what stands above each. */
export const groups = {
  daily: 'Daily',
  setup: 'Setting up',
  keys: 'Keys',
  help: 'Help',
} as const;

type Command = {
  /** One line of the help: 56 characters at most. */
  readonly describe: string;
  readonly group: keyof typeof groups;
  /** What the word after the command names. */
  readonly operand: 'profile' | 'shell' | 'topic' | 'none';
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
  /** What else its help says, in paragraphs. */
  readonly note?: readonly string[];
};

/** What Tab offers where a user is meant as often as a role: no SSO profile, for which we have no session. */
export const userFirst: readonly ProfileKind[] = ['user', 'role', 'other', 'session'];
const roleFirst: readonly ProfileKind[] = ['role', 'user', 'other', 'session'];
const onlyUsers: readonly ProfileKind[] = ['user', 'other'];

/** The options of every command. */
export const everywhere = [
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
const commands = {
  init: {
    describe: "find the user's name and MFA device, and write them down",
    group: 'setup',
    operand: 'profile',
    kinds: onlyUsers,
    stdout: 'nothing',
    options: [
      'profile',
      'serial-number',
      'region',
      'force',
      'roles',
      'undo',
      'key-store',
      'yes',
      ...everywhere,
    ],
    note: [
      'It writes username and mfa_serial into the profile of the credentials file. login does the same by itself for a profile that was never initialised.',
    ],
    examples: [
      ['aws-iam-login init', 'the profile default'],
      ['aws-iam-login work init', 'the profile work'],
      ['aws-iam-login init work --serial-number GAHT12345678', 'one of several MFA devices'],
      ['aws-iam-login init work --roles', 'no AWS tool asks for a code for its roles any more'],
      ['aws-iam-login init work --key-store system', 'the access key leaves the file'],
    ],
  },
  login: {
    describe: 'get a new session with an MFA code',
    group: 'daily',
    operand: 'profile',
    stdout: 'nothing',
    options: [...session, 'if-needed', ...everywhere],
    note: [
      'The session is kept as [<profile>-sts] in the credentials file, where every AWS tool finds it. While one is live the question says until when, and Enter keeps it.',
    ],
    examples: [
      ['aws-iam-login', 'asks for the code of the profile default'],
      ['aws-iam-login work --duration 8h', 'a shorter session'],
      ['oathtool … | aws-iam-login work --token-code -', 'the code from stdin'],
    ],
  },
  env: {
    describe: 'print the variables of a live session, for eval',
    group: 'daily',
    operand: 'profile',
    kinds: roleFirst,
    stdout: 'variables',
    options: [...session, 'format', 'as', 'unset', 'hook', 'stored', ...everywhere],
    note: [
      'It logs in first when there is no live session. When that fails it prints the one word false, so that eval fails too and nothing changes.',
    ],
    examples: [
      ['eval "$(aws-iam-login env work)"', 'bash and zsh'],
      ['aws-iam-login env work --format fish | source', 'fish'],
      ['eval "$(aws-iam-login env --unset)"', 'take it back'],
    ],
  },
  use: {
    describe: 'put a live session into this shell (needs the hook)',
    group: 'daily',
    operand: 'profile',
    kinds: roleFirst,
    stdout: 'nothing',
    options: [...session, 'format', 'as', 'unset', ...everywhere],
    note: ['It does what env does, and the prompt renews the session. aws-iam-login setup loads the hook.'],
    examples: [
      ['aws-iam-login use work', 'this shell is work now'],
      ['aws-iam-login use --unset', 'back to what was there before'],
    ],
  },
  exec: {
    describe: 'run a command with the variables of a live session',
    group: 'daily',
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
      "The exit code is the command's: 127 when it is not found, 126 when it cannot be executed, 128 plus the signal's number, and 125 when anything of ours fails before the command starts.",
    ],
  },
  'credential-process': {
    describe: 'print a live session for credential_process',
    group: 'setup',
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
      'Programs that call it together ask once, on the terminal; a question ends after 55 s. Where a renewal asks nobody (roles, mfa_process) it comes 16 minutes before the end, halfway at most.',
    ],
  },
  rotate: {
    describe: 'replace the access key; finish or undo a rotation',
    group: 'keys',
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
    note: [
      'It can be stopped at any moment: nobody is locked out, and the same command goes on where it stopped.',
    ],
    examples: [
      ['aws-iam-login default rotate', 'a new access key in, the old one out'],
      ['aws-iam-login rotate work --status', 'what an interrupted rotation has done'],
      ['aws-iam-login rotate work --abort', 'back to the old key'],
    ],
  },
  status: {
    describe: 'who this shell and a profile are, and until when',
    group: 'daily',
    operand: 'profile',
    kinds: [...userFirst, 'SSO'],
    stdout: 'text',
    options: ['profile', 'min-ttl', 'json', ...everywhere],
    examples: [
      ['aws-iam-login status', 'this shell, and its profile'],
      ['aws-iam-login status work --quiet || aws-iam-login work', 'log in where it is not live'],
    ],
    note: ['The exit code is 0 while the session is live, else 3.'],
  },
  list: {
    describe: 'every profile with its session and the time left',
    group: 'daily',
    operand: 'none',
    stdout: 'text',
    options: ['json', ...everywhere],
    examples: [
      ['aws-iam-login list', 'roles stand below their user'],
      ['aws-iam-login list --json', 'for scripts'],
    ],
  },
  logout: {
    describe: 'remove the stored sessions of a profile and its roles',
    group: 'daily',
    operand: 'profile',
    stdout: 'nothing',
    options: ['profile', 'all', 'hook', ...everywhere],
    note: ['AWS keeps a session valid until its end; deactivating it before needs the IAM console.'],
    examples: [
      ['aws-iam-login logout work', 'work, and the roles that come from it'],
      ['aws-iam-login logout --all', 'every session that login and roles have stored'],
    ],
  },
  console: {
    describe: 'open the AWS console in the browser, as a role',
    group: 'daily',
    operand: 'profile',
    kinds: ['role'],
    stdout: 'text',
    options: [...session, 'service', 'print', 'browser', ...everywhere],
    examples: [
      ['aws-iam-login console admin', 'the console as the role of profile admin'],
      ['aws-iam-login console admin --service s3', 'a page of it'],
      ['aws-iam-login console admin --print', 'only the URL'],
    ],
    note: [
      'The console stays open for as long as the session of the role lives, an hour at most; one with less than 45 minutes left is renewed first. For 15 minutes the URL signs in whoever has it. Over ssh and without a display it is printed.',
    ],
  },
  doctor: {
    describe: 'say what is wrong here, and what mends it',
    group: 'setup',
    operand: 'profile',
    stdout: 'text',
    options: ['profile', 'offline', 'max-key-age', 'json', ...everywhere],
    examples: [
      ['aws-iam-login doctor', 'exit code 1 when there is a problem'],
      ['aws-iam-login doctor work --offline', 'without a question to AWS'],
    ],
    note: [
      'It looks at files, variables, clock, access key, MFA device, roles and hook, asks AWS with the key of the profile, and nobody for a code. The report holds no secret: it can be shown to others.',
    ],
  },
  policy: {
    describe: 'print the IAM policy that the commands need',
    group: 'setup',
    operand: 'profile',
    stdout: 'text',
    options: ['profile', 'region', 'no-mfa', ...everywhere],
    examples: [['aws-iam-login policy > policy.json', 'for the partition of the profile']],
  },
  hook: {
    describe: 'print the line that loads the hook into a shell',
    group: 'setup',
    operand: 'shell',
    stdout: 'text',
    options: ['path', ...everywhere],
    examples: [
      ['eval "$(aws-iam-login hook bash)"', 'bash and zsh'],
      ['aws-iam-login hook fish | source', 'fish'],
    ],
  },
  setup: {
    describe: 'install hook and completion for a shell',
    group: 'setup',
    operand: 'shell',
    stdout: 'nothing',
    options: ['remove', 'purge', 'yes', ...everywhere],
    note: [
      "It copies hook and completion, and adds one block to the shell's rc file: it shows the change and asks first. Without a name it is the shell that you type it in.",
    ],
    examples: [
      ['aws-iam-login setup', 'the shell that you type it in'],
      ['aws-iam-login setup zsh --remove', 'takes everything out again'],
      ['aws-iam-login setup --remove --purge', 'and the stored sessions, before an uninstall'],
    ],
  },
  completion: {
    describe: 'print the completion script of a shell',
    group: 'setup',
    operand: 'shell',
    stdout: 'text',
    options: [...everywhere],
    examples: [
      ['aws-iam-login completion fish > ~/.config/fish/completions/aws-iam-login.fish', 'without the hook'],
    ],
  },
  help: {
    describe: 'tell about a command or a topic',
    group: 'help',
    operand: 'topic',
    stdout: 'text',
    options: [...everywhere],
    examples: [
      ['aws-iam-login help rotate', 'the command'],
      ['aws-iam-login help rotation', 'the topic'],
    ],
  },
  version: {
    describe: 'print the version',
    group: 'help',
    operand: 'none',
    stdout: 'text',
    options: [...everywhere],
    examples: [['aws-iam-login version', 'the same as --version']],
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
