import type { Environment } from '../context.ts';
import { UserError, isUserError, messageOf, systemCode } from '../errors.ts';
import { shellWord } from '../text.ts';
import type { Configured, Connection, Service } from './connection.ts';
import { tooLong } from './http.ts';
import { proxyFor, refusedTunnel } from './proxy.ts';
import { partitionOfRegion, signInUrl } from './regions.ts';

/**
 * In place of an AWS error code: no connection was made; AWS may or may not have acted; it was not AWS that answered.
 * With a blank, as all codes of our own, so that no answer can bring one.
 */
export const requestFailure = {
  notSent: 'not sent',
  noAnswer: 'no answer',
  badAnswer: 'bad answer',
} as const;

/** Who asked for what, and which way: what a failure is told with. */
export type Request = {
  readonly service: Service;
  readonly region: string;
  readonly accessKeyId: string;
  readonly isSession: boolean;
  readonly connection: Connection;
};

/** The failure of a request in one sentence; `skew` in milliseconds when it was sent again by AWS's clock. */
export const toUserError = (error: unknown, request: Request, env: Environment, skew = 0): UserError => {
  if (isUserError(error)) return error;
  const code = systemCode(error);
  const endpoint = endpointName(request);
  // what came as an answer may call itself as it likes
  const isAnswer = statusOf(error) !== undefined;
  if (error instanceof Error && error.name === tooLong) return badAnswer(request, env, error);
  if (!isAnswer && isConnectFailure(error, code)) {
    return new UserError(`could not reach ${endpoint}: ${reasonOf(error, code)}`, {
      hint: networkHint(request, env, code),
      failureCode: requestFailure.notSent,
      cause: error,
    });
  }
  if (!isAnswer && isNoAnswer(error, code)) {
    return new UserError(`${endpoint} did not answer: ${reasonOf(error, code)}`, {
      hint: ['try again when the network is better', ...settingsInUse(request, env)].join(', or check '),
      failureCode: requestFailure.noAnswer,
      cause: error,
    });
  }
  const proxy = proxyFor(urlOf(request.service, request), env);
  const refusal = isAnswer ? undefined : refusedTunnel(error);
  if (proxy !== undefined && (refusal ?? statusOf(error)) === 407) {
    return new UserError(`the proxy ${proxy.url.host} does not take the user name and password given to it`, {
      hint: `check ${proxy.variable}: http://USER:PASSWORD@${proxy.url.host}, with what is special percent-encoded`,
      failureCode: requestFailure.notSent,
      cause: error,
    });
  }
  if (refusal !== undefined) {
    return new UserError(`the proxy opened no way to ${endpoint}: it answered ${refusal}`, {
      hint: networkHint(request, env, code),
      failureCode: requestFailure.notSent,
      cause: error,
    });
  }
  const awsCode = awsCodeOf(error);
  if (awsCode === undefined) return badAnswer(request, env, error);
  return serviceError(awsCode, error, request, skew);
};

/** The failure of an answer that AWS cannot have given. */
export const badAnswer = (request: Request, env: Environment, cause?: unknown): UserError =>
  new UserError(
    `${endpointName(request)} answered something that is no answer of AWS: a captive portal, a proxy or a wrong endpoint?`,
    {
      hint: [
        'open a web page to sign in to the network',
        ...(settingsInUse(request, env).length > 0
          ? settingsInUse(request, env)
          : ['the endpoint and proxy settings']),
      ].join(', or check '),
      failureCode: requestFailure.badAnswer,
      cause,
    },
  );

/**
 * Milliseconds that AWS's clock is ahead of ours, when that is why AWS refused the request without judging it. By the
 * machine's own clock, which the SDK signs with.
 */
export const clockSkewOf = (error: unknown): number | undefined => {
  if (!isClockRefusal(messageOf(error))) return undefined;
  const date = answerDateOf(error);
  return date === undefined ? undefined : date - Date.now();
};

/** Whether AWS may have done what it was asked for although the request failed: no answer, none that is AWS's, or 5xx. */
export const mayHaveActed = (error: UserError): boolean => {
  if (error.failureCode === requestFailure.noAnswer || error.failureCode === requestFailure.badAnswer)
    return true;
  const status = statusOf(error.cause);
  return status !== undefined && status >= 500;
};

/** How many seconds AWS's clock was ahead of ours in the answer behind an error, undefined when it is not known. */
export const skewOfAnswer = (error: UserError, now: number): number | undefined => {
  const date = answerDateOf(error.cause);
  return date === undefined ? undefined : Math.round((date - now) / 1000);
};

/** An endpoint or proxy for messages: without user name, password and query. */
export const shownUrl = (text: string): string => {
  const { protocol, host, pathname } = new URL(text);
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
};

const endpointName = ({ service, region, connection }: Request): string => {
  const endpoint = connection.endpoints[service];
  if (endpoint !== undefined) return shellWord(shownUrl(endpoint.value));
  return `AWS ${service === 'signin' ? 'Sign-In' : service.toUpperCase()} in ${region}`;
};

/** Where a service's requests go, as far as the choice of a proxy needs it. */
export const urlOf = (
  service: Service,
  { region, connection }: { readonly region: string; readonly connection: Connection },
): URL =>
  new URL(
    connection.endpoints[service]?.value ??
      (service === 'signin' ? signInUrl(region) : `https://${service}.${region}.amazonaws.com`),
  );

const networkHint = (request: Request, env: Environment, code: string | undefined): string => {
  const { certificates } = request.connection;
  const isUntrusted = /CERT|SELF_SIGNED|UNABLE_TO/.test(code ?? '') && certificates === undefined;
  return [
    'check the network',
    ...settingsInUse(request, env),
    ...(isUntrusted ? ['the certificate of a proxy that inspects TLS belongs into AWS_CA_BUNDLE'] : []),
  ].join(', ');
};

