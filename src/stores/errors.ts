import { UserError } from '../errors.ts';

/** The `failureCode` of a store that is locked, not there, or does not do what it should. */
const storeFailure = 'key store';

/** A failure of a store, which the sentence names. */
export const storeError = (message: string, hint: string): UserError =>
  new UserError(message, { hint, failureCode: storeFailure });

/** After how many milliseconds a wait for a store is told. */
export const waitAfter = 2000;

/** Whether the message of a store's library is about the D-Bus or what answers there, and not about a lock. */
export const isAboutBus = (message: string): boolean => /d-?bus|zbus/i.test(message) && !isAboutLock(message);

/** Whether the message of a store's library says that it is locked, or that the question was sent away. */
export const isAboutLock = (message: string): boolean => /locked|dismissed|not allowed/i.test(message);
