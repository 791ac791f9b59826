/** Whether the sweeps run at their full counts: `AWS_IAM_LOGIN_TEST_LONG=1`. */
export const isLong = process.env['AWS_IAM_LOGIN_TEST_LONG'] === '1';

/** A count for everyday, or the full one in the long run. */
export const atSize = (moderate: number, full: number): number => (isLong ? full : moderate);
