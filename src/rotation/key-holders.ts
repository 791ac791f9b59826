import type { AccessKey } from '../profiles/profile.ts';

/**
 * A profile that holds a certain access key, the path of the file that says so, and the name of the key store where the
 * secret is not in that file but there.
 */
export type KeyHolder = {
  readonly profileName: string;
  readonly place: string;
  readonly store: string | undefined;
};

/** An access key to look for; without the secret its id is enough. */
export type WantedKey = { readonly accessKeyId: string; readonly secretAccessKey?: string | undefined };

/** What a key store asks and tells while it writes. */
type Writing = {
  /** Raises an error where nothing may be written any more. */
  readonly checkOwn: () => void;
  /** Is told each place that has been written. */
  readonly onWritten?: (place: string) => void;
};

/** Where profiles keep their access keys, in files and key stores. Each function looks at what is there now, and raises UserError. */
export type Keys = {
  /** Every profile that holds the key. */
  readonly find: (key: WantedKey) => KeyHolder[];
  /** The pair that goes with a key id, undefined when neither a profile holds it whole nor this key store. */
  readonly findPair: (accessKeyId: string, keyStore?: string) => Promise<AccessKey | undefined>;
  /** Raises UserError when the key could not be replaced later. */
  readonly check: (key: AccessKey) => Promise<void>;
  /** Replaces a key in every profile that holds it. Returns who held it. */
  readonly replace: (from: WantedKey, to: AccessKey, writing: Writing) => Promise<KeyHolder[]>;
  /** Gives a key to a profile that has none, in a key store if one is named. Returns whether the profile had none. */
  readonly add: (
    profileName: string,
    key: AccessKey,
    keyStore: string | undefined,
    writing: Writing,
  ) => Promise<boolean>;
  /** Lets every key store that profiles have this key in keep it whole, and this one in any case. */
  readonly keep: (key: AccessKey, keyStore?: string) => Promise<void>;
  /** Removes a key that no profile holds any more from the key stores that may have it, and from this one. */
  readonly forget: (accessKeyId: string, keyStore: string | undefined) => Promise<void>;
};
