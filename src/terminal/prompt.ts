import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { UserError, exitCode } from '../errors.ts';
import { shown } from '../text.ts';

/** The terminal that this process may ask on; `id` is the same for all processes of that terminal. */
export type Terminal = { readonly id: string };

/** Why there is nobody to ask: no terminal at all, or this is a background job, which asking would stop. */
export type NoTerminal = 'none' | 'background';

/** How long people may take to answer, and the same in words. */
export type Patience = { readonly milliseconds: number; readonly words: string };

const usualPatience: Patience = { milliseconds: 5 * 60_000, words: '5 minutes' };

/**
 * The controlling terminal, when this process is in its foreground. Whoever has looked for it leaves its mode alone
 * when it ends: by then another process may be asking.
 */
export const findTerminal = (): Terminal | NoTerminal => {
  process.off('exit', forgetTerminal).on('exit', forgetTerminal);
  try {
    closeSync(openSync('/dev/tty', 'r+'));
  } catch {
    return 'none';
  }
  const { terminal, group, foreground } = jobOf();
  return group === foreground ? { id: terminal } : 'background';
};

// Terminal, process group and the terminal's foreground group: Node has no tcgetpgrp.
const jobOf = (): { terminal: string; group: string; foreground: string } => {
  const [group = '', terminal = '', foreground = ''] = process.platform === 'linux' ? linuxJob() : psJob();
  return { terminal: terminal.replaceAll(/\W/g, '_'), group, foreground };
};

// proc(5): after the name in parentheses come state, ppid, pgrp, session, tty_nr, tpgid.
const linuxJob = (): string[] => {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return [fields[2] ?? '', fields[4] ?? '', fields[5] ?? ''];
};

const psJob = (): string[] =>
  execFileSync('/bin/ps', ['-o', 'pgid=', '-o', 'tty=', '-o', 'tpgid=', '-p', String(process.pid)], {
    encoding: 'utf8',
  })
    .trim()
    .split(/\s+/);

/**
 * Asks on the controlling terminal, in raw mode, and returns the line that was typed, which may be empty. What is
 * typed is shown. Raises UserError: with exit code 130 for Ctrl-C and for Ctrl-D on an empty line, with 3 when the
 * terminal goes away or nobody answers in time, usually five minutes. `signal` ends the question with its reason.
 *
 * The mode is raw because fish hands the terminal over in a mode of its own, and because a Ctrl-C that reaches bash
 * inside PROMPT_COMMAND starts the prompt again.
 */
export const askLine = (
  question: string,
  signal?: AbortSignal,
  { milliseconds, words }: Patience = usualPatience,
): Promise<string> => {
  const input = new ReadStream(openSync('/dev/tty', 'r+'));
  // A descriptor of its own: the one for reading does not block, and a write to it could fail.
  const output = openSync('/dev/tty', 'w');
  const write = (text: string): void => {
    writeSync(output, text);
  };
  const restore = (): void => {
    if (!input.destroyed) input.setRawMode(false);
  };

  return new Promise<string>((resolve, reject) => {
    let line = '';
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      process.removeListener('exit', restore);
      input.removeAllListeners();
      input.on('error', () => {});
      try {
        restore();
        write('\n');
      } catch {
        // the terminal has gone away
      }
      closeSync(output);
      input.destroy();
      settle();
    };
    const fail = (error: unknown): void => finish(() => reject(error));
    const onAbort = (): void => fail(signal?.reason);
    const timer = setTimeout(() => fail(unanswered(`nobody answered within ${words}`)), milliseconds);

    const onKey = (key: Key): boolean => {
      if (key.kind === 'text') {
        line += key.text;
        write(key.text);
      } else if (key.kind === 'erase') {
        const erased = key.all ? line : (line.match(/.$/su)?.[0] ?? '');
        line = line.slice(0, line.length - erased.length);
        write('\b \b'.repeat(Array.from(erased).length));
      } else if (key.kind === 'enter') {
        finish(() => resolve(line));
        return true;
      } else if (key.kind === 'interrupt' || line === '') {
        fail(declined());
        return true;
      }
      return false;
    };

    input.setRawMode(true);
    process.once('exit', restore);
    write(shown(question).replaceAll('\n', '\r\n'));
    input.setEncoding('utf8');
    input.on('data', (chunk) => {
      keysOf(String(chunk)).some(onKey);
    });
    const onHangUp = (): void => fail(unanswered('the terminal went away'));
    input.on('error', onHangUp);
    input.on('end', onHangUp);
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort);
  });
};

// Node sets back the mode of its standard streams when it exits, into the middle of another process's question, and
// aborts when the terminal is no longer there. It does so only for streams that are open still.
const forgetTerminal = (): void => {
  for (const stream of [0, 1, 2]) {
    try {
      closeSync(stream);
    } catch {
      // closed already
    }
  }
};

/** Asks a question to be answered with yes or no; no is the default. Raises UserError as askLine does. */
export const askYesNo = async (question: string): Promise<boolean> =>
  /^y(es)?$/i.test((await askLine(`${question} [y/N] `)).trim());

/** The error of one who was asked and declined, and the command that asks again where it is known. */
export const declined = (command?: string): UserError =>
  new UserError(
    `nothing was done: ${command === undefined ? 'the question was declined' : `${command} asks again`}`,
    { exitCode: exitCode.interrupted },
  );

/** The error of a question that stayed without an answer. */
export const unanswered = (reason: string): UserError =>
  new UserError(`the question was not answered: ${reason}`, { exitCode: exitCode.noSession });

type Key =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'erase'; readonly all: boolean }
  | { readonly kind: 'enter' | 'interrupt' | 'end' };

/** What was pressed, in the order of the characters that a terminal in raw mode sends. */
const keysOf = (chunk: string): Key[] =>
  // Escape sequences (arrows, bracketed paste) and other control characters mean nothing here.
  Array.from(chunk.replaceAll(escapeSequence, '')).flatMap((character): Key[] => {
    if (character === '\r' || character === '\n') return [{ kind: 'enter' }];
    if (character === '\u0003') return [{ kind: 'interrupt' }];
    if (character === '\u0004') return [{ kind: 'end' }];
    if (character === '\u007F' || character === '\b') return [{ kind: 'erase', all: false }];
    if (character === '\u0015' || character === '\u0017') return [{ kind: 'erase', all: true }];
    return /\p{Cc}/u.test(character) ? [] : [{ kind: 'text', text: character }];
  });

const escapeSequence = new RegExp(String.raw`\u001B(?:\[[0-9;?]*[ -/]*[@-~]|O.|.)?`, 'gsu');
