// Stands for the package debug in the bundle (build.ts): with DEBUG=* the proxy agents would write whole requests to
// stderr, and it loads supports-color from wherever Node finds one.

/** A logger of nothing. */
export default () => (): void => {};