/** What decides which way a request goes, as the user would look for it; no secret in it. */
const settingsInUse = (request: Request, env: Environment): string[] => {
  const { endpoints, fips, dualstack, certificates } = request.connection;
  const endpoint = endpoints[request.service];
  const proxy = proxyFor(urlOf(request.service, request), env);
  const switches = endpoint === undefined ? [fips, dualstack] : [];
  return [
    ...(endpoint === undefined ? [] : [asSetting({ ...endpoint, value: shownUrl(endpoint.value) })]),
    ...switches.flatMap((given) => (given === undefined ? [] : [asSetting(given)])),
    ...(proxy === undefined ? [] : [`the proxy ${proxy.url.host} (${proxy.variable}, NO_PROXY)`]),
    ...(certificates === undefined ? [] : [`the certificates in ${asSetting(certificates)}`]),
  ];
};

const asSetting = ({ setting, value }: Configured): string =>
  /^[A-Z_]+$/.test(setting) ? `${setting}=${shellWord(value)}` : `${setting} (${shellWord(value)})`;

const notSentCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENETDOWN',
]);

const isConnectFailure = (error: unknown, code: string | undefined): boolean =>
  (code !== undefined &&
    (notSentCodes.has(code) || /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO|EPROTO/.test(code))) ||
  /establish a connection/.test(messageOf(error));

const isNoAnswer = (error: unknown, code: string | undefined): boolean =>
  isTimeout(error) ||
  ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE'].includes(code ?? '');

// The SDK gives the name TimeoutError to broken connections too.
const isTimeout = (error: unknown): boolean =>
  error instanceof Error && ['TimeoutError', 'AbortError'].includes(error.name);

const reasonOf = (error: unknown, code: string | undefined): string => {
  const reasons: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'the connection was refused',
    ECONNRESET: 'the connection was closed',
    ENOTFOUND: 'its name is not known',
    EAI_AGAIN: 'its name could not be looked up',
    EHOSTUNREACH: 'there is no way to that host',
    ENETUNREACH: 'there is no network',
    EPROTO: 'it does not speak TLS',
  };
  return reasons[code ?? ''] ?? (isTimeout(error) ? 'it took too long' : shortened(messageOf(error)));
};

// Whatever an endpoint sends, the sentence stays one that can be read.
const shortened = (text: string): string => (text.length > 500 ? `${text.slice(0, 500)}…` : text);

// What AWS answers has a code in its XML; anything else that the SDK could not read is no answer of AWS.
const awsCodeOf = (error: unknown): string | undefined => {
  const code = property(error, 'Code') ?? property(error, 'name');
  const status = statusOf(error);
  if (status === undefined || status < 400) return undefined;
  const isCode = typeof code === 'string' && /^[\w.:-]{1,128}$/.test(code);
  if (isCode && code !== 'Unknown' && code !== 'SyntaxError') return code;
  return status >= 500 ? String(status) : undefined;
};

const statusOf = (error: unknown): number | undefined => {
  const status = property(property(error, '$metadata'), 'httpStatusCode');
  return typeof status === 'number' ? status : undefined;
};

/** The time in the `Date` header of the answer that an error came with, in milliseconds since the epoch. */
const answerDateOf = (error: unknown): number | undefined => {
  const headers: unknown = property(property(error, '$response'), 'headers');
  const date = Date.parse(String(property(headers, 'date')));
  return Number.isNaN(date) ? undefined : date;
};

// The SDK hides `$response` from enumeration.
const property = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;

const isClockRefusal = (message: string): boolean => /^Signature (expired|not yet current)/.test(message);

const serviceError = (awsCode: string, error: unknown, request: Request, skew: number): UserError => {
  const { region, accessKeyId, isSession } = request;
  const key = `the access key …${accessKeyId.slice(-4)}`;
  const endpoint = endpointName(request);
  const message = shortened(messageOf(error).trim().replace(/\.$/, ''));
  const make = (text: string, hint?: string) =>
    new UserError(text, { hint, failureCode: awsCode, cause: error });
  switch (awsCode) {
    case 'InvalidClientTokenId':
      return isSession
        ? make(
            `AWS does not accept the session …${accessKeyId.slice(-4)} in ${region}`,
            'run: aws-iam-login login',
          )
        : make(
            `AWS does not know ${key} in ${region} (partition ${partitionOfRegion(region)}): it is inactive, deleted, or of another partition`,
            "look at the key in the IAM console; for China or GovCloud set the profile's region or pass --region",
          );
    case 'SignatureDoesNotMatch':
      return isClockRefusal(message)
        ? make(
            `the clock of this machine is off: AWS refused the signature (${message})`,
            'set the clock, then try again',
          )
        : make(
            `the secret access key does not belong to ${key}`,
            'check aws_secret_access_key: it may be cut off or of another key',
          );
    case 'ExpiredToken':
      return make('the session has expired', 'run: aws-iam-login login');
    case 'RegionDisabledException':
      return make(`STS is not active in ${region} for this account`, 'pass --region with a region that is');
    case 'Throttling':
    case 'ThrottlingException':
    case 'RequestLimitExceeded':
      return make(`${endpoint} asks for fewer requests`, 'try again in a minute');
    default:
      if ((statusOf(error) ?? 0) >= 500)
        return make(`${endpoint} has trouble inside: ${awsCode}`, 'try again in a minute');
      return make(
        `${endpoint} refused: ${awsCode}${message && message !== 'Unknown' ? `: ${message}` : ''}${skew === 0 ? '' : ' (the clock of this machine is off)'}`,
      );
  }
};
