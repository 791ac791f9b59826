import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Home } from './program.ts';

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
  const start = `-f /dev/null -C start-server ; set-option -g remain-on-exit on ; new-session -x ${columns} -y ${lines}`;
  const words = ['-L', name, ...start.split(' '), '-c', home.folder, command];
  const { ask, begun, whenShown, end } = steer(spawn('tmux', words, { env: clean(home, env) }));
  const screen = async (): Promise<string> => (await ask('capture-pane -p -J -S -')).trimEnd();
  const terminal: Terminal = {
    type: async (text) => void (await ask(`send-keys -l -- ${quoted(text)}`)),
    press: async (...keys) => void (await ask(`send-keys ${keys.join(' ')}`)),
    screen,
    styled: () => ask('capture-pane -e -p -S -'),
    until: async (pattern) => {
      const limit = Date.now() + 90_000;
      for (;;) {
        const change = whenShown();
        const shown = await screen();
        if (pattern.test(shown)) return shown;
        if (Date.now() > limit) throw new Error(`the terminal does not show ${pattern} but:\n${shown}`);
        await change;
        // what belongs together is rarely written at once
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    close: async () => {
      open.delete(terminal);
      await end();
    },
  };
  open.add(terminal);
  await begun;
  return terminal;
};

/** Ends what tests have left open. */
export const closeTerminals = async (): Promise<void> => {
  await Promise.all([...open].map((terminal) => terminal.close()));
};

/**
 * Speaks tmux's control mode with a client that has started a session: a process for each key and each look would cost
 * more than most of what happens in the terminal.
 */
const steer = (client: ChildProcessWithoutNullStreams) => {
  const asked: ((text: string | Error) => void)[] = [];
  const told = new EventEmitter();
  let answer: string[] | undefined;
  const hear = (line: string): void => {
    // what the words of its start do has another mark than what it is asked
    const mark = /^%(?:begin|end|error)(?= \d+ \d+ 1$)/.exec(line)?.[0];
    if (answer === undefined) {
      if (mark === '%begin') answer = [];
      told.emit(line.split(' ', 1)[0] ?? '');
    } else if (mark === undefined) {
      answer.push(line);
    } else {
      const text = answer.map((each) => `${each}\n`).join('');
      answer = undefined;
      asked.shift()?.(mark === '%end' ? text : new Error(`tmux: ${text}`));
    }
  };
  createInterface({ input: client.stdout }).on('line', hear);
  client.stdin.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    client.on('error', () => resolve()).on('close', () => resolve());
  });
  void ended.then(() => {
    for (const tell of asked.splice(0)) tell(new Error('tmux has ended'));
  });
  const isOver = (): boolean => client.exitCode !== null || client.signalCode !== null;
  return {
    /** Before that there is no session to ask about. */
    begun: Promise.race([once(told, '%session-changed'), ended]),
    ask: async (command: string): Promise<string> => {
      const text = new Promise<string | Error>((resolve) => {
        asked.push(resolve);
      });
      if (isOver()) throw new Error('tmux has ended');
      client.stdin.write(`${command}\n`);
      const found = await text;
      if (found instanceof Error) throw found;
      return found;
    },
    /** Resolves when something is written to the terminal, or after a second. */
    whenShown: () => once(told, '%output', { signal: AbortSignal.timeout(1000) }).catch(() => {}),
    end: async (): Promise<void> => {
      client.stdin.write('kill-server\n');
      await ended;
    },
  };
};

/** Text as tmux reads it: only in double quotes is there a line end. */
const quoted = (text: string): string =>
  text
    .split('\n')
    .map((line) => `'${line.replaceAll("'", String.raw`'\''`)}'`)
    .join(String.raw`"\n"`);

// The variables of the tmux server, and so of everything that it starts.
const clean = (home: Home, env: Record<string, string>): Record<string, string> => ({
  ...home.env,
  // Where its socket lies, which stays behind.
  TMUX_TMPDIR: home.folder,
  TERM: 'screen',
  SHELL: '/bin/sh',
  ...env,
});
