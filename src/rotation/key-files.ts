import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { checkEditable, editFile } from '../files/edit.ts';
import { locateFiles } from '../files/locations.ts';
import { setSettings } from '../ini/edit.ts';
import type { Changes } from '../ini/edit.ts';
import { findProblems, profileNames, readProfile } from '../ini/read.ts';
import type { FileKind } from '../ini/section-name.ts';
import { findProfile, keyIdOf, keyPlaceOf, placeSettings, readSharedFiles } from '../profiles/profile.ts';
import type { AccessKey, SharedFiles } from '../profiles/profile.ts';
import { accessOf, findStoredKey, forgetKey, keepKey, storeNamed } from '../stores/keys.ts';
import { notedStores } from '../stores/notes.ts';
import type { Access } from '../stores/seam.ts';
import type { KeyHolder, Keys, WantedKey } from './key-holders.ts';

/**
 * AWS's two files and the key stores that they name: a profile holds a key when its own section in one of the files has
 * both halves, or says in which store they are.
 */
export const newKeyFiles = (asking: { readonly input: boolean }, context: Context): Keys => {
  const { env } = context;
  const accessTo = (name: string): Access => accessOf(name, asking, context);
  const find = (key: WantedKey): KeyHolder[] => findHolders(readSharedFiles(env), key);

  const keep = async (key: AccessKey, keyStore?: string): Promise<void> => {
    const { state } = locateFiles(env);
    for (const name of withStore(storesOf(find(key)), keyStore))
      await keepKey(name, key, state, accessTo(name));
  };

  return {
    find,
    keep,

    findPair: async (accessKeyId, keyStore) => {
      const shared = readSharedFiles(env);
      for (const kind of fileKinds) {
        for (const { profileName } of holdersIn(shared, kind, { accessKeyId })) {
          const settings = readProfile(bytesOf(shared, kind), kind, profileName)?.settings;
          const secretAccessKey = settings?.get('aws_secret_access_key');
          if (secretAccessKey) return { accessKeyId, secretAccessKey };
        }
      }
      for (const name of withStore(storesOf(find({ accessKeyId })), keyStore)) {
        const key = await findStoredKey(name, accessKeyId, accessTo(name));
        if (key !== undefined) return key;
      }
      return undefined;
    },

    check: async (key) => {
      const shared = readSharedFiles(env);
      for (const kind of fileKinds) {
        if (holdersIn(shared, kind, key).length > 0) checkFile(shared, kind, key);
      }
      for (const name of storesOf(find(key))) await storeNamed(name).check(accessTo(name));
    },

    replace: async (from, to, { checkOwn, onWritten }) => {
      const shared = readSharedFiles(env);
      const replaced: KeyHolder[] = [];
      for (const name of storesOf(find(from))) {
        checkOwn();
        await keepKey(name, to, shared.files.state, accessTo(name));
      }
      for (const kind of fileKinds) {
        const holders = holdersIn(shared, kind, from);
        if (holders.length === 0) continue;
        const path = shared.files[kind];
        const edit = (bytes: Buffer): Buffer => {
          checkOwn();
          return replaceKey(bytes, kind, from, to);
        };
        await editFile(path, edit, { state: shared.files.state });
        replaced.push(...holders);
        onWritten?.(path);
      }
      return replaced;
    },

    add: async (profileName, key, keyStore, { checkOwn, onWritten }) => {
      const profile = findProfile(profileName, readSharedFiles(env));
      if (profile !== undefined && keyIdOf(profile) !== undefined) return false;
      const { credentials, state } = locateFiles(env);
      if (keyStore !== undefined) await keepKey(keyStore, key, state, accessTo(keyStore));
      const edit = (bytes: Buffer): Buffer => {
        checkOwn();
        return setSettings(bytes, 'credentials', profileName, settingsOf(key, keyStore));
      };
      await editFile(credentials, edit, { state });
      onWritten?.(credentials);
      return true;
    },

    forget: async (accessKeyId, keyStore) => {
      if (find({ accessKeyId }).length > 0) return;
      const { state } = locateFiles(env);
      await forgetKey(accessKeyId, withStore(notedStores(state, accessKeyId), keyStore), state, accessTo);
    },
  };
};

export const fileKinds = ['credentials', 'config'] as const satisfies readonly FileKind[];

/** Every profile of both files that holds the key. */
export const findHolders = (shared: SharedFiles, key: WantedKey): KeyHolder[] =>
  fileKinds.flatMap((kind) => holdersIn(shared, kind, key));

/** The key stores that profiles have a key in. */
export const storesOf = (holders: readonly KeyHolder[]): string[] => [
  ...new Set(holders.flatMap(({ store }) => store ?? [])),
];

