import { type RequestListener, createServer } from 'node:http';
import type { Socket } from 'node:net';

export type TestServer = { readonly url: string; readonly close: () => Promise<void> };

/** A server that is no AWS, on loopback. */
export const startServer = async (listener: RequestListener): Promise<TestServer> => {
  const server = createServer(listener);
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
};

/** A server that answers everything with 200 and this text. */
export const answerAlways = (text: string, type = 'text/xml'): Promise<TestServer> =>
  startServer((_request, response) => {
    response.writeHead(200, { 'content-type': type }).end(text);
  });
