import { UserError, exitCode } from '../errors.ts';

/** `use` is the shell hook's: here it can only say how to load that. Raises UserError (usage). */
export const runUse = async (): Promise<number> => {
  throw new UserError('use changes the current shell, and the shell hook is not loaded here', {
    hint: 'run: eval "$(aws-iam-login hook bash)" (or zsh; fish: aws-iam-login hook fish | source), or: aws-iam-login setup',
    exitCode: exitCode.usage,
  });
};
