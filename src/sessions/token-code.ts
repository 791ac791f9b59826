import { createHash, randomBytes } from 'node:crypto';
import { fstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import ini from 'ini';
import type { Context, Environment } from '../context.ts';
import { UserError, exitCode } from '../errors.ts';
import { readStateFile, writeStateFile } from '../files/edit.ts';
import { runShellCommand } from '../terminal/shell-command.ts';
import { shellWord } from '../text.ts';

/** The six digits in what was given, blanks inside left out. Raises UserError (usage) for anything else. */
export const parseTokenCode = (given: string): string => {
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

/** The environment without the credentials of AWS. */
export const withoutCredentials = (env: Environment): Environment =>
  Object.fromEntries(
    Object.entries(env).filter(
      ([name]) =>
        !['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_SECURITY_TOKEN'].includes(
          name,
        ),
    ),
  );

/** The `awsCode` of a code that AWS has rejected, whose own `AccessDenied` says too little, or would reject. */
export const rejectedCode = 'TokenCodeRejected';

const stepSeconds = 30;
const memorySeconds = 120;

/** Seconds to the next code of a device whose codes change every 30 s (RFC 6238); `now` in milliseconds since the epoch. */
export const secondsToNextCode = (now: number): number =>
  stepSeconds - (Math.floor(now / 1000) % stepSeconds);

/**
 * Remembers that a code is about to be sent for a serial number, as a salted hash. Raises UserError (`rejectedCode`)
 * when it was sent in the last 120 s already: AWS takes each code once. Call it with the lock of the serial number held.
 */
export const rememberCode = (
  stateFolder: string,
  serialNumber: string,
  tokenCode: string,
  context: Context,
): void => {
  const memory = readMemory(stateFolder, serialNumber, context);
  if (Object.hasOwn(memory.sent, hashOf(memory.salt, serialNumber, tokenCode))) {
    const wait = secondsToNextCode(context.now());
    throw new UserError('this token code was used already, and AWS takes each code once', {
      hint: `the next one comes in ${wait} s`,
      awsCode: rejectedCode,
    });
  }
  const sent = {
    ...memory.sent,
    [hashOf(memory.salt, serialNumber, tokenCode)]: String(Math.floor(context.now() / 1000)),
  };
  writeMemory(stateFolder, serialNumber, { ...memory, sent });
};

/** Forgets a code that AWS surely did not judge. */
export const forgetCode = (
  stateFolder: string,
  serialNumber: string,
  tokenCode: string,
  context: Context,
): void => {
  const memory = readMemory(stateFolder, serialNumber, context);
  const hash = hashOf(memory.salt, serialNumber, tokenCode);
  const sent = Object.fromEntries(Object.entries(memory.sent).filter(([key]) => key !== hash));
  writeMemory(stateFolder, serialNumber, { ...memory, sent });
};

type Memory = { readonly salt: string; readonly sent: Readonly<Record<string, string>> };

/** A name for files that belong to a serial number. */
export const serialNumberId = (serialNumber: string): string =>
  createHash('sha256').update(serialNumber).digest('hex').slice(0, 16);

const memoryPath = (stateFolder: string, serialNumber: string): string =>
  join(stateFolder, 'used-codes', `${serialNumberId(serialNumber)}.ini`);

const hashOf = (salt: string, serialNumber: string, tokenCode: string): string =>
  createHash('sha256').update(`${salt} ${serialNumber} ${tokenCode}`).digest('hex');

// What is damaged or from the future (the clock was set back) counts as nothing: the guard only saves a round trip.
const readMemory = (stateFolder: string, serialNumber: string, context: Context): Memory => {
  const parsed: Record<string, unknown> = ini.parse(
    readStateFile(memoryPath(stateFolder, serialNumber)) ?? '',
  );
  const salt = typeof parsed['salt'] === 'string' ? parsed['salt'] : randomBytes(16).toString('hex');
  const now = context.now() / 1000;
  const entries = Object.entries(parsed['sent'] ?? {}).filter(([, sentAt]) => {
    const age = now - Number(sentAt);
    return age > -memorySeconds && age < memorySeconds;
  });
  return { salt, sent: Object.fromEntries(entries) };
};

const writeMemory = (stateFolder: string, serialNumber: string, memory: Memory): void =>
  writeStateFile(memoryPath(stateFolder, serialNumber), ini.stringify(memory));
