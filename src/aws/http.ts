import { readFileSync } from 'node:fs';
import http, { Agent as HttpAgent } from 'node:http';
import https, { Agent as HttpsAgent } from 'node:https';
import { createSecureContext } from 'node:tls';
import { HttpRequest, HttpResponse } from '@smithy/core/protocols';
import type { HttpHandler } from '@smithy/core/protocols';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Environment } from '../context.ts';
import { UserError, messageOf } from '../errors.ts';
import type { Configured } from './connection.ts';
import { proxyFor } from './proxy.ts';
import type { Proxy, Tls } from './proxy.ts';

export type HttpOptions = {
  /** PEM, to trust instead of Node's own. */
  readonly certificates: Buffer | undefined;
  /** Whether a prompt is waiting for us: shorter limits. */
  readonly hook: boolean;
  /** Whether connections stay open for the next request; idle ones keep no process alive. */
  readonly keepAlive: boolean;
  /** Is told AWS's time at each answer, in milliseconds since the epoch. */
  readonly onDate?: ((date: number) => void) | undefined;
};

/** The most bytes of an answer that are read: AWS's longest here have some tens of thousands. */
const answerLimit = 1_000_000;

/** What is thrown, by its name, for an answer that is longer than AWS's ever are. */
export const tooLong = 'AnswerTooLong';

/**
 * Sends the SDK's requests with limits of time and size, over the proxy that the environment names for their host and
 * with certificates of the user's: the SDK honours none of this unless told. Sending raises UserError for a proxy that
 * cannot be used.
 */
export const newHttpHandler = (
  env: Environment,
  options: HttpOptions,
): HttpHandler & { readonly destroy: () => void } => {
  const handlers = new Map<string, Promise<NodeHttpHandler>>();
  const handlerFor = (url: URL): Promise<NodeHttpHandler> => {
    const known = handlers.get(url.origin) ?? newNodeHandler(url, proxyFor(url, env), options);
    handlers.set(url.origin, known);
    return known;
  };
  return {
    handle: async (request, handling = {}) => {
      const { protocol, hostname, port } = request;
      const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`);
      const { response } = await (await handlerFor(url)).handle(request, handling);
      response.body = await readAnswer(response.body);
      const date = awsTimeOf(response.headers);
      if (date !== undefined) options.onDate?.(date);
      return { response };
    },
    updateHttpClientConfig: () => {},
    httpHandlerConfigs: () => ({}),
    destroy: () => {
      for (const made of handlers.values())
        made.then(
          (handler) => handler.destroy(),
          () => {},
        );
    },
  };
};

/** Loads what a request to this URL needs, Node's list of certificates too, without a connection. */
export const prepareRequest = ({ protocol }: URL): void => {
  void [http.request, https.request];
  if (protocol === 'https:') createSecureContext();
};

/** Answers every request by itself, with the same text. */
export const answering = (text: string): HttpHandler & { readonly destroy: () => void } => ({
  handle: async () => ({ response: new HttpResponse({ statusCode: 200, body: Buffer.from(text) }) }),
  updateHttpClientConfig: () => {},
  httpHandlerConfigs: () => ({}),
  destroy: () => {},
});

/** The name of what is thrown for a form that was refused. */
export const formRefused = 'FormRefused';

/**
 * Posts a form and gives the text of the answer. Throws an error named `formRefused`, with the status as the SDK tells
 * it, for any answer but 200.
 */
export const postForm = async (
  handler: HttpHandler,
  url: URL,
  form: URLSearchParams,
  handling: { readonly abortSignal: AbortSignal },
): Promise<string> => {
  const request = new HttpRequest({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    path: url.pathname,
    headers: { host: url.host, 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  });
  const { response } = await handler.handle(request, handling);
  if (response.statusCode === 200) return String(response.body);
  throw Object.assign(new Error(`it answered ${response.statusCode}`), {
    name: formRefused,
    $metadata: { httpStatusCode: response.statusCode },
  });
};

// A captive portal has a clock, too; only AWS numbers its requests.
const awsTimeOf = (headers: Readonly<Record<string, string>>): number | undefined => {
  const date = Date.parse(headers['date'] ?? '');
  return headers['x-amzn-requestid'] === undefined || Number.isNaN(date) ? undefined : date;
};

const newNodeHandler = async (
  { hostname }: URL,
  proxy: Proxy | undefined,
  { certificates, hook, keepAlive }: HttpOptions,
): Promise<NodeHttpHandler> => {
  // said, since NODE_TLS_REJECT_UNAUTHORIZED=0 changes the default
  const verified: Tls = {
    rejectUnauthorized: true,
    ...(certificates === undefined ? {} : { ca: certificates }),
  };
  // an idle connection ends before AWS or a router on the way forgets it
  const agentOptions = { keepAlive, timeout: idleLimit, ...verified };
  const connectionTimeout = hook ? 2000 : 3000;
  return new NodeHttpHandler({
    connectionTimeout,
    requestTimeout: hook ? 5000 : 10_000,
    throwOnRequestTimeout: true,
    ...(proxy === undefined
      ? { httpAgent: new HttpAgent(agentOptions), httpsAgent: new HttpsAgent(agentOptions) }
      : (await import('./proxy-agents.ts')).proxyAgents(proxy, hostname, agentOptions, {
          ...verified,
          connectionTimeout,
        })),
  });
};

// Milliseconds.
const idleLimit = 4000;

/** The certificates of a configured file. Raises UserError when there are none. */
export const readCertificates = ({ setting, value: path }: Configured): Buffer => {
  const hint = `let ${setting} name a file of PEM certificates, or remove it`;
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const reason = messageOf(error);
    throw new UserError(`${setting} names ${path}, which cannot be read: ${reason}`, { hint, cause: error });
  }
  if (bytes.includes('-----BEGIN ')) return bytes;
  throw new UserError(`${setting} names ${path}, which holds no certificate`, { hint });
};

/** All of an answer. Throws an error named `tooLong`, the connection closed, for more than `answerLimit` bytes. */
const readAnswer = async (body: AsyncIterable<Buffer>): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  let size = 0;
  // leaving the loop early destroys the stream and its socket
  for await (const chunk of body) {
    size += chunk.length;
    if (size > answerLimit)
      throw Object.assign(new Error(`an answer of more than ${answerLimit} bytes`), { name: tooLong });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};
