import type { Fault } from './faults.ts';
import { addAccessKey, keysOf } from './iam.ts';
import { makeSeed, makeUniqueId } from './identifiers.ts';
import { codeAt, nextCode, wrongCode } from './mfa.ts';
import {
  type Call,
  type MfaDevice,
  type Propagation,
  type Role,
  type Session,
  type State,
  type User,
  arnOf,
  changeStatus,
  resetState,
  serverNow,
} from './state.ts';
import { addSession } from './sts.ts';
import { timestamp } from './xml.ts';

/** A user by ARN or, where that is unambiguous, by name. */
export type UserReference = string | { readonly arn: string };

/** A key pair; the secret is the real one. */
export type KeyPair = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** A key pair to use instead of a made one. */
export type KeyOptions = { readonly [name in keyof KeyPair]?: string | undefined };

/** A user as tests see one, with the first access key. */
export type UserHandle = KeyPair & {
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  readonly account: string;
  readonly partition: string;
};

/** An MFA device in the hands of its owner. */
export type DeviceHandle = {
  readonly serialNumber: string;
  /** Base32, as an authenticator app would get it. */
  readonly seed: string;
  /** A code that AWS will accept, the present one unless that is used up; time passes for the device if need be. */
  readonly code: () => string;
  /** The code so many steps of 30 s from now, -5 for an old one. */
  readonly codeAt: (steps: number) => string;
  /** Six digits that are surely wrong. */
  readonly wrongCode: () => string;
  /** Lets 30 s pass for this device and for AWS's view of it. */
  readonly skipToNextStep: () => void;
};

/** Temporary credentials as AWS hands them out; `expiration` like `2026-07-13T12:00:00Z`. */
export type SessionHandle = KeyPair & {
  readonly sessionToken: string;
  readonly expiration: string;
  readonly arn: string;
};

/** What a new user may be like; default: `jane` of 123456789012 in `aws`, no admin. */
export type UserOptions = {
  readonly name?: string | undefined;
  readonly path?: string | undefined;
  readonly account?: string | undefined;
  readonly partition?: string | undefined;
  readonly admin?: boolean | undefined;
  readonly accessKeyId?: string | undefined;
  readonly secretAccessKey?: string | undefined;
};

/** What a new device may be like; `name` is the last part of a virtual device's ARN (default: the user's name). */
export type DeviceOptions = {
  readonly name?: string | undefined;
  readonly serialNumber?: string | undefined;
  readonly kind?: MfaDevice['kind'] | undefined;
  readonly seed?: string | undefined;
};

/** What a new role may be like; trusted are ARNs, account numbers, or `*` (default: the role's own account). */
export type RoleOptions = {
  readonly name: string;
  readonly path?: string | undefined;
  readonly account?: string | undefined;
  readonly partition?: string | undefined;
  readonly trusts?: readonly string[] | undefined;
  readonly requireMfa?: boolean | undefined;
  readonly externalId?: string | undefined;
  /** Seconds, default 3600. */
  readonly maxSessionDuration?: number | undefined;
  /** Actions, default all. */
  readonly allow?: readonly string[] | undefined;
};

/** How long minted credentials live, in seconds (negative: expired), and whether they carry MFA. */
export type SessionOptions = {
  readonly seconds?: number | undefined;
  readonly mfa?: boolean | undefined;
  /** Whether a role was assumed with a session for them. */
  readonly chained?: boolean | undefined;
};

/** What tests do to a local AWS. */
export type World = ReturnType<typeof makeWorld>;

