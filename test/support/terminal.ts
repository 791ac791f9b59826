import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Home } from './program.ts';

const execute = promisify(execFile);

/** A real terminal, in tmux, with one command in it. */
export type Terminal = {
  /** Types text as it is. */
  readonly type: (text: string) => Promise<void>;
  /** Presses keys by their tmux names: `Enter`, `C-c`, `BSpace`. */
  readonly press: (...keys: string[]) => Promise<void>;
  /** What the terminal shows, wrapped lines joined, blank lines at the end left out. */
  readonly screen: () => Promise<string>;
  /** The same with the escape sequences of colour and weight, wrapped as it is. */
  readonly styled: () => Promise<string>;
  /** Waits until the screen fits. Rejects after 90 s, which no loaded machine needs, with what it shows instead. */
  readonly until: (pattern: RegExp) => Promise<string>;
  readonly close: () => Promise<void>;
};

const open = new Set<Terminal>();

/** Opens a terminal of 200 columns and 60 lines, or of another size, and starts `command` (for `/bin/sh`) in it. */
export const openTerminal = async (
  home: Home,
  command: string,
  env: Record<string, string> = {},
  [columns, lines]: readonly [number, number] = [200, 60],
): Promise<Terminal> => {
  // tmux does not start where a server of the same name has just ended
  const name = randomBytes(6).toString('hex');
  const tmux = async (...args: string[]): Promise<string> =>
    (await execute('tmux', ['-L', name, ...args], { env: clean(home, env) })).stdout;
  const start = `-f /dev/null start-server ; set-option -g remain-on-exit on ; new-session -d -x ${columns} -y ${lines}`;
  await tmux(...start.split(' '), '-c', home.folder, command);
  const screen = async (): Promise<string> => (await tmux('capture-pane', '-p', '-J', '-S', '-')).trimEnd();
  const terminal: Terminal = {
    type: async (text) => void (await tmux('send-keys', '-l', '--', text)),
    press: async (...keys) => void (await tmux('send-keys', ...keys)),
    screen,
    styled: () => tmux('capture-pane', '-e', '-p', '-S', '-'),
    until: async (pattern) => {
      const end = Date.now() + 90_000;
      for (;;) {
        const shown = await screen();
        if (pattern.test(shown)) return shown;
        if (Date.now() > end) throw new Error(`the terminal does not show ${pattern} but:\n${shown}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    close: async () => {
      open.delete(terminal);
      await tmux('kill-server').catch(() => {});
    },
  };
  open.add(terminal);
  return terminal;
};

/** Ends what tests have left open. */
export const closeTerminals = async (): Promise<void> => {
  await Promise.all([...open].map((terminal) => terminal.close()));
};

// The variables of the tmux server, and so of everything that it starts.
const clean = (home: Home, env: Record<string, string>): Record<string, string> => ({
  ...home.env,
  // Where its socket lies, which stays behind.
  TMUX_TMPDIR: home.folder,
  TERM: 'screen',
  SHELL: '/bin/sh',
  ...env,
});
