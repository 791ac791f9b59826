import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Credentials } from '@aws-sdk/client-sts';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { getProxyForUrl } from 'proxy-from-env';
import type { Environment } from '../context.ts';
import { UserError, isUserError, messageOf, systemCode } from '../errors.ts';
import { partitionOfRegion } from './endpoints.ts';
import type { Service } from './endpoints.ts';
import type { Session } from '../sessions/stored-session.ts';

/** Who signs, and where the requests go. */
export type Caller = {
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  readonly region: string;
  /** Configured endpoints; undefined is AWS's own. */
  readonly endpointUrls: Readonly<Record<Service, string | undefined>>;
  /** Whether a prompt is waiting for us: shorter limits. */
  readonly hook?: boolean;
};

export type CallerIdentity = { readonly account: string; readonly arn: string; readonly userId: string };
export type MfaDevice = { readonly serialNumber: string; readonly userName: string };
export type KeyStatus = 'Active' | 'Inactive' | 'Expired';
export type KeyMetadata = {
  readonly accessKeyId: string;
  readonly status: KeyStatus;
  readonly createDate: Date | undefined;
};
export type LastUsed = {
  readonly date: Date | undefined;
  readonly serviceName: string;
  readonly region: string;
};

/** In place of an AWS error code: no connection was made; AWS may or may not have acted; it was not AWS that answered. */
export const requestFailure = { notSent: 'NotSent', noAnswer: 'NoAnswer', badAnswer: 'BadAnswer' } as const;

export type Aws = ReturnType<typeof connect>;

/**
 * The STS and IAM calls of one caller. Each raises UserError with `failureCode`; what must not be repeated is sent
 * once, save once more when the clock was off so far that AWS judged nothing but the date (design 4).
 */