/** The functions that steer a server's state. */
export const makeWorld = (state: State) => {
  const device = (serialNumber: string): DeviceHandle => deviceHandle(state, findDevice(state, serialNumber));
  return {
    /** Forgets users, roles, sessions, requests, faults and settings, as if the server had just started. */
    reset: (): void => {
      resetState(state);
    },
    /** Every request so far, oldest first. */
    calls: state.calls as readonly Readonly<Call>[],
    /** How many requests came in for an action, or all. */
    count: (action?: string): number => countCalls(state, action),
    /** Forgets the requests so far. */
    forgetCalls: (): void => void state.calls.splice(0),
    /** Resolves when so many requests for the action have come in. */
    untilCalled: (action: string, times = 1): Promise<void> =>
      until(state, () => countCalls(state, action) >= times),
    /** Adds a user with one access key. Throws where the name is taken in its account. */
    createUser: (options: UserOptions = {}): UserHandle => createUser(state, options),
    /** Adds the root user of an account, with a key. */
    createRootKey: (account = '123456789012', partition = 'aws'): UserHandle =>
      createRoot(state, account, partition),
    /** Deletes a user; keys and sessions answer InvalidClientTokenId from now on. */
    deleteUser: (user: UserReference): void => {
      findUser(state, user).deleted = true;
    },
    /** Adds a key, whatever the quota; propagation as set. */
    addAccessKey: (user: UserReference, options: KeyOptions = {}): KeyPair => {
      const { accessKeyId, secretAccessKey } = addAccessKey(state, findUser(state, user), options);
      return { accessKeyId, secretAccessKey };
    },
    /** Activates, deactivates or deletes a key behind everybody's back; seen as the propagation says. */
    setKeyStatus: (accessKeyId: string, status: 'Active' | 'Inactive' | 'Deleted'): void => {
      changeStatus(state, findKey(state, accessKeyId), status);
    },
    /** A user's present keys with their status, oldest first; no secrets. */
    keys: (user: UserReference): { accessKeyId: string; status: string }[] =>
      keysOf(state, findUser(state, user)).map(({ accessKeyId, status }) => ({ accessKeyId, status })),
    /** A user's oldest active key. Throws where there is none. */
    activeKey: (user: UserReference): KeyPair => {
      const key = keysOf(state, findUser(state, user)).find(({ status }) => status === 'Active');
      if (key === undefined) throw new Error('this user has no active key');
      return { accessKeyId: key.accessKeyId, secretAccessKey: key.secretAccessKey };
    },
    /** Gives a user an MFA device. Throws at the ninth. */
    addMfaDevice: (user: UserReference, options: DeviceOptions = {}): DeviceHandle =>
      deviceHandle(state, addDevice(state, findUser(state, user), options)),
    /** Takes a device away. */
    removeMfaDevice: (serialNumber: string): void => {
      const found = findDevice(state, serialNumber);
      for (const { devices } of state.users.values()) {
        if (devices.includes(found)) devices.splice(devices.indexOf(found), 1);
      }
    },
    /** The device with this serial number. Throws where there is none. */
    device,
    /** A user's first device that gives codes. Throws where there is none. */
    deviceOf: (user: UserReference): DeviceHandle => {
      const found = findUser(state, user).devices.find(
        ({ kind }) => kind === 'virtual' || kind === 'hardware',
      );
      if (found === undefined) throw new Error('this user has no MFA device');
      return deviceHandle(state, found);
    },
    /** Attaches the usual policy: everything is denied without MFA but the actions named (`iam:ListMFADevices`). */
    denyWithoutMfa: (user: UserReference, except: readonly string[] = []): void => {
      findUser(state, user).withoutMfa = new Set(except);
    },
    /** Denies an action such as `iam:CreateAccessKey`, or `*`. */
    deny: (user: UserReference, action: string): void => void findUser(state, user).denied.add(action),
    /** Lifts what `deny` and `denyWithoutMfa` did. */
    allow: (user: UserReference): void => {
      const found = findUser(state, user);
      found.denied.clear();
      found.withoutMfa = undefined;
    },
    /** Adds a role. */
    createRole: (options: RoleOptions): { arn: string; name: string } => createRole(state, options),
    /** Deletes a role; its sessions answer InvalidClientTokenId from now on. */
    deleteRole: (arn: string): void => {
      findRole(state, arn).deleted = true;
    },
    /** Credentials of GetSessionToken without asking it. */
    mintSession: (user: UserReference, options: SessionOptions = {}): SessionHandle =>
      mint(state, { kind: 'user', user: findUser(state, user) }, options),
    /** Credentials of a role. */
    mintRoleSession: (roleArn: string, sessionName = 'test', options: SessionOptions = {}): SessionHandle =>
      mint(state, { kind: 'role', role: findRole(state, roleArn), sessionName }, options),
    /** Credentials of GetFederationToken. */
    mintFederatedSession: (
      user: UserReference,
      name = 'guest',
      options: SessionOptions = {},
    ): SessionHandle => mint(state, { kind: 'federated', user: findUser(state, user), name }, options),
    /** Ends temporary credentials now. */
    expireSession: (accessKeyId: string): void => {
      const session = state.sessions.get(accessKeyId);
      if (session === undefined) throw new Error(`no session ${accessKeyId}`);
      session.expiresAt = serverNow(state);
    },
    /** Queues a fault for the next requests of an action (`*`: any): the first `skip` pass, `times` fail (default 1). */
    fault: (
      action: string,
      fault: Fault | Fault['kind'],
      { times = 1, skip = 0 }: { times?: number | undefined; skip?: number | undefined } = {},
    ): void => {
      state.faults.push({ action, fault: typeof fault === 'string' ? { kind: fault } : fault, times, skip });
    },
    /** Drops the faults that still wait. */
    clearFaults: (): void => void state.faults.splice(0),
    /** How many requests are held now by the fault `hold`. */
    heldCount: (): number => state.held.length,
    /** Resolves when so many requests are held. */
    untilHeld: (times = 1): Promise<void> => until(state, () => state.held.length >= times),
    /** Lets the held requests go on. */
    release: (): void => {
      for (const go of state.held.splice(0)) go();
    },
    /** Sets the server's clock so many seconds ahead of the real time (negative: behind). */
    setClockOffset: (seconds: number): void => {
      state.clockOffset = seconds;
    },
    /** The server's time, milliseconds since the epoch. */
    now: (): number => serverNow(state),
    /** Sets how slowly key changes spread from now on. */
    setPropagation: (propagation: Propagation): void => {
      state.propagation = propagation;
    },
    /** Sets which regions signatures may name, per service; what is missing takes any. */
    setRegions: (regions: State['regions']): void => {
      state.regions = regions;
    },
    /** Sets the most entries that one page of a list holds. */
    setPageSize: (entries: number): void => {
      state.pageSize = entries;
    },
    /** Sets how many seconds the sessions to come last at most: of users, and of roles; what is missing, as AWS has it. */
    setLongestSession: (longest: State['longestSession']): void => {
      state.longestSession = longest;
    },
    /** Sets the size of the session tokens to come, in bytes before base64. */
    setSessionTokenBytes: (bytes: number): void => {
      state.sessionTokenBytes = bytes;
    },
  };
};

