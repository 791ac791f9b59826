/** The exit codes that people script against (docs/exit-codes.md). */
export const exitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  noSession: 3,
  /** `exec` could not start its command. */
  notStarted: 125,
  interrupted: 130,
} as const;

const mark = Symbol.for('aws-iam-login.UserError');

type UserErrorOptions = {
  hint?: string | undefined;
  exitCode?: number;
  failureCode?: string | undefined;
  cause?: unknown;
};

/**
 * A failure that the user can understand and act on: one sentence without a final stop, and a hint.
 * Everything else that is thrown is a bug. Recognised by a mark that nothing from outside can bear: bundles may hold the
 * class twice, and the SDK copies whatever an answer holds onto its errors.
 */
export class UserError extends Error {
  override name = 'UserError';
  readonly [mark] = true;
  readonly hint: string | undefined;
  readonly exitCode: number;
  /** What went wrong, for programs: the code of AWS, one of `requestFailure` when no AWS answered, or one of our own. */
  readonly failureCode: string | undefined;

  constructor(message: string, options: UserErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? exitCode.failed;
    this.failureCode = options.failureCode;
  }
}

/** A command line that cannot be understood. */
export const usageError = (message: string, hint = 'see: aws-iam-login --help'): UserError =>
  new UserError(message, { hint, exitCode: exitCode.usage });

/** Whether what was thrown is a UserError, from whichever bundle. */
export const isUserError = (error: unknown): error is UserError => error instanceof Error && mark in error;

/** The system's error code (`ENOENT`, `EACCES`, …) of what was thrown, if it has one. */
export const systemCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** The message of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
