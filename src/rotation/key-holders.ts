import type { AccessKey } from '../profiles/profile.ts';

/** A profile that holds a certain access key, and where: the path of a file, or another name for the place. */
export type KeyHolder = { readonly profileName: string; readonly place: string };

/** An access key to look for; without the secret its id is enough. */
export type WantedKey = { readonly accessKeyId: string; readonly secretAccessKey?: string | undefined };

/** What a key store asks and tells while it writes. */
export type Writing = {
  /** Raises an error where nothing may be written any more. */
  readonly checkOwn: () => void;
  /** Is told each place that has been written. */
  readonly onWritten?: (place: string) => void;
};

/** Where profiles keep their access keys. Each function looks at what is there now, and raises UserError. */
export type KeyStore = {
  /** Every profile that holds the key. */
  readonly find: (key: WantedKey) => KeyHolder[];
  /** The pair that goes with a key id, undefined when no profile holds it whole. */
  readonly findPair: (accessKeyId: string) => AccessKey | undefined;
  /** Raises UserError when the key could not be replaced later. */
  readonly check: (key: AccessKey) => void;
  /** Replaces a key in every profile that holds it. Returns who held it. */
  readonly replace: (from: WantedKey, to: AccessKey, writing: Writing) => Promise<KeyHolder[]>;
  /** Gives a key to a profile that has none. Returns whether the profile had none. */
  readonly add: (profileName: string, key: AccessKey, writing: Writing) => Promise<boolean>;
};
