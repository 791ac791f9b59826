import { createHash, timingSafeEqual } from 'node:crypto';
import { Sha256 } from '@aws-crypto/sha256-js';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';
import { refusal } from './refusal.ts';

/** An HTTP request as it came in. Header names are in lower case. */
export type WireRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
};

/** What a request says about its signature. */
export type Claim = {
  readonly accessKeyId: string;
  readonly scopeDate: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20260713T120000Z` */
  readonly signedAt: string;
  readonly sessionToken: string | undefined;
  /** Seconds that a presigned request is good for; undefined when the signature is in the headers. */
  readonly expires: number | undefined;
};

const algorithm = 'AWS4-HMAC-SHA256';

/** Reads the claim from the Authorization header or from `X-Amz-*` in the query; refuses malformed ones. */
export const readClaim = (request: WireRequest): Claim => {
  const { authorization } = request.headers;
  if (authorization !== undefined) return readHeaders(request, authorization);
  if (request.query.has('X-Amz-Signature')) return readQuery(request);
  throw refusal(403, 'MissingAuthenticationToken', 'Request is missing Authentication Token');
};

/** Whether the request was signed with this secret: signs the headers named in SignedHeaders once more. */
export const isSignedWith = async (
  secretAccessKey: string,
  claim: Claim,
  request: WireRequest,
): Promise<boolean> => {
  if (!claim.signedHeaders.includes('host') || !bodyFits(claim, request)) return false;
  const signer = new SignatureV4({
    service: claim.service,
    region: claim.region,
    credentials: { accessKeyId: claim.accessKeyId, secretAccessKey },
    sha256: Sha256,
    applyChecksum: false,
  });
  const options = {
    signingDate: parseDate(claim.signedAt),
    signableHeaders: new Set(claim.signedHeaders),
  };
  const unsigned = unsignedRequest(claim, request);
  if (claim.expires !== undefined) {
    // signed along with the rest, so whoever takes it away changes the request
    if (!request.query.has('X-Amz-Expires')) return false;
    const presigned = await signer.presign(unsigned, { ...options, expiresIn: claim.expires });
    return isEqual(String(presigned.query?.['X-Amz-Signature']), claim.signature);
  }
  const signed = await signer.sign(unsigned, options);
  return isEqual(signed.headers['authorization']?.split('Signature=')[1] ?? '', claim.signature);
};

/** The moment of a `20260713T120000Z`. */
export const parseDate = (text: string): Date =>
  new Date(text.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));

/** The `20260713T120000Z` of a moment in milliseconds since the epoch. */
export const compactDate = (milliseconds: number): string =>
  `${new Date(milliseconds).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;

const readHeaders = (request: WireRequest, authorization: string): Claim => {
  const [scheme = '', ...rest] = authorization.split(' ');
  const parts = new Map(
    rest
      .join(' ')
      .split(',')
      .map((part): [string, string] => {
        const [name = '', ...value] = part.trim().split('=');
        return [name, value.join('=')];
      }),
  );
  const signedAt = request.headers['x-amz-date'];
  const complaints = ['Credential', 'Signature', 'SignedHeaders']
    .filter((name) => scheme !== algorithm || (parts.get(name) ?? '') === '')
    .map((name) => `Authorization header requires '${name}' parameter. `);
  if (signedAt === undefined) {
    complaints.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ");
  }
  if (complaints.length > 0) throw incomplete(`${complaints.join('')}Authorization=${scheme}`);
  return {
    ...readScope(parts.get('Credential') ?? ''),
    signedHeaders: (parts.get('SignedHeaders') ?? '').split(';'),
    signature: parts.get('Signature') ?? '',
    signedAt: checkDate(signedAt ?? ''),
    sessionToken: request.headers['x-amz-security-token'],
    expires: undefined,
  };
};

const readQuery = ({ query }: WireRequest): Claim => {
  const missing = ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-SignedHeaders', 'X-Amz-Date'].filter(
    (name) => !query.has(name),
  );
  if (missing.length > 0)
    throw incomplete(
      `${missing.map((name) => `AWS query-string parameters must include '${name}'. `).join('')}Re-examine the query-string parameters.`,
    );
  return {
    ...readScope(query.get('X-Amz-Credential') ?? ''),
    signedHeaders: (query.get('X-Amz-SignedHeaders') ?? '').split(';'),
    signature: query.get('X-Amz-Signature') ?? '',
    signedAt: checkDate(query.get('X-Amz-Date') ?? ''),
    sessionToken: query.get('X-Amz-Security-Token') ?? undefined,
    expires: Number(query.get('X-Amz-Expires') ?? 900),
  };
};

const readScope = (credential: string): Pick<Claim, 'accessKeyId' | 'scopeDate' | 'region' | 'service'> => {
  const [accessKeyId, scopeDate, region, service, term, ...more] = credential.split('/');
  if (
    accessKeyId === undefined ||
    scopeDate === undefined ||
    region === undefined ||
    service === undefined ||
    term !== 'aws4_request' ||
    more.length > 0
  ) {
    throw incomplete(
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'`,
    );
  }
  return { accessKeyId, scopeDate, region, service };
};

const checkDate = (text: string): string => {
  if (/^\d{8}T\d{6}Z$/.test(text) && !Number.isNaN(parseDate(text).getTime())) return text;
  throw incomplete(
    `Date must be in ISO-8601 'basic format'. Got '${text}'. See http://en.wikipedia.org/wiki/ISO_8601`,
  );
};

const incomplete = (message: string): Error => refusal(400, 'IncompleteSignature', message);

// STS and IAM sign the body itself, so a digest in a header must be the body's.
const bodyFits = (claim: Claim, request: WireRequest): boolean => {
  const digest = request.headers['x-amz-content-sha256'];
  if (digest === undefined || !claim.signedHeaders.includes('x-amz-content-sha256')) return true;
  return digest === createHash('sha256').update(request.body).digest('hex');
};

const unsignedRequest = (claim: Claim, request: WireRequest): HttpRequest =>
  new HttpRequest({
    method: request.method,
    path: request.path,
    query: queryBag(request.query),
    headers: Object.fromEntries(claim.signedHeaders.map((name) => [name, request.headers[name] ?? ''])),
    body: request.body,
  });

const queryBag = (query: URLSearchParams): Record<string, string[]> =>
  Object.fromEntries(
    [...new Set(query.keys())]
      .filter((name) => name !== 'X-Amz-Signature')
      .map((name) => [name, query.getAll(name)]),
  );

const isEqual = (left: string, right: string): boolean =>
  left.length === right.length && timingSafeEqual(Buffer.from(left), Buffer.from(right));
