/** Whether `npm run test:long` runs the tests: the sweeps at their full counts. */
export const isLong = process.env['AWS_IAM_LOGIN_TEST_LONG'] === '1';

/** The moderate size (a count, a list) in `npm test`, the full one in `npm run test:long`. */
export const atSize = <Size>(moderate: Size, full: Size): Size => (isLong ? full : moderate);