export const connect = (caller: Caller, env: Environment) => {
  let clockOffset = 0;
  // The SDK would print seven lines about Node 20, and would look up an endpoint for `AWS_PROFILE`, which is not ours.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  process.env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] = 'true';

  const settings = (service: Service, attempts: number) => {
    const endpoint = caller.endpointUrls[service];
    return {
      region: caller.region,
      credentials: credentialsOf(caller),
      maxAttempts: attempts,
      retryMode: 'standard',
      defaultsMode: 'standard',
      systemClockOffset: clockOffset,
      requestHandler: requestHandler(
        env,
        endpoint ?? `https://${service}.amazonaws.com`,
        caller.hook === true,
      ),
      ...(endpoint === undefined ? {} : { endpoint }),
    } as const;
  };

  const attempt = async <Output>(service: Service, send: () => Promise<Output>): Promise<Output> => {
    try {
      return await send();
    } catch (error) {
      // not AWS's: a certificate bundle that cannot be read
      if (isUserError(error)) throw error;
      const skew = clockSkewOf(error);
      if (skew === undefined) throw toUserError(error, service, caller, env);
      clockOffset = skew;
    }
    try {
      return await send();
    } catch (error) {
      throw toUserError(error, service, caller, env, clockOffset);
    }
  };

  const toSession = (credentials: Credentials | undefined): Session => {
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = credentials ?? {};
    const expiration = Math.floor((Expiration?.getTime() ?? Number.NaN) / 1000);
    const texts = [AccessKeyId, SecretAccessKey, SessionToken].map((text) => text ?? '');
    if (Number.isNaN(expiration) || texts.some((text) => !/^[\u0021-\u007E]+$/.test(text)))
      throw badAnswer('sts', caller);
    const [accessKeyId = '', secretAccessKey = '', sessionToken = ''] = texts;
    return { accessKeyId, secretAccessKey, sessionToken, expiration };
  };

  const limit = () => ({ abortSignal: AbortSignal.timeout(caller.hook === true ? 7_000 : 13_000) });

  return {
    /** The difference of AWS's clock to ours in milliseconds, 0 while none was noticed. */
    clockOffset: () => clockOffset,

    getCallerIdentity: async (attempts = 3): Promise<CallerIdentity> => {
      const answer = await attempt('sts', async () => {
        const { GetCallerIdentityCommand, STSClient } = await import('./sdk-sts.ts');
        return new STSClient(settings('sts', attempts)).send(new GetCallerIdentityCommand(), limit());
      });
      const { Account: account, Arn: arn, UserId: userId } = answer;
      if (!account || !arn || !userId) throw badAnswer('sts', caller);
      return { account, arn, userId };
    },

    /** A new session. The code is sent once; with `tokenCode` undefined the session has no MFA. */
    getSessionToken: async (
      serialNumber: string,
      tokenCode: string,
      durationSeconds: number,
    ): Promise<Session> => {
      const input = { SerialNumber: serialNumber, TokenCode: tokenCode, DurationSeconds: durationSeconds };
      const answer = await attempt('sts', async () => {
        const { GetSessionTokenCommand, STSClient } = await import('./sdk-sts.ts');
        return new STSClient(settings('sts', 1)).send(new GetSessionTokenCommand(input), limit());
      });
      return toSession(answer.Credentials);
    },

    /** A session of a role, without a code: the caller's own session has MFA where the role demands it. */
    assumeRole: async (request: RoleRequest): Promise<Session> => {
      const { roleArn, sessionName, externalId, durationSeconds } = request;
      const input = {
        RoleArn: roleArn,
        RoleSessionName: sessionName,
        DurationSeconds: durationSeconds,
        ...(externalId === undefined ? {} : { ExternalId: externalId }),
      };
      try {
        const answer = await attempt('sts', async () => {
          const { AssumeRoleCommand, STSClient } = await import('./sdk-sts.ts');
          return new STSClient(settings('sts', 3)).send(new AssumeRoleCommand(input), limit());
        });
        return toSession(answer.Credentials);
      } catch (error) {
        throw isUserError(error) && error.failureCode === 'AccessDenied' ? roleDenied(error, request) : error;
      }
    },

    /** All MFA devices of a user, whatever the pages. */
    listMfaDevices: async (userName: string): Promise<MfaDevice[]> => {
      const devices: MfaDevice[] = [];
      let marker: string | undefined;
      do {
        const input = { UserName: userName, ...(marker === undefined ? {} : { Marker: marker }) };
        const answer = await attempt('iam', async () => {
          const { ListMFADevicesCommand, IAMClient } = await import('./sdk-iam.ts');
          return new IAMClient(settings('iam', 3)).send(new ListMFADevicesCommand(input), limit());
        });
        if (answer.MFADevices === undefined && answer.IsTruncated === undefined)
          throw badAnswer('iam', caller);
        for (const { SerialNumber, UserName } of answer.MFADevices ?? []) {
          if (SerialNumber !== undefined)
            devices.push({ serialNumber: SerialNumber, userName: UserName ?? userName });
        }
        marker = answer.IsTruncated === true ? answer.Marker : undefined;
      } while (marker !== undefined);
      return devices;
    },

    /** All access keys of a user, active or not. */
    listAccessKeys: async (userName: string): Promise<KeyMetadata[]> => {
      const keys: KeyMetadata[] = [];
      let marker: string | undefined;
      do {
        const input = { UserName: userName, ...(marker === undefined ? {} : { Marker: marker }) };
        const answer = await attempt('iam', async () => {
          const { ListAccessKeysCommand, IAMClient } = await import('./sdk-iam.ts');
          return new IAMClient(settings('iam', 3)).send(new ListAccessKeysCommand(input), limit());
        });
        if (answer.AccessKeyMetadata === undefined && answer.IsTruncated === undefined)
          throw badAnswer('iam', caller);
        for (const { AccessKeyId, Status, CreateDate } of answer.AccessKeyMetadata ?? []) {
          if (AccessKeyId !== undefined)
            keys.push({ accessKeyId: AccessKeyId, status: Status ?? 'Active', createDate: CreateDate });
        }
        marker = answer.IsTruncated === true ? answer.Marker : undefined;
      } while (marker !== undefined);
      return keys;
    },

    /** A new access key, asked for exactly once: a repeated request could make a second one. */
    createAccessKey: async (
      userName: string,
    ): Promise<{ accessKeyId: string; secretAccessKey: string; createDate: Date | undefined }> => {
      const answer = await attempt('iam', async () => {
        const { CreateAccessKeyCommand, IAMClient } = await import('./sdk-iam.ts');
        return new IAMClient(settings('iam', 1)).send(
          new CreateAccessKeyCommand({ UserName: userName }),
          limit(),
        );
      });
      const {
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        CreateDate: createDate,
      } = answer.AccessKey ?? {};
      if (!accessKeyId || !secretAccessKey) throw badAnswer('iam', caller);
      return { accessKeyId, secretAccessKey, createDate };
    },

    updateAccessKey: async (
      userName: string,
      accessKeyId: string,
      status: 'Active' | 'Inactive',
    ): Promise<void> => {
      const input = { UserName: userName, AccessKeyId: accessKeyId, Status: status };
      const answer = await attempt('iam', async () => {
        const { UpdateAccessKeyCommand, IAMClient } = await import('./sdk-iam.ts');
        return new IAMClient(settings('iam', 3)).send(new UpdateAccessKeyCommand(input), limit());
      });
      if (answer.$metadata.requestId === undefined) throw badAnswer('iam', caller);
    },

    deleteAccessKey: async (userName: string, accessKeyId: string): Promise<void> => {
      const input = { UserName: userName, AccessKeyId: accessKeyId };
      const answer = await attempt('iam', async () => {
        const { DeleteAccessKeyCommand, IAMClient } = await import('./sdk-iam.ts');
        return new IAMClient(settings('iam', 3)).send(new DeleteAccessKeyCommand(input), limit());
      });
      if (answer.$metadata.requestId === undefined) throw badAnswer('iam', caller);
    },

    getAccessKeyLastUsed: async (accessKeyId: string): Promise<LastUsed> => {
      const input = { AccessKeyId: accessKeyId };
      const answer = await attempt('iam', async () => {
        const { GetAccessKeyLastUsedCommand, IAMClient } = await import('./sdk-iam.ts');
        return new IAMClient(settings('iam', 3)).send(new GetAccessKeyLastUsedCommand(input), limit());
      });
      const { LastUsedDate, ServiceName = 'N/A', Region = 'N/A' } = answer.AccessKeyLastUsed ?? {};
      return { date: LastUsedDate, serviceName: ServiceName, region: Region };
    },
  };
};

