import type { Context } from '../context.ts';
import { canAsk } from '../terminal/question.ts';
import { parseJsonObject, shellWord } from '../text.ts';
import { storeError } from './errors.ts';
import { dropNote, noteStore, notedStores } from './notes.ts';
import { isStore, storeNames, titleOf } from './names.ts';
import type { StoreName } from './names.ts';
import { passStore } from './pass.ts';
import type { Access, KeyStore } from './seam.ts';
import { systemStore } from './system.ts';

const stores: Readonly<Record<StoreName, KeyStore>> = {
  system: systemStore,
  pass: passStore,
};

/** An access key, as a store keeps it. */
export type StoredKey = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** The store of this name. Raises UserError. */
export const storeNamed = (name: string): KeyStore => {
  if (isStore(name)) return stores[name];
  throw storeError(
    `${shellWord(name)} is no key store that this version knows`,
    `there are: ${storeNames.join(', ')}`,
  );
};

/** How people find the item of a key in a store. */
export const itemOf = (name: string, accessKeyId: string): string =>
  isStore(name) ? storeNamed(name).describeItem(accessKeyId) : `in ${titleOf(name)}`;

export type AccessOptions = {
  /** Whether anything may be asked. */
  readonly input: boolean;
  /** Whether the shell's prompt is waiting. */
  readonly hook?: boolean;
};

/**
 * How a command may ask a store: to unlock it only where somebody sits at a terminal and has typed the command; the
 * prompt hook never, and not for longer than two seconds.
 */
export const accessOf = (name: string, { input, hook = false }: AccessOptions, context: Context): Access => {
  const mayAsk = !hook && canAsk(input);
  return {
    env: context.env,
    mayAsk,
    limit: hook ? 2000 : mayAsk ? 50_000 : 15_000,
    onWait: () =>
      hook
        ? undefined
        : context.log(
            `aws-iam-login: waiting for ${titleOf(name)}${mayAsk ? ', which may be asking to be unlocked' : ''}`,
          ),
  };
};

/** The key of this id in a store, undefined when there is none. Raises UserError, also for an item that is something else. */
export const findStoredKey = async (
  name: string,
  accessKeyId: string,
  access: Access,
): Promise<StoredKey | undefined> => {
  const store = storeNamed(name);
  const text = await store.find(accessKeyId, access);
  if (text === undefined) return undefined;
  const key = parseItem(text);
  if (key?.accessKeyId === accessKeyId) return key;
  throw storeError(
    `what ${titleOf(name)} holds for …${accessKeyId.slice(-4)} is not that access key`,
    `look at it: ${store.describeItem(accessKeyId)}`,
  );
};

/**
 * Lets a store keep a key, and reads it back. Raises UserError where it is not there afterwards. A store that was not
 * noted to have it before is then as it was, as far as it can be; what another one has may be the only copy.
 */
export const keepKey = async (name: string, key: StoredKey, state: string, access: Access): Promise<void> => {
  const store = storeNamed(name);
  const { accessKeyId, secretAccessKey } = key;
  const isThere = async (): Promise<boolean> => {
    const text = await store.find(accessKeyId, access);
    return text !== undefined && parseItem(text)?.secretAccessKey === secretAccessKey;
  };
  const wasNoted = notedStores(state, accessKeyId).includes(name);
  noteStore(state, accessKeyId, name);
  if (await isThere()) return;
  try {
    await store.replace(accessKeyId, formatItem(key), access);
    if (await isThere()) return;
    throw storeError(
      `${titleOf(name)} does not give back what was written there`,
      `look at it: ${store.describeItem(accessKeyId)}`,
    );
  } catch (error) {
    if (!wasNoted) await forgetKey(accessKeyId, [name], state, () => access).catch(() => {});
    throw error;
  }
};

/** Removes a key from the stores of these names; one that is not there is fine. Raises UserError. */
export const forgetKey = async (
  accessKeyId: string,
  names: readonly string[],
  state: string,
  accessTo: (name: string) => Access,
): Promise<void> => {
  for (const name of names) {
    if (!isStore(name)) continue;
    await storeNamed(name).replace(accessKeyId, undefined, accessTo(name));
    dropNote(state, accessKeyId, name);
  }
};

// The JSON of credential_process, so that what a store prints serves AWS's own tools as it is.
const formatItem = ({ accessKeyId, secretAccessKey }: StoredKey): string =>
  `${JSON.stringify({ Version: 1, AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey })}\n`;

const parseItem = (text: string): StoredKey | undefined => {
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey } = parseJsonObject(text) ?? {};
  return typeof accessKeyId === 'string' && typeof secretAccessKey === 'string' && secretAccessKey !== ''
    ? { accessKeyId, secretAccessKey }
    : undefined;
};
