import { accessDenied, invalidClientTokenId, refusal } from './refusal.ts';
import { type Claim, type WireRequest, compactDate, isSignedWith, parseDate } from './signature.ts';
import {
  type AccessKey,
  type Identity,
  type Service,
  type Session,
  type State,
  type User,
  arnOf,
  serverNow,
  visibleStatus,
} from './state.ts';

/** Who signed a request, and with what. */
export type Caller = {
  readonly identity: Identity;
  readonly accessKey: AccessKey | undefined;
  readonly session: Session | undefined;
};

/**
 * Finds out who signed, in AWS's order: scope, known and active key, session token, expiry, issuer, clock,
 * signature. Refuses with AWS's codes and messages.
 */
export const authenticate = async (
  state: State,
  service: Service,
  claim: Claim,
  request: WireRequest,
): Promise<Caller> => {
  checkScope(state, service, claim);
  const caller = findCaller(state, service, claim);
  checkClock(state, claim);
  const { secretAccessKey } = caller.accessKey ?? caller.session ?? { secretAccessKey: '' };
  if (!(await isSignedWith(secretAccessKey, claim, request))) {
    throw mismatch(
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
  }
  if (caller.accessKey !== undefined) {
    caller.accessKey.lastUsed = { at: serverNow(state), service, region: claim.region };
  }
  if (service === 'iam' && caller.session !== undefined && !mayCallIam(caller.session)) {
    throw invalidClientTokenId();
  }
  return caller;
};

/** The identity that a key id belongs to, whatever the key's state. */
export const identityOf = (state: State, accessKeyId: string): Identity | undefined => {
  const accessKey = state.accessKeys.get(accessKeyId);
  if (accessKey !== undefined) return { kind: 'user', user: accessKey.user };
  return state.sessions.get(accessKeyId)?.identity;
};

/** Refuses what no policy of the caller allows: `action` such as `iam:GetUser`, on a user of the account. */
export const authorize = (caller: Caller, action: string, target: { readonly name: string }): void => {
  const deny = (reason: string): Error =>
    accessDenied(
      `User: ${arnOf(caller.identity)} is not authorized to perform: ${action} on resource: user ${target.name} ${reason}`,
    );
  const { identity } = caller;
  if (identity.kind === 'user') {
    if (identity.user.kind === 'root') return;
    if (isDenied(identity.user, action, caller.session?.mfa === true)) {
      throw deny('with an explicit deny in an identity-based policy');
    }
    if (identity.user.admin || identity.user === target) return;
  }
  if (identity.kind === 'role' && isAllowedToRole(identity, action)) return;
  throw deny(`because no identity-based policy allows the ${action} action`);
};

/** Whether a policy of the user denies the action, with or without MFA. */
export const isDenied = (user: User, action: string, mfa: boolean): boolean =>
  user.denied.has('*') ||
  user.denied.has(action) ||
  (!mfa && user.withoutMfa !== undefined && !user.withoutMfa.has(action));

/** Whether a role's own policy allows the action. */
export const isAllowedToRole = ({ role }: Extract<Identity, { kind: 'role' }>, action: string): boolean =>
  role.allow.has('*') || role.allow.has(action);

const checkScope = (state: State, service: Service, claim: Claim): void => {
  const regions = state.regions[service];
  const complaint =
    (regions === undefined || regions.includes(claim.region)
      ? ''
      : 'Credential should be scoped to a valid region. ') +
    (claim.service === service ? '' : `Credential should be scoped to correct service: '${service}'. `);
  if (complaint !== '') throw mismatch(complaint);
  if (claim.scopeDate !== claim.signedAt.slice(0, 8)) {
    throw mismatch(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${claim.scopeDate}' != '${claim.signedAt.slice(0, 8)}', from '${claim.signedAt}'.`,
    );
  }
};

const findCaller = (state: State, service: Service, claim: Claim): Caller => {
  const accessKey = state.accessKeys.get(claim.accessKeyId);
  if (accessKey !== undefined) {
    if (visibleStatus(state, accessKey, service) !== 'Active') throw invalidClientTokenId();
    if (claim.sessionToken !== undefined || accessKey.user.deleted) throw invalidClientTokenId();
    return { identity: { kind: 'user', user: accessKey.user }, accessKey, session: undefined };
  }
  const session = state.sessions.get(claim.accessKeyId);
  if (session === undefined || claim.sessionToken !== session.sessionToken) throw invalidClientTokenId();
  if (serverNow(state) >= session.expiresAt) {
    throw refusal(403, 'ExpiredToken', 'The security token included in the request is expired');
  }
  const { identity } = session;
  if (identity.kind === 'role' ? identity.role.deleted : identity.user.deleted) throw invalidClientTokenId();
  return { identity, accessKey: undefined, session };
};

const checkClock = (state: State, claim: Claim): void => {
  const now = serverNow(state);
  const signedAt = parseDate(claim.signedAt).getTime();
  const allowance = (claim.expires ?? 900) * 1000;
  if (signedAt < now - allowance) {
    const limit = `${compactDate(now - allowance)} (${compactDate(now)} - ${allowance / 60_000} min.)`;
    throw mismatch(`Signature expired: ${claim.signedAt} is now earlier than ${limit}`);
  }
  if (signedAt > now + 900_000) {
    const limit = `${compactDate(now + 900_000)} (${compactDate(now)} + 15 min.)`;
    throw mismatch(`Signature not yet current: ${claim.signedAt} is still later than ${limit}`);
  }
};

const mismatch = (message: string): Error => refusal(403, 'SignatureDoesNotMatch', message);

// IAM does not know sessions without MFA: it answers them like a key that does not exist.
const mayCallIam = ({ identity, mfa }: Session): boolean => identity.kind === 'role' || mfa;
