import type { Session } from '../aws/answers.ts';
import type { Context } from '../context.ts';
import { isUserError } from '../errors.ts';
import type { UserError } from '../errors.ts';
import { editFile } from '../files/edit.ts';
import { setSettings } from '../ini/edit.ts';
import { readSharedFiles, sessionProfileName } from '../profiles/profile.ts';
import type { Profile } from '../profiles/profile.ts';
import type { Flight } from './single-flight.ts';
import { checkRoleSessionProfile, checkSessionProfile, readStored, sessionKeys } from './stored-session.ts';
import type { AssumedFor } from './stored-session.ts';
import { dropWaitingSession, keepWaitingSession } from './waiting-session.ts';

/** Is told why a session is not in the credentials file, and whether it waits in the state folder instead. */
export type OnUnwritten = (reason: UserError, kept: boolean) => void;

/** A session that is to be written into `[<owner>-sts]`. */
export type NewSession = {
  readonly owner: string;
  readonly profile: Profile;
  readonly session: Session;
  /** What it was fetched for when it is a role's. */
  readonly assumedFor?: AssumedFor;
};

export type StoreOptions = {
  /** The flight that has fetched the session; none for one that has waited in the state folder. */
  readonly flight?: Flight;
  readonly patienceMs?: number;
  readonly onUnwritten: OnUnwritten;
};

/**
 * Writes the session into the credentials file. What cannot be written and cost a code waits in the state folder; a
 * role's session did not, and is got again.
 */
export const storeSession = async (
  { owner, profile, session, assumedFor }: NewSession,
  { flight, patienceMs, onUnwritten }: StoreOptions,
  context: Context,
): Promise<void> => {
  const { files, settings } = profile;
  const costsCode = assumedFor === undefined;
  // as soon as it takes longer: Ctrl-C may come
  const keep = (): void => {
    if (costsCode) keepWaitingSession(files, owner, session);
  };
  try {
    await editFile(
      files.credentials,
      (bytes) => {
        const shared = { ...readSharedFiles(context.env), credentialsBytes: bytes };
        if (costsCode) checkSessionProfile(owner, shared);
        else checkRoleSessionProfile(owner, shared);
        flight?.checkOwn();
        const stored = readStored(owner, shared)?.session;
        if (flight === undefined && stored !== undefined && stored.expiration >= session.expiration)
          return bytes;
        const changes = sessionKeys(owner, session, settings.get('region'), shared, assumedFor);
        return setSettings(bytes, 'credentials', sessionProfileName(owner), changes);
      },
      { state: files.state, onBusy: keep, patienceMs },
    );
    if (costsCode) dropWaitingSession(files, owner);
  } catch (error) {
    if (!isUserError(error)) throw error;
    flight?.checkOwn();
    onUnwritten(error, succeeds(keep) && costsCode);
  }
};

/** Whether the work is done; raises what is no UserError. */
const succeeds = (work: () => void): boolean => {
  try {
    work();
    return true;
  } catch (error) {
    if (!isUserError(error)) throw error;
    return false;
  }
};
