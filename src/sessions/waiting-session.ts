import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import ini from 'ini';
import { isUserError } from '../errors.ts';
import type { Files } from '../files/locations.ts';
import { readStateFile, removeStateFile, writeStateFile } from '../files/state-files.ts';
import type { Session } from './stored-session.ts';

// A session that was bought with a code and that the credentials file could not take (another program keeps writing it,
// the disk is full) waits in the state folder, 0600, until the next call can write it.

/** Keeps the session of a profile. Raises UserError when the state folder cannot be written either. */
export const keepWaitingSession = (files: Files, profileName: string, session: Session): void =>
  writeStateFile(
    waitingPath(files, profileName),
    ini.stringify({
      aws_access_key_id: session.accessKeyId,
      aws_secret_access_key: session.secretAccessKey,
      aws_session_token: session.sessionToken,
      expiration: String(session.expiration),
    }),
  );

/**
 * The session of a profile that waits, undefined when there is none that still lasts `minTtl` seconds, or when it ends
 * no later than the `stored` one. `now` in milliseconds since the epoch. One that cannot be read counts as none.
 */
export const findWaitingSession = (
  files: Files,
  profileName: string,
  stored: Session | undefined,
  minTtl: number,
  now: number,
): Session | undefined => {
  const text = readIfPossible(waitingPath(files, profileName));
  if (text === undefined) return undefined;
  const settings: Record<string, unknown> = ini.parse(text);
  const textOf = (name: string): string => {
    const value = settings[name];
    return typeof value === 'string' ? value : '';
  };
  const session = {
    accessKeyId: textOf('aws_access_key_id'),
    secretAccessKey: textOf('aws_secret_access_key'),
    sessionToken: textOf('aws_session_token'),
    expiration: Number(textOf('expiration')),
  };
  const isWhole = Object.values(session).every(Boolean);
  const isNewer = stored === undefined || session.expiration > stored.expiration;
  if (isWhole && isNewer && session.expiration - now / 1000 >= minTtl) return session;
  if (!isWhole || !isNewer || session.expiration <= now / 1000) dropWaitingSession(files, profileName);
  return undefined;
};

// What keeps us from reading here keeps us from writing too, and the check of the files says it with its reason.
const readIfPossible = (path: string): string | undefined => {
  try {
    return readStateFile(path);
  } catch (error) {
    if (isUserError(error)) return undefined;
    throw error;
  }
};

/** Forgets the session of a profile that waits; none is fine. Raises UserError when it cannot be removed. */
export const dropWaitingSession = (files: Files, profileName: string): void =>
  removeStateFile(waitingPath(files, profileName));

const waitingPath = ({ state, credentials }: Files, profileName: string): string => {
  const subject = `${resolve(credentials)}\n${profileName}`;
  return join(state, 'waiting', `${createHash('sha256').update(subject).digest('hex').slice(0, 32)}.ini`);
};
