import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { isatty } from 'node:tty';
import type { UserError } from '../errors.ts';
import { findProgram } from '../terminal/find-program.ts';
import { runHelper } from '../terminal/helper.ts';
import type { HelperResult } from '../terminal/helper.ts';
import { withoutCredentials } from '../terminal/shell-command.ts';
import { storeError, waitAfter } from './errors.ts';
import { storeTitles } from './names.ts';
import type { Access, KeyStore } from './seam.ts';

const title = storeTitles.pass;
const place = 'aws-iam-login';
const pathOf = (name: string): string => `${place}/${name}`;

/** `pass`, by its command: https://www.passwordstore.org. Without a terminal gpg is told not to ask for a passphrase. */
export const passStore: KeyStore = {
  describeItem: (name) => `pass show ${pathOf(name)}`,

  find: async (name, access) => {
    const result = await run(['show', pathOf(name)], access);
    if (result.ending === 0) return result.stdout;
    if (isAbsent(result, name)) {
      checkFolder(access.env);
      return undefined;
    }
    if (isTorn(result)) return '';
    throw failure('read', result, name, access);
  },

  check: async ({ env }) => {
    if (findProgram('pass', env['PATH']) === undefined) throw missing();
    const folder = folderOf(env);
    const file = join(folder, '.gpg-id');
    if (env['PASSWORD_STORE_KEY'] || [file, join(folder, place, '.gpg-id')].some(fs.existsSync)) return;
    throw storeError(`${title} is not set up: there is no ${file}`, 'pass init YOUR-GPG-ID');
  },

  replace: async (name, text, access) => {
    if (text === undefined) {
      const result = await run(['rm', '--force', pathOf(name)], access);
      if (result.ending !== 0 && !isAbsent(result, name)) throw failure('change', result, name, access);
      return;
    }
    const result = await run(['insert', '--multiline', '--force', pathOf(name)], access, text);
    if (result.ending !== 0) throw failure('change', result, name, access);
    sync(join(folderOf(access.env), `${pathOf(name)}.gpg`));
  },
};

// The store of another place or of a disk that is away is not one that has lost the key.
const checkFolder = (env: Access['env']): void => {
  const folder = folderOf(env);
  if (fs.existsSync(folder) || env['PASSWORD_STORE_KEY']) return;
  throw storeError(
    `${title} is not there: there is no folder ${folder}`,
    'let PASSWORD_STORE_DIR name it, in cron as well',
  );
};

const folderOf = (env: Access['env']): string =>
  env['PASSWORD_STORE_DIR'] || join(env['HOME'] ?? '', '.password-store');

const run = (words: readonly string[], access: Access, input?: string): Promise<HelperResult> => {
  const { mayAsk, limit, onWait } = access;
  const quiet = mayAsk
    ? {}
    : {
        PASSWORD_STORE_GPG_OPTS:
          `${access.env['PASSWORD_STORE_GPG_OPTS'] ?? ''} --pinentry-mode=error`.trim(),
      };
  // so that gpg's words are known; the words that a window asks in are gpg-agent's
  const env = { ...withoutCredentials(access.env), LANGUAGE: 'C', ...quiet };
  // pass looks on its stdin for the terminal that the passphrase is asked on
  const ownInput = mayAsk && isatty(0);
  const tellWait = (): void => (mayAsk && isEchoOff(env) ? undefined : onWait());
  return runHelper('pass', words, { env, input, ownInput, limit, waitAfter, onWait: tellWait });
};

// So it is while a passphrase is typed on the terminal: what is written then gets into that question.
const isEchoOff = (env: Access['env']): boolean =>
  /\s-echo\s/.test(
    spawnSync('/bin/sh', ['-c', 'stty -a </dev/tty'], {
      env: { ...env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).stdout,
  );

const isAbsent = ({ ending, stderr }: HelperResult, name: string): boolean =>
  ending === 1 && stderr.includes(`${pathOf(name)} is not in the password store`);

// What gpg says of a file that a killed gpg has left.
const isTorn = ({ ending, stderr }: HelperResult): boolean =>
  ending === 2 &&
  /Invalid packet|length invalid|decrypt_message failed|no valid OpenPGP data/.test(stderr) &&
  !isLocked(stderr);

const isLocked = (stderr: string): boolean => /No secret key|pinentry|cancel/i.test(stderr);

const failure = (
  action: 'read' | 'change',
  result: HelperResult,
  name: string,
  access: Access,
): UserError => {
  if (result.ending === 'missing') return missing();
  if (result.ending === 'overdue') {
    return storeError(
      `${title} did not answer within ${Math.round(access.limit / 1000)} s`,
      unlockHint(name),
    );
  }
  const lines = result.stderr.trim().split('\n');
  const reason = lines.findLast((line) => line !== 'Password encryption aborted.') ?? '';
  if (/pass init/.test(reason))
    return storeError(`${title} is not set up: ${reason}`, 'pass init YOUR-GPG-ID');
  return isLocked(result.stderr)
    ? storeError(`${title} is locked: ${reason}`, unlockHint(name))
    : storeError(
        `could not ${action} ${pathOf(name)} in ${title}: ${reason}`,
        `try it by hand: pass ${action === 'read' ? `show ${pathOf(name)}` : `insert ${pathOf('test')}`}`,
      );
};

const missing = (): UserError =>
  storeError(`${title} is not there: no program pass is found`, 'install pass, or look at PATH');

const unlockHint = (name: string): string =>
  `unlock it at a terminal, then try again: pass show ${pathOf(name)} >/dev/null`;

// What is not on the disk yet must not be the only copy of a key.
const sync = (path: string): void => {
  for (const each of [path, dirname(path)]) {
    try {
      const file = fs.openSync(each, 'r');
      try {
        fs.fsyncSync(file);
      } finally {
        fs.closeSync(file);
      }
    } catch {
      // an extension of pass may keep it elsewhere; it is read back in any case
    }
  }
};