const countCalls = (state: State, action: string | undefined): number =>
  state.calls.filter((call) => action === undefined || call.action === action).length;

const until = (state: State, isReached: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const watcher = (): void => {
      if (!isReached()) return;
      state.watchers.delete(watcher);
      resolve();
    };
    state.watchers.add(watcher);
    watcher();
  });

const createUser = (state: State, options: UserOptions): UserHandle => {
  const { name = 'jane', path = '/', account = '123456789012', partition = 'aws', admin = false } = options;
  const user = addUser(state, {
    kind: 'user',
    name,
    path,
    account,
    partition,
    admin,
    arn: `arn:${partition}:iam::${account}:user${path}${name}`,
    userId: makeUniqueId('AIDA'),
  });
  return userHandle(state, user, options);
};

const createRoot = (state: State, account: string, partition: string): UserHandle => {
  const user = addUser(state, {
    kind: 'root',
    name: 'root',
    path: '/',
    account,
    partition,
    admin: true,
    arn: `arn:${partition}:iam::${account}:root`,
    userId: account,
  });
  return userHandle(state, user, {});
};

const addUser = (
  state: State,
  fields: Pick<User, 'kind' | 'name' | 'path' | 'account' | 'partition' | 'admin' | 'arn' | 'userId'>,
): User => {
  const user: User = {
    ...fields,
    createdAt: serverNow(state),
    devices: [],
    denied: new Set(),
    withoutMfa: undefined,
    deleted: false,
  };
  if (state.users.has(user.arn)) throw new Error(`there is a user ${user.arn} already`);
  state.users.set(user.arn, user);
  return user;
};

