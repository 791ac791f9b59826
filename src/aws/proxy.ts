import { BlockList, isIP } from 'node:net';
import type { Environment } from '../context.ts';
import { UserError } from '../errors.ts';

/** Whose certificates are taken. */
export type Tls = { ca?: Buffer; rejectUnauthorized: true };

const tunnelRefused = 'TunnelRefused';

/** What is thrown where a proxy answers with another status than 200 when it is to open the way to a host. */
export const tunnelError = (status: number): Error =>
  Object.assign(new Error(`the proxy answered ${status}`), { name: tunnelRefused, tunnelStatus: status });

/** The status that a proxy refused the way to a host with, undefined for any other error. */
export const refusedTunnel = (error: unknown): number | undefined =>
  error instanceof Error && error.name === tunnelRefused && 'tunnelStatus' in error
    ? Number(error.tunnelStatus)
    : undefined;

/** A proxy on the way to AWS. */
export type Proxy = {
  /** Without user name and password. */
  readonly url: URL;
  /** What `Proxy-Authorization` says; undefined without user name and password. */
  readonly authorization: string | undefined;
  /** The variable that names it. */
  readonly variable: string;
};

/**
 * The proxy that the environment names for a URL, undefined when the way is straight: `https_proxy` or `http_proxy` by
 * the URL's scheme, else `all_proxy`, in small or capital letters, without scheme an http one; none for what
 * `no_proxy` lists. Raises UserError, without the value, for what is no http(s) URL.
 */
export const proxyFor = (url: URL, env: Environment): Proxy | undefined => {
  const scheme = url.protocol.slice(0, -1);
  const variable = [`${scheme}_proxy`, 'all_proxy']
    .flatMap((name) => [name, name.toUpperCase()])
    .find((name) => env[name]);
  const text = variable && env[variable]?.trim();
  if (!variable || !text || isExempt(url, env['no_proxy'] || env['NO_PROXY'] || '')) return undefined;
  return parseProxy(text.includes('://') ? text : `http://${text}`, variable);
};

const parseProxy = (text: string, variable: string): Proxy => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // what follows the host may be half of a password with a slash or a # in it
  if (
    url === undefined ||
    !['http:', 'https:'].includes(url.protocol) ||
    `${url.pathname}${url.search}${url.hash}` !== '/'
  ) {
    throw new UserError(`${variable} names no http or https proxy`, {
      hint: 'a proxy looks like http://proxy.example.com:3128, with what is special in its password percent-encoded',
    });
  }
  const { username, password } = url;
  url.username = '';
  url.password = '';
  if (username === '' && password === '') return { url, authorization: undefined, variable };
  const pair = `${decode(username)}:${decode(password)}`;
  return { url, authorization: `Basic ${Buffer.from(pair).toString('base64')}`, variable };
};

// A lone per cent sign is itself.
const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/**
 * Whether `no_proxy` lists the host of a URL: entries between commas or blanks, each a host with its subdomains, an
 * address, a range of addresses such as `10.0.0.0/8`, all of these with or without a port, or `*` for everything.
 */
const isExempt = (url: URL, noProxy: string): boolean => {
  const host = bare(url.hostname);
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return noProxy.split(/[\s,]+/).some((entry) => {
    if (entry === '' || entry === '*') return entry === '*';
    // an address of IPv6 has colons of its own
    const [, name = entry, entryPort] = /^(\[.*\]|[^:]*):(\d+)$/.exec(entry) ?? [];
    if (entryPort !== undefined && entryPort !== port) return false;
    const wanted = bare(name.toLowerCase().replace(/^\*?\./, ''));
    return isIP(host) > 0
      ? isInRange(host, wanted)
      : wanted !== '' && (host === wanted || host.endsWith(`.${wanted}`));
  });
};

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');

const isInRange = (address: string, range: string): boolean => {
  const [base = '', bits, ...more] = range.split('/');
  const version = isIP(base);
  const longest = version === 4 ? 32 : 128;
  const prefix = bits === undefined ? longest : Number(bits);
  if (version === 0 || more.length > 0 || !/^\d*$/.test(bits ?? '') || bits === '' || prefix > longest)
    return false;
  if (isIP(address) !== version) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(base, prefix, family);
  return list.check(address, family);
};
