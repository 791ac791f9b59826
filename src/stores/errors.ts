import { UserError } from '../errors.ts';

/** The `failureCode` of a store that is locked, not there, or does not do what it should. */
const storeFailure = 'key store';

/** A failure of a store, which the sentence names. */
export const storeError = (message: string, hint: string): UserError =>
  new UserError(message, { hint, failureCode: storeFailure });

/** After how many milliseconds a wait for a store is told. */
export const waitAfter = 2000;
