import type { Environment } from '../context.ts';
import { isUserError } from '../errors.ts';
import { badAnswer, clockSkewOf, shownUrl, toUserError, urlOf } from './errors.ts';
import type { Request } from './errors.ts';
import type { Configured, Connection, Service } from './connection.ts';
import { answering, newHttpHandler, postForm, prepareRequest, readCertificates } from './http.ts';
import { proxyFor } from './proxy.ts';
import type * as IamSdk from './sdk-iam.ts';
import type * as StsSdk from './sdk-sts.ts';

/** Who signs, and which way the requests go. */
export type Caller = {
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  readonly region: string;
  readonly connection: Connection;
  /** Whether a prompt is waiting for us: shorter limits. */
  readonly hook?: boolean;
};

/** What a caller needs of the world around. */
export type Surroundings = {
  /** The proxy variables. */
  readonly env: Environment;
  /** Writes a warning to stderr. */
  readonly log: (line: string) => void;
  /** Is told AWS's time at each answer, in milliseconds since the epoch. */
  readonly onDate?: (date: number) => void;
};

/**
 * Whether a request may be sent again when its answer does not come. What must not gets one try, on a connection of
 * its own: one that has been idle may be gone without anybody knowing.
 */
export type Sending = 'once' | 'repeatable';

/** Sends one command; `limit` goes with it. */
type Send<Sdk, Client, Output> = (sdk: Sdk, client: Client, limit: Limit) => Promise<Output>;
type Limit = { readonly abortSignal: AbortSignal };

export type Sender = ReturnType<typeof newSender>;

/**
 * Sends one caller's commands, and keeps the connections for the next ones until `close`; idle ones keep no process
 * alive. Raises UserError. A command is sent once more when the clock was off so far that AWS judged nothing but the
 * date (design 4).
 */
export const newSender = (caller: Caller, { env, log, onDate }: Surroundings) => {
  let clockOffset = 0;
  // The SDK would print seven lines about Node 20, and would look up an endpoint for `AWS_PROFILE`, which is not ours.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  process.env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] = 'true';

  const { connection, hook = false } = caller;
  // what cannot work is told before anybody is asked for a code
  for (const service of ['sts', 'iam'] as const) {
    proxyFor(urlOf(service, caller), env);
    warnOfPlainHttp(connection.endpoints[service], env, log);
  }
  const certificates = connection.certificates && readCertificates(connection.certificates);

  const settingsOf = (service: Service, sending: Sending) => ({
    ...clientSettings(service, caller, env),
    maxAttempts: sending === 'once' ? 1 : 3,
    systemClockOffset: clockOffset,
    requestHandler: newHttpHandler(env, { certificates, hook, keepAlive: sending === 'repeatable', onDate }),
  });
  const sts = oneEach(async (sending) => {
    const sdk = await import('./sdk-sts.ts');
    return { sdk, client: new sdk.STSClient(settingsOf('sts', sending)) };
  });
  const iam = oneEach(async (sending) => {
    const sdk = await import('./sdk-iam.ts');
    return { sdk, client: new sdk.IAMClient(settingsOf('iam', sending)) };
  });

  const close = async (): Promise<void> => {
    await Promise.all([sts.close(), iam.close()]);
  };

  const attempt = async <Output>(
    service: Service,
    send: (limit: Limit) => Promise<Output>,
  ): Promise<Output> => {
    try {
      return await inTime(send, caller);
    } catch (error) {
      const skew = clockSkewOf(error);
      if (skew === undefined) throw toUserError(error, requestOf(service, caller), env);
      clockOffset = skew;
    }
    await close();
    try {
      return await inTime(send, caller);
    } catch (error) {
      throw toUserError(error, requestOf(service, caller), env, clockOffset);
    }
  };

  return {
    /** The difference of AWS's clock to ours in milliseconds, 0 while none was noticed. */
    clockOffset: () => clockOffset,
    /** Closes the connections; another call opens them again. */
    close,
    sts: <Output>(sending: Sending, send: Send<typeof StsSdk, StsSdk.STSClient, Output>): Promise<Output> =>
      attempt('sts', async (limit) => {
        const { sdk, client } = await sts.get(sending);
        return send(sdk, client, limit);
      }),
    /** Loads all that a request to STS needs, and goes through one that is not sent, without the caller's key. */
    rehearse: async <Output>(
      send: Send<typeof StsSdk, StsSdk.STSClient, Output>,
      answer: string,
    ): Promise<void> => {
      const { sdk } = await sts.get('once');
      const nobody = { accessKeyId: 'nobody', secretAccessKey: 'none' };
      const settings = { ...settingsOf('sts', 'once'), credentials: nobody };
      const client = new sdk.STSClient({ ...settings, requestHandler: answering(answer) });
      await inTime((limit) => send(sdk, client, limit), caller);
      prepareRequest(urlOf('sts', caller));
    },
    iam: <Output>(sending: Sending, send: Send<typeof IamSdk, IamSdk.IAMClient, Output>): Promise<Output> =>
      attempt('iam', async (limit) => {
        const { sdk, client } = await iam.get(sending);
        return send(sdk, client, limit);
      }),
    /** Posts a form, unsigned, and gives the text of the answer. It is sent once. */
    post: (service: Service, path: string, form: URLSearchParams): Promise<string> => {
      warnOfPlainHttp(connection.endpoints[service], env, log);
      const handler = newHttpHandler(env, { certificates, hook, keepAlive: false, onDate });
      const url = new URL(urlOf(service, caller).href.replace(/\/$/, '') + path);
      return attempt(service, (limit) => postForm(handler, url, form, limit));
    },
    /** Where the requests to a service go. */
    urlOf: (service: Service): URL => urlOf(service, caller),
    /** What an answer holds, as it is. Raises UserError for undefined: it was no answer of AWS. */
    whole: <Answer>(service: Service, answer: Answer | undefined): Answer => {
      if (answer === undefined) throw badAnswer(requestOf(service, caller), env);
      return answer;
    },
  };
};