export type RoleRequest = {
  readonly roleArn: string;
  /** 2 to 64 characters, which CloudTrail shows. */
  readonly sessionName: string;
  readonly externalId?: string | undefined;
  /** 900 to 43200, 3600 at most for a caller with a session. */
  readonly durationSeconds: number;
};

// AWS has one answer for all of these.
const roleDenied = (error: UserError, { roleArn, externalId }: RoleRequest): UserError => {
  const id = externalId === undefined ? '' : ' (or its external id)';
  return new UserError(
    `could not assume ${roleArn}: its trust policy${id} does not let you, your own policy does not, or there is no role of that name (AWS does not say which)`,
    {
      hint: 'check role_arn and external_id, then ask who keeps the role for its trust policy and for sts:AssumeRole in yours',
      failureCode: error.failureCode,
      cause: error.cause,
    },
  );
};

// A copy of just these: the SDK writes into it, and takes an expiration for a Date.
const credentialsOf = ({ credentials }: Caller): Caller['credentials'] => {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
};

// The SDK honours neither HTTPS_PROXY, NO_PROXY nor AWS_CA_BUNDLE unless told, and has no time limits of its own.
const requestHandler = (env: Environment, url: string, hook: boolean): NodeHttpHandler => {
  const proxy = getProxyForUrl(url);
  const bundle = env['AWS_CA_BUNDLE'];
  const tls = bundle ? { ca: readBundle(bundle) } : {};
  return new NodeHttpHandler({
    connectionTimeout: hook ? 2000 : 3000,
    requestTimeout: hook ? 5000 : 10_000,
    throwOnRequestTimeout: true,
    httpAgent: proxy ? new HttpProxyAgent(proxy) : new HttpAgent(),
    httpsAgent: proxy ? new HttpsProxyAgent(proxy, tls) : new HttpsAgent(tls),
  });
};

const readBundle = (path: string): Buffer => {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError(`AWS_CA_BUNDLE names ${path}, which cannot be read: ${messageOf(error)}`, {
      hint: 'unset AWS_CA_BUNDLE, or let it name a file of certificates',
      cause: error,
    });
  }
};

// Milliseconds that AWS's clock is ahead of ours, when that is why AWS refused the request without judging it.
const clockSkewOf = (error: unknown): number | undefined => {
  if (!/^Signature (expired|not yet current)/.test(messageOf(error))) return undefined;
  const date = answerDateOf(error);
  return date === undefined ? undefined : date - Date.now();
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

const badAnswer = (service: Service, caller: Caller, cause?: unknown): UserError =>
  new UserError(
    `${endpointName(service, caller)} answered something that is no answer of AWS: a captive portal, a proxy or a wrong endpoint?`,
    {
      hint: 'open a web page to sign in to the network, or check the endpoint and proxy settings',
      failureCode: requestFailure.badAnswer,
      cause,
    },
  );

const endpointName = (service: Service, caller: Caller): string =>
  caller.endpointUrls[service] ?? `AWS ${service.toUpperCase()} in ${caller.region}`;

const notSentCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'ENETDOWN',
]);

const toUserError = (
  error: unknown,
  service: Service,
  caller: Caller,
  env: Environment,
  skew = 0,
): UserError => {
  const code = systemCode(error);
  const endpoint = endpointName(service, caller);
  if (isConnectFailure(error, code)) {
    return new UserError(`could not reach ${endpoint}: ${reasonOf(error, code)}`, {
      hint: networkHint(caller.endpointUrls[service] ?? `https://${service}.amazonaws.com`, env),
      failureCode: requestFailure.notSent,
      cause: error,
    });
  }
  if (isNoAnswer(error, code)) {
    return new UserError(`${endpoint} did not answer: ${reasonOf(error, code)}`, {
      hint: 'try again when the network is better',
      failureCode: requestFailure.noAnswer,
      cause: error,
    });
  }
  const awsCode = awsCodeOf(error);
  if (awsCode === undefined) return badAnswer(service, caller, error);
  return serviceError(awsCode, error, service, caller, skew);
};