const userHandle = (state: State, user: User, given: KeyOptions): UserHandle => {
  const { name, path, arn, account, partition } = user;
  const { accessKeyId, secretAccessKey } = addAccessKey(state, user, given);
  return { name, path, arn, account, partition, accessKeyId, secretAccessKey };
};

const addDevice = (state: State, user: User, options: DeviceOptions): MfaDevice => {
  if (user.devices.length === 8) throw new Error('a user has eight MFA devices at most');
  const { kind = 'virtual', name = user.kind === 'root' ? 'root-account-mfa-device' : user.name } = options;
  const device: MfaDevice = {
    serialNumber: options.serialNumber ?? serialNumberOf(user, kind, name),
    kind,
    seed: options.seed ?? makeSeed(),
    enabledAt: serverNow(state),
    lastStep: -1,
    stepsAhead: 0,
  };
  user.devices.push(device);
  return device;
};

const serialNumberOf = (user: User, kind: MfaDevice['kind'], name: string): string => {
  const prefix = `arn:${user.partition}:iam::${user.account}`;
  if (kind === 'hardware') return `GAHT${String(12_345_678 + user.devices.length)}`;
  if (kind === 'u2f') return `${prefix}:u2f/user/${user.name}/${name}-${makeSeed().slice(0, 26)}`;
  return `${prefix}:${kind === 'virtual' ? 'mfa' : kind}/${name}`;
};

const deviceHandle = (state: State, device: MfaDevice): DeviceHandle => ({
  serialNumber: device.serialNumber,
  seed: device.seed,
  code: () => nextCode(state, device),
  codeAt: (steps) => codeAt(state, device, steps),
  wrongCode: () => wrongCode(state, device),
  skipToNextStep: () => {
    device.stepsAhead += 1;
  },
});

const createRole = (state: State, options: RoleOptions): { arn: string; name: string } => {
  const { name, path = '/', account = '123456789012', partition = 'aws' } = options;
  const role: Role = {
    name,
    account,
    partition,
    arn: `arn:${partition}:iam::${account}:role${path}${name}`,
    roleId: makeUniqueId('AROA'),
    trusts: options.trusts ?? [account],
    requireMfa: options.requireMfa ?? false,
    externalId: options.externalId,
    maxSessionDuration: options.maxSessionDuration ?? 3600,
    allow: new Set(options.allow ?? ['*']),
    deleted: false,
  };
  state.roles.set(role.arn, role);
  return { arn: role.arn, name };
};

const mint = (state: State, identity: Session['identity'], options: SessionOptions): SessionHandle => {
  const { seconds = 3600, mfa = identity.kind === 'user', chained = false } = options;
  const session = addSession(state, identity, { seconds, mfa, chained });
  const { accessKeyId, secretAccessKey, sessionToken, expiresAt } = session;
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken,
    expiration: timestamp(expiresAt),
    arn: arnOf(identity),
  };
};

const findUser = (state: State, reference: UserReference): User => {
  const wanted = typeof reference === 'string' ? reference : reference.arn;
  const found = [...state.users.values()].filter(({ arn, name }) => arn === wanted || name === wanted);
  const [user] = found;
  if (user === undefined || found.length > 1) throw new Error(`${found.length} users are called ${wanted}`);
  return user;
};

const findRole = (state: State, arn: string): Role => {
  const role = state.roles.get(arn);
  if (role === undefined) throw new Error(`no role ${arn}`);
  return role;
};

const findKey = (state: State, accessKeyId: string) => {
  const key = state.accessKeys.get(accessKeyId);
  if (key === undefined) throw new Error(`no access key ${accessKeyId}`);
  return key;
};

const findDevice = (state: State, serialNumber: string): MfaDevice => {
  const device = [...state.users.values()]
    .flatMap(({ devices }) => devices)
    .find((candidate) => candidate.serialNumber === serialNumber);
  if (device === undefined) throw new Error(`no MFA device ${serialNumber}`);
  return device;
};
