import http from 'node:http';
import https from 'node:https';
import { type Socket, isIP } from 'node:net';
import tls from 'node:tls';
import type { Certificate } from './certificates.ts';

/** A proxy as companies have it, that reads what it passes on. */
export type InspectingProxy = {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** The `host:port` of each CONNECT, and the URL of each request without TLS, oldest first. */
  readonly asked: string[];
  /** What each of them said in `Proxy-Authorization`. */
  readonly authorizations: (string | undefined)[];
  /** The requests that it read inside TLS: host and body. */
  readonly read: string[];
  readonly close: () => Promise<void>;
};

export type ProxyOptions = {
  /** What it shows to clients, for every host. */
  readonly certificate: Certificate;
  /** Where everything goes, whatever the host. */
  readonly upstream: string;
  /** What it trusts there. */
  readonly trusts: Certificate;
  /** The `Proxy-Authorization` that it demands. */
  readonly demands?: string | undefined;
};

/**
 * Starts a proxy on loopback that opens the TLS of whoever connects with its own certificate, reads the request, and
 * sends it on over TLS of its own.
 */
export const startInspectingProxy = async (options: ProxyOptions): Promise<InspectingProxy> => {
  const { certificate, demands } = options;
  const [asked, read, sockets] = [[] as string[], [] as string[], new Set<Socket>()];
  const authorizations: (string | undefined)[] = [];
  const isRefused = (authorization: string | undefined): boolean =>
    demands !== undefined && authorization !== demands;
  const inside = http.createServer((request, response) => {
    passOn(request, response, options, (body) => read.push(`${request.headers.host ?? ''} ${body}`));
  });
  const server = http.createServer((request, response) => {
    asked.push(request.url ?? '');
    authorizations.push(request.headers['proxy-authorization']);
    if (isRefused(request.headers['proxy-authorization'])) response.writeHead(407).end('who are you?');
    else passOn(request, response, options, () => {});
  });
  server.on('connect', (request, socket: Socket) => {
    asked.push(request.url ?? '');
    authorizations.push(request.headers['proxy-authorization']);
    socket.on('error', () => {});
    if (isRefused(request.headers['proxy-authorization'])) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 12\r\n\r\nwho are you?');
      return;
    }
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    const { key, cert } = certificate;
    const secure = new tls.TLSSocket(socket, { isServer: true, key, cert });
    secure.on('error', () => socket.destroy());
    inside.emit('connection', secure);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    host: `127.0.0.1:${address.port}`,
    asked,
    authorizations,
    read,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
};

// The host header stays: it is signed.
const passOn = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  { upstream, trusts }: ProxyOptions,
  note: (body: string) => void,
): void => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    note(body.toString());
    const { protocol, hostname, port } = new URL(upstream);
    const { pathname, search } = new URL(request.url ?? '/', upstream);
    const { 'proxy-authorization': _, 'proxy-connection': _connection, ...headers } = request.headers;
    const options = { hostname, port, path: `${pathname}${search}`, method: request.method, headers };
    const secure = { ...options, ca: trusts.cert, ...(isIP(hostname) > 0 ? { servername: '' } : {}) };
    const onward = protocol === 'https:' ? https.request({ ...secure, agent: false }) : http.request(options);
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    onward.end(body);
  });
};
