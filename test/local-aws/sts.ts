import { type Caller, isAllowedToRole, isDenied } from './authenticate.ts';
import { accountOf, makeAccessKeyId, makeSecretAccessKey, makeSessionToken } from './identifiers.ts';
import { verifyMfa } from './mfa.ts';
import type { Constraints, Parameters } from './parameters.ts';
import { accessDenied, validationError } from './refusal.ts';
import {
  type Identity,
  type Role,
  type Session,
  type State,
  accountOfIdentity,
  arnOf,
  serverNow,
} from './state.ts';
import { type Xml, timestamp } from './xml.ts';

/** An operation: its parameters, and what it does and answers; undefined for an answer without a result. */
export type Operation = {
  readonly parameters: Constraints;
  readonly run: (state: State, caller: Caller, parameters: Parameters) => Xml;
};

const mfaParameters: Constraints = {
  SerialNumber: { length: [9, 256], pattern: '[\\w+=/:,.@-]*' },
  TokenCode: { length: [6, 6], pattern: '[\\d]*' },
};

/** The operations of STS. */
export const stsOperations: Readonly<Record<string, Operation>> = {
  GetCallerIdentity: {
    parameters: {},
    run: (_state, { identity }) => ({
      Arn: arnOf(identity),
      UserId: userIdOf(identity),
      Account: accountOfIdentity(identity),
    }),
  },
  GetSessionToken: {
    parameters: { DurationSeconds: { range: [900, 129_600] }, ...mfaParameters },
    run: (state, caller, parameters) => {
      if (caller.session !== undefined || caller.identity.kind !== 'user') {
        throw accessDenied('Cannot call GetSessionToken with session credentials');
      }
      const { user } = caller.identity;
      const mfa = verifyMfa(state, user, parameters.text('SerialNumber'), parameters.text('TokenCode'));
      const most = user.kind === 'root' ? 3600 : 129_600;
      const wanted = Math.min(parameters.number('DurationSeconds') ?? 43_200, most);
      const seconds = Math.min(wanted, state.longestSession.user ?? wanted);
      return { Credentials: describe(addSession(state, caller.identity, { mfa, seconds })) };
    },
  },
  AssumeRole: {
    parameters: {
      RoleArn: { required: true, length: [20, 2048] },
      RoleSessionName: { required: true, length: [2, 64], pattern: '[\\w+=,.@-]*' },
      DurationSeconds: { range: [900, 43_200] },
      ExternalId: { length: [2, 1224], pattern: '[\\w+=,.@:\\/-]*' },
      ...mfaParameters,
    },
    run: assumeRole,
  },
  GetAccessKeyInfo: {
    parameters: { AccessKeyId: { required: true, length: [16, 128], pattern: '[\\w]*' } },
    run: (_state, caller, parameters) => {
      checkPermission(caller, 'sts:GetAccessKeyInfo');
      return { Account: accountOf(parameters.text('AccessKeyId') ?? '') };
    },
  },
};

/** Makes temporary credentials that are good for so many seconds. */
export const addSession = (
  state: State,
  identity: Identity,
  { mfa, seconds, chained = false }: { mfa: boolean; seconds: number; chained?: boolean },
): Session => {
  const session: Session = {
    accessKeyId: makeAccessKeyId('ASIA', accountOfIdentity(identity)),
    secretAccessKey: makeSecretAccessKey(),
    sessionToken: makeSessionToken(state.sessionTokenBytes),
    expiresAt: Math.floor(serverNow(state) / 1000 + seconds) * 1000,
    identity,
    mfa,
    chained,
  };
  state.sessions.set(session.accessKeyId, session);
  return session;
};

function assumeRole(state: State, caller: Caller, parameters: Parameters): Xml {
  const arn = parameters.text('RoleArn') ?? '';
  const sessionName = parameters.text('RoleSessionName') ?? '';
  const seconds = parameters.number('DurationSeconds') ?? 3600;
  if (!/^arn:[\w-]+:iam::\d{12}:role\/.+$/.test(arn)) throw validationError(`${arn} is invalid`);
  const role = permittedRole(state, caller, arn, parameters);
  if (seconds > role.maxSessionDuration) {
    throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  if (caller.session !== undefined && seconds > 3600) {
    throw validationError(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    );
  }
  const identity: Identity = { kind: 'role', role, sessionName };
  const granted = Math.min(seconds, state.longestSession.role ?? seconds);
  const session = addSession(state, identity, {
    mfa: false,
    seconds: granted,
    chained: caller.session !== undefined,
  });
  return {
    AssumedRoleUser: { AssumedRoleId: userIdOf(identity), Arn: arnOf(identity) },
    Credentials: describe(session),
  };
}

// A role that does not exist, a trust policy that does not fit and a denial have one answer.
const permittedRole = (state: State, caller: Caller, arn: string, parameters: Parameters): Role => {
  const { identity } = caller;
  if (identity.kind === 'user' && identity.user.kind === 'root') {
    throw accessDenied('Roles may not be assumed by root accounts.');
  }
  const user = identity.kind === 'user' && caller.session === undefined ? identity.user : undefined;
  const codeGiven = verifyMfa(state, user, parameters.text('SerialNumber'), parameters.text('TokenCode'));
  const mfa = codeGiven || caller.session?.mfa === true;
  const role = state.roles.get(arn);
  if (role !== undefined && mayAssume(identity, mfa) && isTrusted(role, identity, mfa, parameters))
    return role;
  throw accessDenied(
    `User: ${arnOf(identity)} is not authorized to perform: sts:AssumeRole on resource: ${arn}`,
  );
};

const mayAssume = (identity: Identity, mfa: boolean): boolean => {
  if (identity.kind === 'user') return !isDenied(identity.user, 'sts:AssumeRole', mfa);
  return identity.kind === 'role' && isAllowedToRole(identity, 'sts:AssumeRole');
};

const isTrusted = (role: Role, identity: Identity, mfa: boolean, parameters: Parameters): boolean => {
  const account = accountOfIdentity(identity);
  const { partition } = identity.kind === 'role' ? identity.role : identity.user;
  const names = ['*', account, `arn:${partition}:iam::${account}:root`, arnOf(identity)];
  if (identity.kind === 'role') names.push(identity.role.arn);
  return (
    !role.deleted &&
    // accounts of one number in two partitions have nothing to do with each other
    role.partition === partition &&
    names.some((name) => role.trusts.includes(name)) &&
    (mfa || !role.requireMfa) &&
    (role.externalId === undefined || role.externalId === parameters.text('ExternalId'))
  );
};

const checkPermission = (caller: Caller, action: string): void => {
  const { identity } = caller;
  const allowed =
    identity.kind === 'user'
      ? caller.session === undefined && !isDenied(identity.user, action, false)
      : identity.kind === 'role' && isAllowedToRole(identity, action);
  if (allowed) return;
  throw accessDenied(`User: ${arnOf(identity)} is not authorized to perform: ${action}`);
};

const userIdOf = (identity: Identity): string => {
  if (identity.kind === 'user') return identity.user.userId;
  if (identity.kind === 'federated') return `${identity.user.account}:${identity.name}`;
  return `${identity.role.roleId}:${identity.sessionName}`;
};

const describe = (session: Session): Xml => ({
  AccessKeyId: session.accessKeyId,
  SecretAccessKey: session.secretAccessKey,
  SessionToken: session.sessionToken,
  Expiration: timestamp(session.expiresAt),
});
