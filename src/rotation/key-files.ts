import type { Environment } from '../context.ts';
import { UserError } from '../errors.ts';
import { checkEditable, editFile } from '../files/edit.ts';
import { locateFiles } from '../files/locations.ts';
import { setSettings } from '../ini/edit.ts';
import { findProblems, profileNames, readProfile } from '../ini/read.ts';
import type { FileKind } from '../ini/section-name.ts';
import { findProfile, readSharedFiles } from '../profiles/profile.ts';
import type { AccessKey, SharedFiles } from '../profiles/profile.ts';
import type { KeyHolder, KeyStore, WantedKey } from './key-holders.ts';

/** AWS's two files as a key store: a profile holds a key when its own section in one of them has both halves. */
export const newKeyFiles = (env: Environment): KeyStore => ({
  find: (key) => {
    const shared = readSharedFiles(env);
    return fileKinds.flatMap((kind) => holdersIn(shared, kind, key));
  },

  findPair: (accessKeyId) => {
    const shared = readSharedFiles(env);
    for (const kind of fileKinds) {
      const bytes = bytesOf(shared, kind);
      for (const { profileName } of holdersIn(shared, kind, { accessKeyId })) {
        const secretAccessKey = readProfile(bytes, kind, profileName)?.settings.get('aws_secret_access_key');
        if (secretAccessKey) return { accessKeyId, secretAccessKey };
      }
    }
    return undefined;
  },

  check: (key) => {
    const shared = readSharedFiles(env);
    for (const kind of fileKinds) {
      if (holdersIn(shared, kind, key).length > 0) checkFile(shared, kind, key);
    }
  },

  replace: async (from, to, { checkOwn, onWritten }) => {
    const shared = readSharedFiles(env);
    const replaced: KeyHolder[] = [];
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

  add: async (profileName, key, { checkOwn, onWritten }) => {
    if (findProfile(profileName, readSharedFiles(env))?.settings.get('aws_access_key_id')) return false;
    const { credentials, state } = locateFiles(env);
    const edit = (bytes: Buffer): Buffer => {
      checkOwn();
      return setSettings(bytes, 'credentials', profileName, settingsOf(key));
    };
    await editFile(credentials, edit, { state });
    onWritten?.(credentials);
    return true;
  },
});

const fileKinds = ['credentials', 'config'] as const satisfies readonly FileKind[];

const bytesOf = ({ credentialsBytes, configBytes }: SharedFiles, kind: FileKind): Buffer =>
  (kind === 'credentials' ? credentialsBytes : configBytes) ?? Buffer.alloc(0);

const holdersIn = (shared: SharedFiles, kind: FileKind, key: WantedKey): KeyHolder[] =>
  namesIn(bytesOf(shared, kind), kind, key).map((profileName) => ({
    profileName,
    place: shared.files[kind],
  }));

const settingsOf = ({ accessKeyId, secretAccessKey }: AccessKey) => ({
  aws_access_key_id: accessKeyId,
  aws_secret_access_key: secretAccessKey,
});

const replaceKey = (bytes: Buffer, kind: FileKind, from: WantedKey, to: AccessKey): Buffer =>
  namesIn(bytes, kind, from).reduce(
    (edited, profileName) => setSettings(edited, kind, profileName, settingsOf(to)),
    bytes,
  );

const checkFile = (shared: SharedFiles, kind: FileKind, key: AccessKey): void => {
  const bytes = bytesOf(shared, kind);
  const path = shared.files[kind];
  const problem = findProblems(bytes).find((each) => each.kind === 'syntax');
  if (problem !== undefined) {
    throw new UserError(`${path} line ${problem.line}: ${problem.message}`, {
      hint: 'AWS tools refuse this file too: mend that line',
    });
  }
  // an edit of the same length as the real one, for files too odd to be edited
  replaceKey(bytes, kind, key, { accessKeyId: 'AKIA0000000000000000', secretAccessKey: '0'.repeat(40) });
  checkEditable(path, shared.files.state);
};

const namesIn = (bytes: Buffer, kind: FileKind, key: WantedKey): string[] =>
  candidates(bytes, kind, key.accessKeyId).filter((profileName) => {
    const settings = readProfile(bytes, kind, profileName)?.settings;
    return (
      settings?.get('aws_access_key_id') === key.accessKeyId &&
      (key.secretAccessKey === undefined || settings.get('aws_secret_access_key') === key.secretAccessKey)
    );
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
