import type { Context } from '../context.ts';
import { UserError, exitCode } from '../errors.ts';
import { ensureStateFolder, lockPathFor } from '../files/state-files.ts';
import { acquireLock } from '../files/lock.ts';
import type { Lock } from '../files/lock.ts';
import { findTerminal, unanswered } from './prompt.ts';
import type { Patience } from './prompt.ts';

export type Question = {
  /** What needs an answer, the beginning of the sentence that says why it cannot be asked. */
  readonly need: string;
  /** What to do where nobody can be asked. */
  readonly hint: string;
  /** Whether it may be asked at all; `--no-input` forbids it. */
  readonly input: boolean;
  /** The state folder, where the locks of terminals are. */
  readonly state: string;
  /** When whoever waits for the answer gives up; undefined for as long as a question usually stands. */
  readonly deadline?: Deadline | undefined;
};

/** A point in time, in milliseconds since the epoch, and how long it was to it at first, in words. */
export type Deadline = { readonly at: number; readonly words: string };

/** Whether somebody can be asked now. */
export const canAsk = (input: boolean): boolean => input && typeof findTerminal() === 'object';

/**
 * Runs `ask` while no other process of ours asks on the same terminal. Raises UserError with exit code 3 where nobody
 * can be asked, and what `ask` raises.
 */
export const askOrFail = async <Answer>(
  { need, hint, input, state, deadline }: Question,
  context: Context,
  ask: () => Promise<Answer>,
): Promise<Answer> => {
  const terminal = input ? findTerminal() : 'forbidden';
  if (typeof terminal === 'string') {
    throw new UserError(`${need}, and ${reasons[terminal]}`, { hint, exitCode: exitCode.noSession });
  }
  ensureStateFolder(state);
  const over = new AbortController();
  const timer = deadline && setTimeout(giveUp, deadline.at - context.now(), deadline, over);
  let lock: Lock;
  try {
    lock = await acquireLock(lockPathFor(state, `terminal ${terminal.id}`), {
      signal: over.signal,
      onWait: ({ pid }) =>
        context.log(`aws-iam-login: process ${pid} is asking on this terminal: waiting for it`),
    });
  } finally {
    clearTimeout(timer);
  }
  try {
    return await ask();
  } finally {
    lock.release();
  }
};

const giveUp = ({ words }: Deadline, wait: AbortController): void =>
  wait.abort(unanswered(`another question stands on this terminal, for ${words} by now`));

/** What is left until then, undefined for what questions usually have. */
export const patienceUntil = (
  deadline: Deadline | undefined,
  { now }: Pick<Context, 'now'>,
): Patience | undefined =>
  deadline && { milliseconds: Math.max(0, deadline.at - now()), words: deadline.words };

const reasons = {
  forbidden: '--no-input forbids to ask',
  background: 'a background job cannot ask',
  none: 'there is no terminal to ask on',
} as const;
