import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import type { Proxy, Tls } from './proxy.ts';

/** The agents that send over a proxy. Loaded where there is one, since the packages cost as much as a start of Node. */
export const proxyAgents = (
  { url, authorization }: Proxy,
  hostname: string,
  agentOptions: Tls & { keepAlive: boolean; timeout: number },
  tls: Tls,
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
