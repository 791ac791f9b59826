import { fstatSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Context, Environment } from '../context.ts';
import { UserError, exitCode, isUserError } from '../errors.ts';
import type { Profile } from '../profiles/profile.ts';
import { askLine, declined } from '../terminal/prompt.ts';
import { askOrFail, canAsk, patienceUntil } from '../terminal/question.ts';
import type { Deadline } from '../terminal/question.ts';
import { runShellCommand, withoutCredentials } from '../terminal/shell-command.ts';
import { shellWord } from '../text.ts';
import { secondsToNextCode } from './code-guard.ts';
import type { Flight } from './single-flight.ts';

export type CodeOptions = {
  /** Six digits, or `-` for stdin. */
  readonly tokenCode?: string | undefined;
  /** Whether a question may be asked. */
  readonly input: boolean;
  /** When whoever waits for this process gives up. */
  readonly deadline?: Deadline | undefined;
  /** Whether stdin may hold a code without `--token-code -`; whoever runs a command or a shell leaves it to that. */
  readonly readsStdin?: boolean;
  /** What is said of a live session behind the question, which Enter keeps. */
  readonly live?: string | undefined;
  /** Is told when the question stands, and has the time that somebody needs to type. */
  readonly onAsked?: (() => void) | undefined;
  /** Is told when a code was typed. */
  readonly onTyped?: (() => void) | undefined;
};

/** The code that this process brought along. It is read before anybody has to wait for it. Raises UserError. */
export const givenCode = async (
  profile: Profile,
  { tokenCode, readsStdin, input }: CodeOptions,
): Promise<string | undefined> => {
  if (tokenCode === '-') return readTokenCode();
  if (tokenCode !== undefined) return parseTokenCode(tokenCode);
  const mayRead = readsStdin === true && input && !profile.settings.get('mfa_process') && !canAsk(true);
  return mayRead ? readUnannouncedCode() : undefined;
};

/** The six digits in what was given, blanks inside left out. Raises UserError (usage) for anything else. */
const parseTokenCode = (given: string): string => {
  const digits = given.replaceAll(/\s/g, '');
  if (/^\d{6}$/.test(digits)) return digits;
  throw new UserError('a token code is six digits', {
    hint: 'give the code that the MFA device shows now',
    exitCode: exitCode.usage,
  });
};

/**
 * The token code on stdin, which has to end within `limitMilliseconds`. Raises UserError: with exit code 3 when it does
 * not, as a usage error when there are no six digits.
 */
export const readTokenCode = async (
  stream: Readable = process.stdin,
  limitMilliseconds = 60_000,
): Promise<string> => {
  const given = await readShortText(stream, limitMilliseconds);
  if (given !== undefined) return parseTokenCode(given);
  throw new UserError(
    `stdin did not end within ${limitMilliseconds / 1000} s, and holds no token code so far`,
    {
      hint: 'what writes the code has to close its output: printf 123456 | aws-iam-login login --token-code -',
      exitCode: exitCode.noSession,
    },
  );
};

/**
 * The token code that a pipe or a file on stdin holds, and nothing else, for a login that was told of none: undefined
 * for anything else, and for what does not end within `limitMilliseconds`.
 */
export const readUnannouncedCode = async (
  stream: Readable = process.stdin,
  limitMilliseconds = 5000,
): Promise<string | undefined> => {
  if (stream === process.stdin && !isDataOnStdin()) return undefined;
  const given = await readShortText(stream, limitMilliseconds);
  return given !== undefined && /^\s*\d{3}\s?\d{3}\s*$/.test(given) ? parseTokenCode(given) : undefined;
};

// A device such as /dev/null holds no code, and /dev/zero no end.
const isDataOnStdin = (): boolean => {
  try {
    const stdin = fstatSync(0);
    return stdin.isFIFO() || stdin.isSocket() || stdin.isFile();
  } catch {
    return false;
  }
};

// More than this is no code, whatever follows.
const longestText = 1000;

/** What the stream holds up to its end or its first 1,000 characters; undefined when neither comes in time. */
const readShortText = (stream: Readable, limitMilliseconds: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    let read = '';
    const finish = (result: string | undefined): void => {
      clearTimeout(timer);
      stream.off('data', onData).off('end', onEnd).off('error', onEnd);
      // nobody reads it any more, and it must not keep this process
      stream.on('error', () => {}).pause();
      resolve(result);
    };
    const onData = (chunk: string): void => {
      read += chunk;
      if (read.length > longestText) finish(read);
    };
    const onEnd = (): void => finish(read);
    const timer = setTimeout(() => finish(undefined), limitMilliseconds);
    stream.setEncoding('utf8').on('data', onData).on('end', onEnd).on('error', onEnd);
  });

