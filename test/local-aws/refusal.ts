/** An error answer of the service: HTTP status, AWS error code and message. */
export type Refusal = Error & { status: number; code: string; withoutMessage?: boolean };

/** The error to throw for an answer other than success. */
export const refusal = (
  status: number,
  code: string,
  message: string,
  extra: { withoutMessage?: boolean } = {},
): Refusal => Object.assign(new Error(message), { status, code, ...extra });

/** Whether what was thrown is an answer rather than a bug of the server. */
export const isRefusal = (error: unknown): error is Refusal =>
  error instanceof Error &&
  'status' in error &&
  typeof error.status === 'number' &&
  'code' in error &&
  typeof error.code === 'string';

/** The one answer for unknown, inactive and deleted keys and for session tokens that do not fit. */
export const invalidClientTokenId = (): Refusal =>
  refusal(403, 'InvalidClientTokenId', 'The security token included in the request is invalid.');

/** 403 AccessDenied. */
export const accessDenied = (message: string): Refusal => refusal(403, 'AccessDenied', message);

/** 400 ValidationError with a free message. */
export const validationError = (message: string): Refusal => refusal(400, 'ValidationError', message);
