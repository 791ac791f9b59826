import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { tunnelError } from './proxy.ts';
import type { Proxy, Tls } from './proxy.ts';

/** The agents that send over a proxy. Loaded where there is one, since the packages cost as much as a start of Node. */
export const proxyAgents = (
  { url, authorization }: Proxy,
  hostname: string,
  agentOptions: Tls & { keepAlive: boolean; timeout: number },
  { connectionTimeout, ...tls }: Tls & { connectionTimeout: number },
): { httpAgent: HttpAgent; httpsAgent: HttpsAgent } => {
  // as a header, so that the URL, which gets into messages, is without it
  const options = {
    ...agentOptions,
    headers: (): Record<string, string> =>
      authorization === undefined ? {} : { 'Proxy-Authorization': authorization },
  };
  const httpsAgent = new HttpsProxyAgent(url.href, options);
  // its own options are for the way to the proxy, and it drops them for the way behind it
  Object.assign(httpsAgent.options, tls, { timeout: agentOptions.timeout });
  onlyByTunnel(httpsAgent, connectionTimeout);
  const address = hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) > 0) {
    // and it has the certificate of an address checked for localhost
    Object.assign(httpsAgent.options, {
      checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
        checkServerIdentity(address, certificate),
    });
  }
  return { httpAgent: new HttpProxyAgent(url.href, options), httpsAgent };
};

/**
 * Lets the agent take nothing but an open way from its proxy. By itself it hands out what a proxy that refuses has said,
 * in the clear, as if the host behind it had answered, and waits without an end for a proxy that is silent.
 */
const onlyByTunnel = (agent: HttpsProxyAgent<string>, connectionTimeout: number): void => {
  const connect = agent.connect.bind(agent);
  const { connectOpts } = agent;
  agent.on('proxyConnect', ({ statusCode }: { readonly statusCode: number }) => {
    if (statusCode !== 200) throw tunnelError(statusCode);
  });
  agent.connect = async (request, options) => {
    const ending = new AbortController();
    // the request has its own limit, and says what happened
    const timer = setTimeout(() => ending.abort(), connectionTimeout + grace);
    try {
      // read before the first wait in it
      agent.connectOpts = { ...connectOpts, signal: ending.signal };
      return await connect(request, options);
    } catch (error) {
      ending.abort();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  };
};

// Milliseconds.
const grace = 200;