const clientSettings = (service: Service, caller: Caller, env: Environment) => {
  const { endpoints, fips, dualstack } = caller.connection;
  const endpoint = endpoints[service]?.value;
  return {
    region: caller.region,
    credentials: credentialsOf(caller),
    retryMode: 'standard',
    defaultsMode: 'standard',
    // else variables would choose a signature that only another package makes, and take away the clock that we set
    authSchemePreference: async (): Promise<string[]> => [],
    disableClockSkewCorrection: false,
    // else the SDK would read both files, for the profile of AWS_PROFILE
    sigv4aSigningRegionSet: async (): Promise<undefined> => undefined,
    userAgentAppId: async (): Promise<string | undefined> => env['AWS_SDK_UA_APP_ID'],
    // a configured endpoint is taken as it is, as the AWS CLI does; the SDK refuses the two together
    useFipsEndpoint: fips !== undefined && endpoint === undefined,
    useDualstackEndpoint: dualstack !== undefined && endpoint === undefined,
    ...(endpoint === undefined ? {} : { endpoint }),
  } as const;
};

// A copy of just these: the SDK writes into it, and takes an expiration for a Date.
const credentialsOf = ({ credentials }: Caller): Caller['credentials'] => {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
};

const requestOf = (service: Service, { region, credentials, connection }: Caller): Request => ({
  service,
  region,
  accessKeyId: credentials.accessKeyId,
  isSession: credentials.sessionToken !== undefined,
  connection,
});

// The connection's own limits leave room for an answer that trickles in, and for tries without end.
const inTime = async <Output>(send: (limit: Limit) => Promise<Output>, caller: Caller): Promise<Output> => {
  const abortSignal = AbortSignal.timeout(caller.hook === true ? 7000 : 13_000);
  try {
    return await send({ abortSignal });
  } catch (error) {
    throw abortSignal.aborted && !isUserError(error) ? abortSignal.reason : error;
  }
};

/** Makes each client when it is first needed. */
const oneEach = <Made extends { readonly client: { readonly destroy: () => void } }>(
  make: (sending: Sending) => Promise<Made>,
) => {
  const made = new Map<Sending, Promise<Made>>();
  return {
    get: (sending: Sending): Promise<Made> => {
      const known = made.get(sending) ?? make(sending);
      made.set(sending, known);
      return known;
    },
    close: async (): Promise<void> => {
      const all = [...made.values()];
      made.clear();
      for (const { client } of await Promise.all(all)) client.destroy();
    },
  };
};

// Once for each run of the program, which has one environment.
const warned = new WeakSet<Environment>();

const warnOfPlainHttp = (
  endpoint: Configured | undefined,
  env: Environment,
  log: Surroundings['log'],
): void => {
  if (endpoint === undefined || warned.has(env)) return;
  const { protocol, hostname } = new URL(endpoint.value);
  if (protocol !== 'http:' || isLoopback(hostname)) return;
  warned.add(env);
  log(
    `aws-iam-login: ${shownUrl(endpoint.value)} (${endpoint.setting}) is not encrypted: whoever is on the way can read the session`,
  );
};

const isLoopback = (hostname: string): boolean =>
  /^(?:localhost|.*\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