const isConnectFailure = (error: unknown, code: string | undefined): boolean =>
  (code !== undefined &&
    (notSentCodes.has(code) || /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO|EPROTO/.test(code))) ||
  /establish a connection/.test(messageOf(error));

const isNoAnswer = (error: unknown, code: string | undefined): boolean =>
  (error instanceof Error && ['TimeoutError', 'AbortError'].includes(error.name)) ||
  ['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE'].includes(code ?? '');

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
  const known = reasons[code ?? ''];
  if (known !== undefined) return known;
  // the SDK gives this name to broken connections too
  const isTimeout = error instanceof Error && ['TimeoutError', 'AbortError'].includes(error.name);
  return isTimeout ? 'it took too long' : messageOf(error);
};

const networkHint = (url: string, env: Environment): string => {
  const proxy = getProxyForUrl(url);
  return [
    'check the network',
    ...(proxy ? [`the proxy ${new URL(proxy).host} (HTTPS_PROXY, NO_PROXY)`] : []),
    ...(env['AWS_CA_BUNDLE'] ? [`the certificates in ${env['AWS_CA_BUNDLE']} (AWS_CA_BUNDLE)`] : []),
  ].join(', ');
};

// What AWS answers has a code in its XML; anything else that the SDK could not read is no answer of AWS.
const awsCodeOf = (error: unknown): string | undefined => {
  const code = property(error, 'Code') ?? property(error, 'name');
  const status = property(property(error, '$metadata'), 'httpStatusCode');
  const isError = typeof status === 'number' && status >= 400;
  if (typeof code !== 'string' || !isError || code === 'Unknown' || code === 'SyntaxError')
    return isError && status >= 500 ? String(status) : undefined;
  return code;
};

const isTroubleInside = (error: unknown): boolean =>
  Number(property(property(error, '$metadata'), 'httpStatusCode')) >= 500;

const serviceError = (
  awsCode: string,
  error: unknown,
  service: Service,
  caller: Caller,
  skew: number,
): UserError => {
  const key = `the access key …${caller.credentials.accessKeyId.slice(-4)}`;
  const message = messageOf(error).trim().replace(/\.$/, '');
  const make = (text: string, hint?: string) =>
    new UserError(text, { hint, failureCode: awsCode, cause: error });
  switch (awsCode) {
    case 'InvalidClientTokenId':
      return caller.credentials.sessionToken === undefined
        ? make(
            `AWS does not know ${key} in ${caller.region} (partition ${partitionOfRegion(caller.region)}): it is inactive, deleted, or of another partition`,
            "look at the key in the IAM console; for China or GovCloud set the profile's region or pass --region",
          )
        : make(
            `AWS does not accept the session …${caller.credentials.accessKeyId.slice(-4)} in ${caller.region}`,
            'run: aws-iam-login login',
          );
    case 'SignatureDoesNotMatch':
      if (/^Signature (expired|not yet current)/.test(message)) {
        return make(
          `the clock of this machine is off: AWS refused the signature (${message})`,
          'set the clock, then try again',
        );
      }
      return make(
        `the secret access key does not belong to ${key}`,
        'check aws_secret_access_key: it may be cut off or of another key',
      );
    case 'ExpiredToken':
      return make('the session has expired', 'run: aws-iam-login login');
    case 'RegionDisabledException':
      return make(
        `STS is not active in ${caller.region} for this account`,
        'pass --region with a region that is',
      );
    case 'Throttling':
    case 'ThrottlingException':
    case 'RequestLimitExceeded':
      return make(`${endpointName(service, caller)} asks for fewer requests`, 'try again in a minute');
    default:
      if (isTroubleInside(error)) {
        return make(
          `${endpointName(service, caller)} has trouble inside: ${awsCode}`,
          'try again in a minute',
        );
      }
      return make(
        `${endpointName(service, caller)} refused: ${awsCode}${message && message !== 'Unknown' ? `: ${message}` : ''}${skew === 0 ? '' : ' (the clock of this machine is off)'}`,
      );
  }
};

/** Whether AWS may have done what it was asked for although the request failed: no answer, none that is AWS's, or 5xx. */
export const mayHaveActed = (error: UserError): boolean => {
  if (error.failureCode === requestFailure.noAnswer || error.failureCode === requestFailure.badAnswer)
    return true;
  const status = property(property(error.cause, '$metadata'), 'httpStatusCode');
  return typeof status === 'number' && status >= 500;
};

/** How many seconds AWS's clock was ahead of ours in the answer behind an error, undefined when it is not known. */
export const skewOfAnswer = (error: UserError, now: number): number | undefined => {
  const date = answerDateOf(error.cause);
  return date === undefined ? undefined : Math.round((date - now) / 1000);
};
