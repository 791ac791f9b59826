import type { FaultRule } from './faults.ts';

/** The two services of one server; requests tell which by their `Version`. */
export type Service = 'sts' | 'iam';

/** An IAM user, or the root user of an account (`kind: 'root'`, whose user id is the account number). */
export type User = {
  readonly kind: 'user' | 'root';
  readonly name: string;
  readonly path: string;
  readonly account: string;
  readonly partition: string;
  readonly arn: string;
  readonly userId: string;
  readonly createdAt: number;
  /** May act on the other users of the account. */
  readonly admin: boolean;
  readonly devices: MfaDevice[];
  /** Actions with an explicit deny, such as `iam:CreateAccessKey`, or `*`. */
  readonly denied: Set<string>;
  /** Denied everything but these actions where MFA is absent or false; undefined without such a policy. */
  withoutMfa: ReadonlySet<string> | undefined;
  deleted: boolean;
};

/** An MFA device. `lastStep` is the last TOTP step that was accepted; `stepsAhead` moves its time alone. */
export type MfaDevice = {
  readonly serialNumber: string;
  readonly kind: 'virtual' | 'hardware' | 'u2f' | 'sms-mfa';
  /** Base32. */
  readonly seed: string;
  readonly enabledAt: number;
  lastStep: number;
  stepsAhead: number;
};

/** An IAM role with its trust policy. */
export type Role = {
  readonly name: string;
  readonly account: string;
  readonly arn: string;
  readonly partition: string;
  readonly roleId: string;
  /** Principals: ARNs of users, roles and sessions, account numbers, or `*`. */
  readonly trusts: readonly string[];
  readonly requireMfa: boolean;
  readonly externalId: string | undefined;
  readonly maxSessionDuration: number;
  /** What its sessions may do, such as `iam:GetUser` or `*`. */
  readonly allow: ReadonlySet<string>;
  deleted: boolean;
};

/**
 * How a change of a key becomes visible. With `seconds`, requests within that time cycle through `answers`
 * (default: all false); without, `answers` is used up by one request each. False: as before the change.
 */
export type Lag = {
  readonly seconds?: number | undefined;
  readonly answers?: readonly boolean[] | undefined;
};

/** How slowly IAM spreads what it does to keys: new keys, changed or deleted ones, and ListAccessKeys. */
export type Propagation = {
  readonly created?: { readonly [service in Service]?: Lag | undefined } | undefined;
  readonly changed?: { readonly [service in Service]?: Lag | undefined } | undefined;
  readonly listed?: Lag | undefined;
};

type KeyStatus = 'Active' | 'Inactive' | 'Deleted';

/** A change that is not yet seen everywhere. */
export type Pending = {
  readonly lag: Lag;
  readonly since: number;
  readonly previous: KeyStatus;
  requests: number;
};

/** A long-term access key; deleted ones are kept for what lags behind. */
export type AccessKey = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly user: User;
  readonly createdAt: number;
  status: KeyStatus;
  pending: { readonly [view in Service | 'list']?: Pending | undefined };
  lastUsed: { at: number; service: Service; region: string } | undefined;
};

/** Who a set of credentials belongs to. */
export type Identity =
  | { readonly kind: 'user'; readonly user: User }
  | { readonly kind: 'role'; readonly role: Role; readonly sessionName: string }
  | { readonly kind: 'federated'; readonly user: User; readonly name: string };

/** Temporary credentials. */
export type Session = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  expiresAt: number;
  readonly identity: Identity;
  readonly mfa: boolean;
  /** Whether a role was assumed with a session for it. */
  readonly chained: boolean;
};

/** A sign-in token: whose session it lets into the console, and until when. */
export type SigninToken = { readonly session: Session; readonly expiresAt: number };

/** One request, as it was counted. `status` 0: no complete answer was sent. Never holds a secret. */
export type Call = {
  readonly action: string;
  readonly service: Service | 'signin';
  readonly accessKeyId: string | undefined;
  /** The caller's ARN, if the key id is known. */
  readonly caller: string | undefined;
  readonly region: string | undefined;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly at: number;
  status: number | undefined;
  code: string | undefined;
  /** The role that AssumeRole was asked for. */
  readonly roleArn?: string | undefined;
};

