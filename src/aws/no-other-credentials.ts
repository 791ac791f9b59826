/**
 * Stands in the bundle for the SDK's own chain of credentials: every request is signed by the key or the session in
 * hand, and nothing else of the machine may ever sign one.
 */
export const defaultProvider = () => async (): Promise<never> => {
  throw new Error('a request without credentials');
};
