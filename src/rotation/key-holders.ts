import type { FileKind } from '../ini/section-name.ts';
import { profileNames, readProfile } from '../ini/read.ts';
import { setSettings } from '../ini/edit.ts';
import type { AccessKey, SharedFiles } from '../profiles/profile.ts';

/** A profile of one of AWS's two files whose own section holds a certain access key. */
export type KeyHolder = {
  readonly kind: FileKind;
  readonly path: string;
  readonly profileName: string;
};

/** An access key to look for; without the secret its id is enough. */
export type WantedKey = { readonly accessKeyId: string; readonly secretAccessKey?: string | undefined };

/** Every profile of both files that holds the key, those of the credentials file first. */
export const findKeyHolders = (key: WantedKey, shared: SharedFiles): KeyHolder[] =>
  fileKinds.flatMap((kind) => {
    const bytes = kind === 'credentials' ? shared.credentialsBytes : shared.configBytes;
    if (bytes === undefined) return [];
    const path = shared.files[kind];
    return holdersIn(bytes, kind, key).map((profileName) => ({ kind, path, profileName }));
  });

/** The pair that goes with a key id in one of the files, undefined when no profile holds it whole. */
export const findKeyPair = (accessKeyId: string, shared: SharedFiles): AccessKey | undefined => {
  for (const { kind, profileName } of findKeyHolders({ accessKeyId }, shared)) {
    const bytes = kind === 'credentials' ? shared.credentialsBytes : shared.configBytes;
    const secretAccessKey =
      bytes && readProfile(bytes, kind, profileName)?.settings.get('aws_secret_access_key');
    if (secretAccessKey) return { accessKeyId, secretAccessKey };
  }
  return undefined;
};

/** The file with the key replaced in every profile that holds it. Raises UserError for a file that setSettings refuses. */
export const replaceKey = (bytes: Buffer, kind: FileKind, from: WantedKey, to: AccessKey): Buffer =>
  holdersIn(bytes, kind, from).reduce(
    (edited, profileName) =>
      setSettings(edited, kind, profileName, {
        aws_access_key_id: to.accessKeyId,
        aws_secret_access_key: to.secretAccessKey,
      }),
    bytes,
  );

const fileKinds = ['credentials', 'config'] as const satisfies readonly FileKind[];

const holdersIn = (bytes: Buffer, kind: FileKind, key: WantedKey): string[] =>
  candidates(bytes, kind, key.accessKeyId).filter((profileName) => {
    const keys = readProfile(bytes, kind, profileName)?.settings;
    return (
      keys?.get('aws_access_key_id') === key.accessKeyId &&
      (key.secretAccessKey === undefined || keys.get('aws_secret_access_key') === key.secretAccessKey)
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
