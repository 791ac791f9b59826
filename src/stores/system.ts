import { fileURLToPath } from 'node:url';
import type { UserError } from '../errors.ts';
import { runHelper } from '../terminal/helper.ts';
import { withoutCredentials } from '../terminal/shell-command.ts';
import { isAboutBus, isAboutLock, storeError, waitAfter } from './errors.ts';
import { parseJsonObject } from '../text.ts';
import { storeTitles } from './names.ts';
import type { Access, KeyStore } from './seam.ts';

const title = storeTitles.system;

/**
 * The store of the system, by `@napi-rs/keyring` in a process of its own: Keychain on macOS, the Secret Service
 * (gnome-keyring, KWallet, KeePassXC) elsewhere.
 */
export const systemStore: KeyStore = {
  describeItem: (name) =>
    process.platform === 'darwin'
      ? `security find-generic-password -s aws-iam-login -a ${name} -w`
      : `secret-tool lookup service aws-iam-login username ${name}`,

  find: async (name, access) =>
    (await call({ action: access.mayAsk ? 'find' : 'look', name }, access)) ?? undefined,

  check: async (access) => {
    await call({ action: 'look', name: '' }, access);
  },

  replace: async (name, text, access) => {
    // whether it is locked is found out without asking anybody to unlock it
    if (!access.mayAsk) await call({ action: 'look', name }, access);
    await call({ action: 'replace', name, text }, access);
  },
};

type Call = {
  readonly action: 'look' | 'find' | 'replace';
  readonly name: string;
  readonly text?: string | undefined;
};

// seen from a room of `src` as well as from `dist/cli`
const program = fileURLToPath(new URL('../../dist/system-key-store.cjs', import.meta.url));

const call = async (request: Call, access: Access): Promise<string | null> => {
  const { limit, onWait } = access;
  const { NODE_OPTIONS: _, NODE_EXTRA_CA_CERTS: __, ...env } = withoutCredentials(access.env);
  const input = JSON.stringify(request);
  const result = await runHelper(process.execPath, [program], { env, input, limit, waitAfter, onWait });
  if (result.ending === 'overdue')
    throw storeError(`${title} did not answer within ${Math.round(limit / 1000)} s`, unlockHint);
  const answer = parseJsonObject(result.stdout);
  if (typeof answer?.['text'] === 'string' || answer?.['text'] === null) return answer['text'];
  if (result.ending === 'killed')
    throw storeError(
      `${title} could not be asked: the process for that was killed`,
      'try again; where it stays so, install aws-iam-login and its package @napi-rs/keyring anew',
    );
  const { error, code } = answer ?? {};
  throw failure(typeof error === 'string' ? error : result.stderr.trim(), code, request.name);
};

const failure = (message: string, code: unknown, name: string): UserError => {
  if (/MODULE_NOT_FOUND/.test(String(code)) || /native binding|cannot find (package|module)/i.test(message)) {
    return storeError(
      `${title} needs the package @napi-rs/keyring, which is not installed along with aws-iam-login`,
      'npm install --global --include=optional aws-iam-login; or use another store: --key-store pass',
    );
  }
  if (/matched by \d+ credentials/i.test(message)) {
    return storeError(
      `${title} has more than one item for …${name.slice(-4)}`,
      `leave one of them there, with the program that shows your passwords: service aws-iam-login, username ${name}`,
    );
  }
  if (/no result found/i.test(message)) {
    return storeError(`${title} has no keyring to write into`, 'log in to the desktop once, which makes one');
  }
  if (isAboutLock(message)) return storeError(`${title} is locked`, unlockHint);
  if (/no_?reply|without replying|not receive a reply|NoSession/i.test(message))
    return storeError(`${title} did not answer`, unlockHint);
  if (isAboutBus(message) || /connect|ServiceUnknown|no such interface|platform/i.test(message)) {
    return storeError(
      `${title} is not there: nothing answers for it in this session`,
      'over ssh, in cron and without a desktop use another store: aws-iam-login init PROFILE --key-store pass',
    );
  }
  return storeError(`${title} failed: ${message}`, unlockHint);
};

const unlockHint =
  process.platform === 'darwin'
    ? 'unlock it, then try again: security unlock-keychain'
    : 'unlock it where you are logged in to the desktop, then try again';
