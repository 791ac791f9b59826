import { storeNamed } from '../../src/stores/keys.ts';
import { noteStore } from '../../src/stores/notes.ts';
import type { KeyPair } from '../local-aws/world.ts';
import type { Home } from './program.ts';
import { makeKeyring } from './keyring.ts';
import { makePassStore } from './pass.ts';

/** A real key store of a home's own, as a test looks into it past the program. */
export type TestStore = {
  /** The variables by which the program finds it. */
  readonly env: Record<string, string>;
  /** The ids of the keys in the store. */
  readonly names: () => string[];
  /** The text of an item, undefined when there is none. */
  readonly show: (name: string) => string | undefined;
  readonly remove: (name: string) => void;
  /** Whether anybody was asked to unlock it. */
  readonly hasAsked: () => boolean;
  /** Lets it ask for its password at the next look, and opens it again. */
  readonly lock: () => void;
  readonly unlock: () => void;
  /** Ends what runs for it. */
  readonly end: () => void;
};

/** The stores by the names that the program has for them. */
export const testStores = { pass: makePassStore, system: makeKeyring } as const satisfies Readonly<
  Record<string, (home: Home) => TestStore>
>;
export type TestStoreName = keyof typeof testStores;

/** Leaves a key in a store as `init --key-store` does, at a quarter of its calls; the home's variables lead to the store. */
export const putKey = async (
  { state, env }: Home,
  name: TestStoreName,
  { accessKeyId, secretAccessKey }: KeyPair,
): Promise<void> => {
  noteStore(state, accessKeyId, name);
  const item = { Version: 1, AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey };
  const access = { env, mayAsk: true, limit: 60_000, onWait: () => {} };
  await storeNamed(name).replace(accessKeyId, `${JSON.stringify(item)}\n`, access);
};