const withStore = (names: readonly string[], name: string | undefined): string[] => [
  ...new Set([...names, ...(name === undefined ? [] : [name])]),
];

const bytesOf = ({ credentialsBytes, configBytes }: SharedFiles, kind: FileKind): Buffer =>
  (kind === 'credentials' ? credentialsBytes : configBytes) ?? Buffer.alloc(0);

const holdersIn = (shared: SharedFiles, kind: FileKind, key: WantedKey): KeyHolder[] =>
  holdersOf(bytesOf(shared, kind), kind, key).map(({ profileName, store }) => ({
    profileName,
    place: shared.files[kind],
    store,
  }));

/** The settings that a profile has for a key: both halves, or where they are. */
const settingsOf = ({ accessKeyId, secretAccessKey }: AccessKey, store: string | undefined): Changes =>
  store === undefined
    ? { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey }
    : { [placeSettings.store]: store, [placeSettings.accessKeyId]: accessKeyId };

const replaceKey = (bytes: Buffer, kind: FileKind, from: WantedKey, to: AccessKey): Buffer =>
  holdersOf(bytes, kind, from).reduce(
    (edited, { profileName, store }) => setSettings(edited, kind, profileName, settingsOf(to, store)),
    bytes,
  );

/**
 * The file with a key moved to a key store, or with `undefined` into the file itself, in every profile that has it
 * somewhere else. Raises UserError as setSettings does.
 */
export const moveKey = (bytes: Buffer, kind: FileKind, key: AccessKey, to: string | undefined): Buffer =>
  holdersOf(bytes, kind, key).reduce((edited, { profileName, store }) => {
    if (store === to) return edited;
    const other = settingsOf(key, to === undefined ? store : undefined);
    const gone = Object.fromEntries(Object.keys(other).map((name) => [name, undefined]));
    return setSettings(edited, kind, profileName, { ...gone, ...settingsOf(key, to) });
  }, bytes);

/** Raises UserError where a file cannot be edited later; `edit` is one like the real one. */
export const checkKeyFile = (shared: SharedFiles, kind: FileKind, edit: (bytes: Buffer) => unknown): void => {
  const bytes = bytesOf(shared, kind);
  const path = shared.files[kind];
  const problem = findProblems(bytes).find((each) => each.kind === 'syntax');
  if (problem !== undefined) {
    throw new UserError(`${path} line ${problem.line}: ${problem.message}`, {
      hint: 'AWS tools refuse this file too: mend that line',
    });
  }
  edit(bytes);
  checkEditable(path, shared.files.state);
};

// an edit of the same length as the real one, for files too odd to be edited
const checkFile = (shared: SharedFiles, kind: FileKind, key: AccessKey): void =>
  checkKeyFile(shared, kind, (bytes) =>
    replaceKey(bytes, kind, key, {
      accessKeyId: 'AKIA0000000000000000',
      secretAccessKey: '0'.repeat(40),
    }),
  );

type PlacedIn = Pick<KeyHolder, 'profileName' | 'store'>;

const holdersOf = (bytes: Buffer, kind: FileKind, key: WantedKey): PlacedIn[] =>
  candidates(bytes, kind, key.accessKeyId).flatMap((profileName): PlacedIn[] => {
    const settings = readProfile(bytes, kind, profileName)?.settings;
    if (settings === undefined) return [];
    const place = keyPlaceOf({ settings });
    if (place !== undefined)
      return place.accessKeyId === key.accessKeyId ? [{ profileName, store: place.store }] : [];
    const isHolder =
      settings.get('aws_access_key_id') === key.accessKeyId &&
      (key.secretAccessKey === undefined || settings.get('aws_secret_access_key') === key.secretAccessKey);
    return isHolder ? [{ profileName, store: undefined }] : [];
  });

// Files may have thousands of profiles: only those whose header stands before the id are read.
const candidates = (bytes: Buffer, kind: FileKind, accessKeyId: string): string[] => {
  const text = bytes.toString('latin1');
  const names = new Set<string>();
  for (let at = text.indexOf(accessKeyId); at >= 0; at = text.indexOf(accessKeyId, at + 1)) {
    const start = Math.max(0, lastHeader(text, at));
    for (const name of profileNames(bytes.subarray(start, at), kind)) names.add(name);
  }
  return [...names];
};

const lastHeader = (text: string, before: number): number => {
  for (let at = text.lastIndexOf('[', before); at >= 0; at = text.lastIndexOf('[', at - 1)) {
    if (/(^|[\r\n])[^\S\r\n]*$/.test(text.slice(Math.max(0, at - 200), at))) return at;
    if (at === 0) break;
  }
  return -1;
};
