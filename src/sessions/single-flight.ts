import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import ini from 'ini';
import type { Context } from '../context.ts';
import { UserError, exitCode, isUserError } from '../errors.ts';
import { readStateFile, removeStateFile, writeStateFile } from '../files/state-files.ts';
import { tryLock } from '../files/lock.ts';
import type { Lock } from '../files/lock.ts';
import { unanswered } from '../terminal/prompt.ts';
import type { Deadline } from '../terminal/question.ts';

/** What the one process at work may do with the flight that it leads. */
export type Flight = {
  /** Raises UserError when another process has taken over, because this one was stopped for too long. */
  readonly checkOwn: () => void;
  /** Tells those who wait whether a question stands on a terminal now. */
  readonly asking: (yes: boolean) => void;
};

type FlightPlan = {
  /** The lock file. */
  readonly path: string;
  /** What is wanted: those with the same goal share the outcome. */
  readonly goal: string;
  /** What is asked about, for the message to those who wait. */
  readonly subject: string;
  /** Whether this process could ask by itself. */
  readonly canAsk: () => boolean;
  /** When whoever waits for this process gives up. */
  readonly deadline?: Deadline | undefined;
};

/**
 * Runs `work` in one process at a time. The others wait, and take what `found` then finds. A failure of the one at
 * work ends those who were waiting for the same goal with its message and exit code; its death does not: the next
 * one takes over. Raises UserError with exit code 3 in a process without a terminal when the one at work is asking, and
 * where the wait reaches the deadline.
 */
export const joinFlight = async <Result>(
  plan: FlightPlan,
  context: Context,
  found: () => Result | undefined,
  work: (flight: Flight) => Promise<Result>,
): Promise<Result> => {
  const seen = new Set<string>();
  const since = context.now();
  // whose question was told, or that somebody is at work
  let told: string | undefined;
  for (;;) {
    const attempt = tryLock(plan.path, { phase: 'working', goal: plan.goal });
    if (attempt.lock !== undefined) {
      const outcome = await lead(attempt.lock, plan, seen, found, work);
      if (outcome !== overtaken) return outcome;
      continue;
    }
    const { holder } = attempt;
    if (!seen.has(holder.token)) {
      const already = seen.size > 0 ? found() : undefined;
      if (already !== undefined) return already;
      throwOutcome(plan, seen);
      seen.add(holder.token);
    }
    const asking = holder.data['phase'] === 'asking';
    if (asking && !plan.canAsk()) throw cannotWait(plan, holder.pid);
    if (plan.deadline !== undefined && context.now() >= plan.deadline.at)
      throw unanswered(`process ${holder.pid} still waits for ${plan.subject} after ${plan.deadline.words}`);
    if (asking ? told !== holder.token : told === undefined && context.now() - since >= quietMilliseconds) {
      const does = asking ? 'is asking for the code of' : 'is getting a session with';
      context.log(`aws-iam-login: process ${holder.pid} ${does} ${plan.subject}: waiting for it`);
      told = asking ? holder.token : 'at work';
    }
    await context.sleep(pollMilliseconds * (0.5 + Math.random()));
  }
};

const pollMilliseconds = 40;
// What is over sooner is not worth a line.
const quietMilliseconds = 1000;

// Instead of a result: this process was stopped for so long that another one has taken the lead.
const overtaken = Symbol('overtaken');

const lead = async <Result>(
  lock: Lock,
  plan: FlightPlan,
  seen: ReadonlySet<string>,
  found: () => Result | undefined,
  work: (flight: Flight) => Promise<Result>,
): Promise<Result | typeof overtaken> => {
  try {
    removeOldOutcomes(plan);
    const already = found();
    if (already !== undefined) return already;
    throwOutcome(plan, seen);
    const flight: Flight = {
      checkOwn: () => {
        if (!lock.stillOwn()) {
          throw new UserError('this process was stopped for too long, and another one has taken over', {
            hint: 'try again',
          });
        }
      },
      asking: (yes) => lock.update({ phase: yes ? 'asking' : 'working', goal: plan.goal }),
    };
    try {
      return await work(flight);
    } catch (error) {
      if (!lock.stillOwn()) return overtaken;
      if (isUserError(error)) publishOutcome(plan, lock.token, error);
      throw error;
    }
  } finally {
    lock.release();
  }
};

const cannotWait = (plan: FlightPlan, pid: number): UserError =>
  new UserError(
    `process ${pid} is asking for the code of ${plan.subject}, and there is no terminal to wait on`,
    {
      hint: 'answer it there, then try again',
      exitCode: exitCode.noSession,
    },
  );

const outcomePrefix = (plan: FlightPlan): string => `${plan.path}.outcome.`;

const publishOutcome = (plan: FlightPlan, token: string, error: UserError): void => {
  const { message, hint, exitCode: code } = error;
  const outcome = {
    goal: plan.goal,
    message,
    exitCode: String(code),
    ...(hint === undefined ? {} : { hint }),
  };
  try {
    writeStateFile(`${outcomePrefix(plan)}${token}`, ini.stringify(outcome));
  } catch {
    // A full disk: those who wait find nothing here and try for themselves.
  }
};

/** Raises what one of those that this process has waited for ended with. */
const throwOutcome = (plan: FlightPlan, seen: ReadonlySet<string>): void => {
  for (const token of seen) {
    const text = readStateFile(`${outcomePrefix(plan)}${token}`);
    if (text === undefined) continue;
    const { goal, message, hint, exitCode: code }: Record<string, unknown> = ini.parse(text);
    if (goal !== plan.goal || typeof message !== 'string') continue;
    throw new UserError(message, {
      hint: typeof hint === 'string' ? hint : undefined,
      exitCode: Number(code) || exitCode.failed,
    });
  }
};

const removeOldOutcomes = (plan: FlightPlan): void => {
  const folder = dirname(plan.path);
  const prefix = basename(outcomePrefix(plan));
  try {
    for (const name of readdirSync(folder)) {
      if (!name.startsWith(prefix)) continue;
      const path = join(folder, name);
      if (Date.now() - statSync(path).mtimeMs > 60_000) removeStateFile(path);
    }
  } catch {
    // What nobody can list now, or another one has removed, is no reason to fail.
  }
};
