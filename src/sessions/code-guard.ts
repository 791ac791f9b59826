import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import ini from 'ini';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { readStateFile, writeStateFile } from '../files/state-files.ts';

/** The `failureCode` of a code that AWS has rejected, whose own `AccessDenied` says too little, or would reject. */
export const rejectedCode = 'token code rejected';

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
      failureCode: rejectedCode,
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
const serialNumberId = (serialNumber: string): string =>
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
