/** The names of the key stores, as profiles have them. */
export const storeNames = ['system', 'pass'] as const;
export type StoreName = (typeof storeNames)[number];

/** Where `init --key-store` can put a key; `file` is the file that a profile is in. */
export const keyPlaces = [...storeNames, 'file'] as const;
