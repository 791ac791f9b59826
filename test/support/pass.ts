import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import type { TestStore } from './key-store.ts';
import type { Home } from './program.ts';

// The real `pass`, with a GnuPG home of the test's own.

const passphrase = 'correct horse';

/** Makes a password store in the home; its key has a passphrase if that is wished, which gpg knows at first. */
export const makePassStore = (home: Home, { locks = false } = {}): TestStore => {
  const gnupg = join(home.folder, 'gnupg');
  const folder = join(home.folder, 'password store');
  const pinentry = join(gnupg, 'pinentry');
  fs.mkdirSync(gnupg, { mode: 0o700 });
  // how often a passphrase is hashed would be found out at each start, which takes a second
  const conf = `allow-preset-passphrase\ns2k-count 65536\npinentry-program ${pinentry}\n`;
  fs.writeFileSync(join(gnupg, 'gpg-agent.conf'), conf);
  fs.writeFileSync(pinentry, '#!/bin/sh\n: >>"$0.called"\nexit 1\n', { mode: 0o755 });
  const env = { GNUPGHOME: gnupg, PASSWORD_STORE_DIR: folder };
  const all = { ...home.env, ...env };
  const run = (file: string, words: readonly string[], input = ''): string =>
    execFileSync(file, words, {
      env: all,
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  const secret = locks ? `Passphrase: ${passphrase}\n` : '%no-protection\n';
  const key = `Key-Type: eddsa\nKey-Curve: ed25519\nSubkey-Type: ecdh\nSubkey-Curve: cv25519\nName-Email: jane@example.com\nExpire-Date: 0\n${secret}%commit\n`;
  run('gpg', ['--batch', '--pinentry-mode', 'loopback', '--gen-key'], key);
  run('pass', ['init', 'jane@example.com']);
  const unlock = (): void => {
    if (!locks) return;
    const grips = run('gpg', ['--with-keygrip', '--with-colons', '--list-secret-keys'])
      .split('\n')
      .flatMap((line) => (line.startsWith('grp:') ? [line.split(':')[9] ?? ''] : []));
    const presetPath = join(run('gpgconf', ['--list-dirs', 'libexecdir']).trim(), 'gpg-preset-passphrase');
    run('gpg-connect-agent', ['/bye']);
    for (const grip of grips) run(presetPath, ['--preset', grip], passphrase);
  };
  unlock();
  return {
    env,
    names: () => {
      const items = join(folder, 'aws-iam-login');
      return fs.existsSync(items) ? fs.readdirSync(items).map((name) => name.replace(/\.gpg$/, '')) : [];
    },
    show: (name) => {
      try {
        return run('pass', ['show', `aws-iam-login/${name}`]);
      } catch {
        return undefined;
      }
    },
    remove: (name) => void run('pass', ['rm', '--force', `aws-iam-login/${name}`]),
    hasAsked: () => fs.existsSync(`${pinentry}.called`),
    lock: () => void run('gpgconf', ['--kill', 'gpg-agent']),
    unlock,
    end: () => void run('gpgconf', ['--kill', 'gpg-agent']),
  };
};

/** What a `pass` in front of the real one does at one of its calls: ends us before or after it (with half an item), or fails. */
export type PassFault = 'before' | 'after' | 'torn' | 'fail' | 'locked' | 'hang';

/**
 * Puts a `pass` before the real one in the home's PATH that does as `faultyPass` says, and notes each call and, in
 * `processes.log`, what the arguments and variables of every process are while it runs.
 */
export const wrapPass = (home: Home): void => {
  const real = execFileSync('sh', ['-c', 'command -v pass'], { encoding: 'utf8' }).trim();
  fs.writeFileSync(
    join(home.folder, 'bin', 'pass'),
    `#!/bin/sh
echo "$1" >>"$HOME/pass.log"
look() {
  for each in /proc/[0-9]*; do [ "$each" = "/proc/$PPID" ] || set -- "$@" "$each/environ"; done
  cat /proc/[0-9]*/cmdline "$@" 2>/dev/null | tr '\\0' '\\n' >>"$HOME/processes.log"
}
[ -z "$PASS_LOOK" ] || look
if [ "$(wc -l <"$HOME/pass.log")" -eq "\${PASS_AT:-0}" ]; then
  case $PASS_DO in
    before) kill -9 "$PPID"; exit 1 ;;
    after) ${real} "$@"; kill -9 "$PPID"; exit 1 ;;
    torn) ${real} "$@"; [ "$1" != insert ] || truncate -s 30 "$PASSWORD_STORE_DIR/$4.gpg"; kill -9 "$PPID"; exit 1 ;;
    fail) echo 'Error: as the test wants it' >&2; exit 1 ;;
    locked) echo 'gpg: decryption failed: No secret key' >&2; exit 2 ;;
    hang) exec sleep 1000 ;;
  esac
fi
if [ -z "$PASS_LOOK" ]; then exec ${real} "$@"; fi
${real} "$@"
code=$?
look
exit "$code"
`,
    { mode: 0o755 },
  );
};

/** The variables that let a call of the wrapped `pass` go wrong. */
export const faultyPass = (fault: PassFault, at: number): Record<string, string> => ({
  PASS_DO: fault,
  PASS_AT: String(at),
});

/** What the wrapped `pass` was called for, in order: `insert`, `show`, `rm`. */
export const passCalls = (home: Home): string[] => {
  const log = join(home.folder, 'pass.log');
  return fs.existsSync(log) ? fs.readFileSync(log, 'utf8').trimEnd().split('\n') : [];
};
