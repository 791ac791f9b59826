import type { Client, ClientCredentials, ClientParameters, ClientRequest, Outcome } from './clients.ts';

/** How tests ask a local AWS, whose URL may change from test to test. */
export const askingOf = (url: () => string) => {
  const request = (
    operation: ClientRequest['operation'],
    parameters: ClientParameters,
    { accessKeyId, secretAccessKey, sessionToken }: ClientCredentials,
  ): ClientRequest => ({
    url: url(),
    service: isOfSts(operation) ? 'sts' : 'iam',
    operation,
    parameters,
    credentials: { accessKeyId, secretAccessKey, sessionToken },
  });
  const call = (
    client: Client,
    operation: ClientRequest['operation'],
    parameters: ClientParameters,
    credentials: ClientCredentials,
  ): Promise<Outcome> => client.call(request(operation, parameters, credentials));
  return { request, call };
};

/** The first element of this name in an answer. Throws where there is none. */
export const valueOf = (outcome: Outcome, name: string): string => {
  const value = outcome.value(name);
  if (value === undefined)
    throw new Error(`${name} is missing: ${outcome.code ?? ''} ${outcome.message ?? ''}`);
  return value;
};

/** The credentials in an answer. Throws where there are none. */
export const credentialsOf = (outcome: Outcome): ClientCredentials => ({
  accessKeyId: valueOf(outcome, 'AccessKeyId'),
  secretAccessKey: valueOf(outcome, 'SecretAccessKey'),
  sessionToken: valueOf(outcome, 'SessionToken'),
});

const isOfSts = (operation: string): boolean =>
  ['GetCallerIdentity', 'GetSessionToken', 'AssumeRole', 'GetAccessKeyInfo'].includes(operation);
