import type { Context } from '../context.ts';
import { UserError, exitCode } from '../errors.ts';
import { ensureStateFolder, lockPathFor } from '../files/state-files.ts';
import { acquireLock } from '../files/lock.ts';
import { findTerminal } from './prompt.ts';

export type Question = {
  /** What needs an answer, the beginning of the sentence that says why it cannot be asked. */
  readonly need: string;
  /** What to do where nobody can be asked. */
  readonly hint: string;
  /** Whether it may be asked at all; `--no-input` forbids it. */
  readonly input: boolean;
  /** The state folder, where the locks of terminals are. */
  readonly state: string;
};

/** Whether somebody can be asked now. */
export const canAsk = (input: boolean): boolean => input && typeof findTerminal() === 'object';

/**
 * Runs `ask` while no other process of ours asks on the same terminal. Raises UserError with exit code 3 where nobody
 * can be asked, and what `ask` raises.
 */
export const askOrFail = async <Answer>(
  { need, hint, input, state }: Question,
  context: Context,
  ask: () => Promise<Answer>,
): Promise<Answer> => {
  const terminal = input ? findTerminal() : 'forbidden';
  if (typeof terminal === 'string') {
    throw new UserError(`${need}, and ${reasons[terminal]}`, { hint, exitCode: exitCode.noSession });
  }
  ensureStateFolder(state);
  const lock = await acquireLock(lockPathFor(state, `terminal ${terminal.id}`), {
    onWait: ({ pid }) =>
      context.log(`aws-iam-login: process ${pid} is asking on this terminal: waiting for it`),
  });
  try {
    return await ask();
  } finally {
    lock.release();
  }
};

const reasons = {
  forbidden: '--no-input forbids to ask',
  background: 'a background job cannot ask',
  none: 'there is no terminal to ask on',
} as const;
