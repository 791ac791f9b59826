// The process that calls the store of the system: what it waits for, nobody else does. It is told what to do on stdin,
// as JSON, and answers on stdout; the names of the items and their texts are in no argument.
import { readFileSync, writeSync } from 'node:fs';
import { parseJsonObject } from '../text.ts';
import { isAboutBus } from './errors.ts';

/** The service that items of ours belong to. */
const service = 'aws-iam-login';

type Request = Readonly<Record<string, unknown>>;

const main = async (): Promise<string | null> => {
  const request = parseJsonObject(readFileSync(0, 'utf8')) ?? {};
  // gnome-keyring 42 to 50 may end when a program connects: when OpenSession comes before its list of clients has the
  // sender. The bus starts it again for the next call, so ask once more; each action may be done twice.
  return ask(request).catch((error: unknown) => {
    if (error instanceof Error && isAboutBus(error.message)) return ask(request);
    throw error;
  });
};

const ask = async ({ action, name, text }: Request): Promise<string | null> => {
  if (typeof name !== 'string') throw new Error('this program is for aws-iam-login');
  const { Entry, findCredentials } = await import('@napi-rs/keyring');
  // lists what can be read as it is; to unlock something is for the other way
  if (action === 'look')
    return findCredentials(service).find(({ account }) => account === name)?.password ?? null;
  // without this it would fall back to the kernel's keyring, which forgets everything at the next start
  const entry = new Entry(service, name, { linux: { store: 'secret-service' } });
  if (action === 'find') return entry.getPassword();
  if (typeof text === 'string') entry.setPassword(text);
  else entry.deleteCredential();
  return null;
};

const answer = (value: Readonly<Record<string, unknown>>): void => {
  writeSync(1, JSON.stringify(value));
};

main().then(
  (text) => answer({ text }),
  (error: unknown) =>
    answer({
      error: error instanceof Error ? error.message : String(error),
      code: error instanceof Error && 'code' in error ? error.code : undefined,
    }),
);