/**
 * The token code that the profile's `mfa_process` prints: a command for `/bin/sh`, run without AWS credentials, for
 * 60 s at most, its stderr on ours. Raises UserError when it fails or prints anything but one six-digit number.
 */
export const runMfaProcess = async (
  command: string,
  profileName: string,
  env: Environment,
  limitMilliseconds?: number,
): Promise<string> => {
  const where = `mfa_process of profile ${shellWord(profileName)}`;
  const { stdout, failure } = await runShellCommand(command, withoutCredentials(env), limitMilliseconds);
  if (failure !== undefined)
    throw new UserError(`${where} ${failure}`, { hint: 'run it by hand to see why' });
  const codes = stdout.match(/(?<!\d)\d{6}(?!\d)/g) ?? [];
  const [code] = codes;
  if (code !== undefined && codes.length === 1) return code;
  throw new UserError(
    `${where} printed ${codes.length === 0 ? 'no six-digit number' : 'more than one six-digit number'}`,
    {
      hint: 'it must print the token code and no other number of six digits',
    },
  );
};

export type CodeSource = {
  /** How many codes AWS may reject before the login fails. */
  readonly tries: number;
  /** Undefined: the live session is to be kept. */
  readonly next: () => Promise<string | undefined>;
  /** What has to happen before the next try. */
  readonly again: () => Promise<void>;
};

/** Where the codes come from that nobody has brought along: `mfa_process`, else the terminal. */
export const codeSource = (
  profile: Profile,
  serialNumber: string,
  options: CodeOptions,
  context: Context,
  flight: Flight,
): CodeSource => {
  const command = profile.settings.get('mfa_process');
  if (command !== undefined && command !== '') {
    return {
      tries: 2,
      next: () =>
        runMfaProcess(
          command,
          profile.name,
          context.env,
          patienceUntil(options.deadline, context)?.milliseconds,
        ),
      again: () => context.sleep(secondsToNextCode(context.now()) * 1000),
    };
  }
  return {
    tries: 3,
    next: () => askTokenCode(serialNumber, profile, options, context, flight),
    again: async () => {},
  };
};

const askTokenCode = async (
  serialNumber: string,
  profile: Profile,
  { input, live, deadline, onAsked, onTyped }: CodeOptions,
  context: Context,
  flight: Flight,
): Promise<string | undefined> => {
  const question = {
    need: `a token code for ${serialNumber} is needed`,
    hint: 'give it with --token-code, or let mfa_process in the profile print it; --token-code - reads it from stdin',
    input,
    state: profile.files.state,
    deadline,
  };
  return askOrFail(question, context, async () => {
    flight.asking(true);
    const overtaken = watchFlight(flight);
    try {
      const text = `${live === undefined ? '' : `${live} is live: Enter keeps it\n`}Enter MFA code for ${shellWord(profile.name)} (${serialNumber}): `;
      const ask = (): Promise<string> => {
        // one who mistypes has no more time than one who does not
        const answer = askLine(text, overtaken.signal, patienceUntil(deadline, context));
        onAsked?.();
        return answer;
      };
      const code = await askUntilSixDigits(ask, live !== undefined, context);
      if (code !== undefined) onTyped?.();
      return code;
    } catch (error) {
      // at the prompt the hint would not be shown
      if (!isUserError(error) || error.exitCode !== exitCode.interrupted) throw error;
      throw declined(`aws-iam-login login ${shellWord(profile.name)}`);
    } finally {
      overtaken.end();
      flight.asking(false);
    }
  });
};

// Who was stopped for long finds another one asking: two that read from one terminal would get half a code each.
const watchFlight = (flight: Flight): { signal: AbortSignal; end: () => void } => {
  const controller = new AbortController();
  const timer = setInterval(() => {
    try {
      flight.checkOwn();
    } catch (error) {
      controller.abort(error);
    }
  }, 500);
  return { signal: controller.signal, end: () => clearInterval(timer) };
};

const askUntilSixDigits = async (
  ask: () => Promise<string>,
  mayKeep: boolean,
  context: Context,
): Promise<string | undefined> => {
  for (;;) {
    const line = (await ask()).trim();
    if (line === '' && mayKeep) return undefined;
    if (line === '') throw declined();
    try {
      return parseTokenCode(line);
    } catch (error) {
      if (!isUserError(error)) throw error;
      context.log(`aws-iam-login: ${error.message}`);
    }
  }
};
