import type { Environment } from '../context.ts';
import { UserError } from '../errors.ts';
import type { Session } from '../aws/answers.ts';
import { isoSeconds } from '../sessions/expiration.ts';
import type { LiveSession } from '../sessions/live-session.ts';
import type { Form, Format } from './names.ts';
import { quoteFish, quotePosix, quotePowershell } from './quoting.ts';
import { sessionVariables } from './variables.ts';
import type { Variables } from './variables.ts';

export type EnvOptions = {
  readonly format: Format;
  readonly as: Form;
};

/** What `env` prints for a live session. Raises UserError for a value that cannot be quoted. */
export const formatEnv = (live: LiveSession, options: EnvOptions, env: Environment): string =>
  options.format === 'process'
    ? formatProcess(live.session)
    : formatVariables(sessionVariables(live, options.as, env), options.format);

/** The session as the JSON that `credential_process` wants. */
export const formatProcess = (session: Session): string =>
  `${JSON.stringify(
    {
      Version: 1,
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: isoSeconds(session.expiration),
    },
    undefined,
    2,
  )}\n`;

/**
 * The variables as text, for a shell all or nothing. Raises UserError for a value that the format cannot carry: control
 * characters, invalid UTF-8, and in a plain line what its readers take for more than themselves.
 */
export const formatVariables = (variables: Variables, format: Exclude<Format, 'process'>): string => {
  for (const [name, value] of variables) if (value !== undefined) checkValue(name, value);
  const set = [...variables].filter((entry): entry is [string, string] => entry[1] !== undefined);
  const unset = [...variables].filter(([, value]) => value === undefined).map(([name]) => name);
  return printers[format](set, unset);
};

type Printer = (set: ReadonlyArray<[string, string]>, unset: readonly string[]) => string;

const posix: Printer = (set, unset) => {
  // The subshell tries it first: a read-only variable fails there, before anything has changed here.
  const names = [...unset, ...set.map(([name]) => name)].join(' ');
  const assignments = set.map(([name, value]) => `${name}=${quotePosix(value)}`);
  const commands = [
    ...(unset.length > 0 ? [`unset ${unset.join(' ')}`] : []),
    ...(assignments.length > 0 ? [`export ${assignments.join(' ')}`] : []),
  ];
  return guarded(`${refuseFish(set)} && eval '(unset ${names})'`, commands);
};

// `docker --env-file` takes the value as it stands, shells and readers of dotenv files do not all: so only a value that
// is the same to all of them.
const plain: Printer = (set) => {
  const odd = set.find(([, value]) => !/^[\p{L}\p{M}\p{N}_.@+%:/,=-]*$/u.test(value));
  if (odd !== undefined) {
    throw new UserError(`the value of ${odd[0]} holds blanks or signs that a plain line cannot carry`, {
      hint: 'use --format json, or env in a shell',
    });
  }
  return set.map(([name, value]) => `${name}=${value}\n`).join('');
};

// Only in fish are the two texts the same. fish does not parse the subshell above either, so that stands in quotes.
const refuseFish = (set: ReadonlyArray<[string, string]>): string => {
  const profileName = set.find(([name]) => name === 'AWS_IAM_LOGIN_PROFILE')?.[1] ?? '--unset';
  const word = /^[\w.@+%:/-]+$/.test(profileName) ? profileName : '…';
  return String.raw`test '\\' != "\\" || eval 'echo "aws-iam-login: fish needs another form: aws-iam-login env ${word} --format fish | source" >&2; false'`;
};

// A shell that this is not meant for fails at the guard, and shows that line in its message: no secret may be in it.
const guarded = (guard: string, commands: readonly string[]): string =>
  `${guard} &&\n${commands.join(' && ')}\n`;

const printers: Readonly<Record<Exclude<Format, 'process'>, Printer>> = {
  env: posix,
  'env-no-export': plain,
  dotenv: plain,
  // The parenthesis is a syntax error in bash and dash, and a pattern without a match in zsh. Variables are set
  // before they are erased, since erasing one that is not there fails.
  fish: (set, unset) =>
    guarded('test (echo 1) = 1', [
      ...set.map(([name, value]) => `set -gx ${name} ${quoteFish(value)}`),
      ...unset.map((name) => `set -g ${name} && set -e -g ${name}`),
    ]),
  powershell: (set, unset) =>
    `${[
      ...unset.map((name) => `Remove-Item -ErrorAction SilentlyContinue Env:${name}`),
      ...set.map(([name, value]) => `$Env:${name} = ${quotePowershell(value)}`),
    ].join('; ')}\n`,
  // of nushell: `| from json | load-env`
  json: (set, unset) =>
    `${JSON.stringify(Object.fromEntries([...set, ...unset.map((name) => [name, null] as const)]), undefined, 2)}\n`,
};

// A function of its own: such a pattern costs time even where it is only read.
const isUnfit = (value: string): boolean => /[\p{Cc}\p{Cs}\uFFFD]/u.test(value);

const checkValue = (name: string, value: string): void => {
  if (!/^[ -~]*$/.test(value) && isUnfit(value)) {
    throw new UserError(`the value of ${name} holds control characters or invalid UTF-8 and is not printed`);
  }
};
