import type { Environment } from '../context.ts';

/** How a store may be asked. */
export type Access = {
  readonly env: Environment;
  /** Whether the store may ask somebody to unlock it. */
  readonly mayAsk: boolean;
  /** How long it may take, in milliseconds. */
  readonly limit: number;
  /** Is told once when it takes long. */
  readonly onWait: () => void;
};

/**
 * A place outside of the files that keeps texts by name: all that a store of keys has to be able to do. Each function
 * raises UserError that names the store, for one that is locked or not there without any wait.
 */
export type KeyStore = {
  /** How people find an item there. */
  readonly describeItem: (name: string) => string;
  /** The text of an item, undefined when there is none, empty when it is torn. */
  readonly find: (name: string, access: Access) => Promise<string | undefined>;
  /** Raises UserError when nothing could be written. */
  readonly check: (access: Access) => Promise<void>;
  /** Writes the text of an item, or removes the item; one that is not there is fine. */
  readonly replace: (name: string, text: string | undefined, access: Access) => Promise<void>;
};
