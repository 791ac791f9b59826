import { iamCalls } from './iam.ts';
import { newSender } from './sender.ts';
import type { Caller, Surroundings } from './sender.ts';
import { signInCalls } from './sign-in.ts';
import { stsCalls } from './sts.ts';

export type Aws = ReturnType<typeof connect>;

/**
 * The STS and IAM calls of one caller, over connections that are kept for the next call until `close`; a process that
 * does not close them ends all the same. Each call raises UserError with `failureCode`. An endpoint without TLS that
 * is not on this machine is warned of once.
 */
export const connect = (caller: Caller, surroundings: Surroundings) => {
  const sender = newSender(caller, surroundings);
  const { clockOffset, close } = sender;
  return { clockOffset, close, ...stsCalls(sender), ...iamCalls(sender), ...signInCalls(sender) };
};