/** All that a server knows. */
export type State = {
  readonly realNow: () => number;
  clockOffset: number;
  readonly users: Map<string, User>;
  readonly roles: Map<string, Role>;
  readonly accessKeys: Map<string, AccessKey>;
  readonly sessions: Map<string, Session>;
  readonly signinTokens: Map<string, SigninToken>;
  readonly calls: Call[];
  readonly faults: FaultRule[];
  readonly held: (() => void)[];
  readonly watchers: Set<() => void>;
  propagation: Propagation;
  /** Regions that a credential scope may name; undefined: any. */
  regions: { readonly [service in Service]?: readonly string[] | undefined };
  /** The most entries in one page of a list, whatever MaxItems says. */
  pageSize: number;
  sessionTokenBytes: number;
  /** The most seconds that GetSessionToken and AssumeRole grant, whatever they are asked for; undefined: AWS's own. */
  longestSession: { readonly user?: number | undefined; readonly role?: number | undefined };
};

/** A server without users. */
export const emptyState = (realNow: () => number): State => ({
  realNow,
  ...initialSettings,
  users: new Map(),
  roles: new Map(),
  accessKeys: new Map(),
  sessions: new Map(),
  signinTokens: new Map(),
  calls: [],
  faults: [],
  held: [],
  watchers: new Set(),
});

const initialSettings = {
  clockOffset: 0,
  propagation: {},
  regions: {},
  pageSize: 1000,
  sessionTokenBytes: 251,
  longestSession: {},
};

/** Makes the state that of a server without users again; requests that are held are let go. */
export const resetState = (state: State): void => {
  for (const go of state.held.splice(0)) go();
  const { users, roles, accessKeys, sessions, signinTokens, watchers } = state;
  for (const collection of [users, roles, accessKeys, sessions, signinTokens, watchers]) collection.clear();
  for (const list of [state.calls, state.faults]) list.splice(0);
  Object.assign(state, initialSettings);
};

/** The server's time in milliseconds since the epoch. */
export const serverNow = (state: State): number => state.realNow() + state.clockOffset * 1000;

/** The ARN that GetCallerIdentity shows. */
export const arnOf = (identity: Identity): string => {
  if (identity.kind === 'user') return identity.user.arn;
  if (identity.kind === 'federated') {
    const { partition, account } = identity.user;
    return `arn:${partition}:sts::${account}:federated-user/${identity.name}`;
  }
  const { partition, account, name } = identity.role;
  return `arn:${partition}:sts::${account}:assumed-role/${name}/${identity.sessionName}`;
};

/** The account that an identity belongs to. */
export const accountOfIdentity = (identity: Identity): string =>
  identity.kind === 'role' ? identity.role.account : identity.user.account;

/** The status of a key as a service sees it for this request, which counts as one. */
export const visibleStatus = (state: State, key: AccessKey, view: Service | 'list'): KeyStatus => {
  const pending = key.pending[view];
  return pending === undefined || isSettled(pending, serverNow(state)) ? key.status : pending.previous;
};

/** Changes a key's status, seen at once or as the propagation says. */
export const changeStatus = (state: State, key: AccessKey, status: KeyStatus): void => {
  const { changed = {} } = state.propagation;
  key.pending = {
    ...key.pending,
    sts: undefined,
    iam: undefined,
    ...pendingOf('sts', changed.sts, key.status, serverNow(state)),
    ...pendingOf('iam', changed.iam, key.status, serverNow(state)),
  };
  key.status = status;
};

/** What a key that was made at `since` is waiting for. */
export const pendingCreation = (propagation: Propagation, since: number): AccessKey['pending'] => ({
  ...pendingOf('sts', propagation.created?.sts, 'Deleted', since),
  ...pendingOf('iam', propagation.created?.iam, 'Deleted', since),
  ...pendingOf('list', propagation.listed, 'Deleted', since),
});

const pendingOf = (
  view: Service | 'list',
  lag: Lag | undefined,
  previous: KeyStatus,
  since: number,
): AccessKey['pending'] => (lag === undefined ? {} : { [view]: { lag, since, previous, requests: 0 } });

const isSettled = (pending: Pending, now: number): boolean => {
  const { seconds, answers = seconds === undefined ? [] : [false] } = pending.lag;
  if (seconds !== undefined && now >= pending.since + seconds * 1000) return true;
  const request = pending.requests;
  pending.requests += 1;
  return answers[seconds === undefined ? request : request % answers.length] ?? true;
};
