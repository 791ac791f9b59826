import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { answerControl } from './control.ts';
import { answer } from './query-protocol.ts';
import { type Reply, plain } from './reply.ts';
import type { WireRequest } from './signature.ts';
import { type State, emptyState, serverNow } from './state.ts';
import { type World, makeWorld } from './world.ts';

/** What a local AWS can start with. */
export type LocalAwsOptions = {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** The real time in milliseconds since the epoch. */
  readonly now?: () => number;
  /** Where the services are, such as `/aws`; default the root. */
  readonly basePath?: string;
  /** Speaks HTTPS with this PEM key and certificate. */
  readonly tls?: { readonly key: string; readonly cert: string };
};

/** A running local AWS: its address, what tests do to it, and its end. */
export type LocalAws = World & {
  /** `http://127.0.0.1:PORT` and the base path, for STS and IAM alike. */
  readonly url: string;
  /** How many connections were opened so far. */
  readonly connectionCount: () => number;
  /** Stops listening and closes every connection, hanging ones too. */
  readonly close: () => Promise<void>;
};

const bodyLimit = 10_000_000;

/**
 * Starts STS and IAM on loopback, as reference pages and recorded answers describe them; steered by the functions
 * of `World`, or over HTTP under `/_local/`. It starts without users.
 */
export const startLocalAws = async (options: LocalAwsOptions = {}): Promise<LocalAws> => {
  const { now = Date.now, basePath = '', tls, port = 0 } = options;
  const state = emptyState(now);
  const world = makeWorld(state);
  const sockets = new Set<Socket>();
  let connections = 0;
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    respond(state, world, basePath, request, response).catch((error: unknown) => {
      console.error('local AWS:', error);
      response.destroy();
    });
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const scheme = tls === undefined ? 'http' : 'https';
  const url = `${scheme}://127.0.0.1:${await listen(server, port)}${basePath}`;
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  };
  return { ...world, url, connectionCount: () => connections, close };
};

const listen = async (server: Server, port: number): Promise<number> => {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the local AWS has no port');
  return address.port;
};

const respond = async (
  state: State,
  world: World,
  basePath: string,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const request = await readRequest(incoming);
  if (request === undefined) return;
  const isControl = request.path.startsWith('/_local/');
  if (request.body.length > bodyLimit) {
    send(state, response, plain(413, ''));
  } else {
    const reply = isControl ? await answerControl(world, request) : await answer(state, basePath, request);
    send(state, response, reply);
  }
};

// Undefined where the client went away before its request was whole.
const readRequest = async (incoming: IncomingMessage): Promise<WireRequest | undefined> => {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  } catch {
    return undefined;
  }
  const [path = '/', ...query] = (incoming.url ?? '/').split('?');
  const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [
    name,
    Array.isArray(value) ? value.join(',') : (value ?? ''),
  ]);
  return {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(query.join('?')),
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks),
  };
};

const send = (state: State, response: ServerResponse, reply: Reply): void => {
  if (reply.ending === 'hang') return;
  if (reply.ending === 'drop') {
    response.socket?.destroy();
    return;
  }
  const body = Buffer.from(reply.body);
  response.sendDate = false;
  response.writeHead(reply.status, {
    ...reply.headers,
    'Content-Length': body.length,
    Date: new Date(serverNow(state)).toUTCString(),
  });
  if (reply.ending === 'whole') response.end(body);
  else response.write(body.subarray(0, body.length / 2), () => response.socket?.destroy());
};
