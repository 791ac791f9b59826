import { shellWord } from '../text.ts';

/** The names of the key stores, as profiles have them. */
export const storeNames = ['system', 'pass'] as const;
export type StoreName = (typeof storeNames)[number];

/** Where `init --key-store` can put a key; `file` is the file that a profile is in. */
export const keyPlaces = [...storeNames, 'file'] as const;

/** What each store is called in a sentence. */
export const storeTitles: Readonly<Record<StoreName, string>> = {
  system: process.platform === 'darwin' ? 'the macOS Keychain' : 'the Secret Service',
  pass: 'the password store pass',
};

/** Whether this version knows a store of this name. */
export const isStore = (name: string): name is StoreName => storeNames.some((each) => each === name);

/** What a store is called in a sentence, also one that this version does not know. */
export const titleOf = (name: string): string =>
  isStore(name) ? storeTitles[name] : `the key store ${shellWord(name)}`;
