import { type Caller, authorize } from './authenticate.ts';
import { makeAccessKeyId, makeSecretAccessKey } from './identifiers.ts';
import type { Constraints, Parameters } from './parameters.ts';
import { refusal, validationError } from './refusal.ts';
import {
  type AccessKey,
  type State,
  type User,
  accountOfIdentity,
  changeStatus,
  pendingCreation,
  serverNow,
  visibleStatus,
} from './state.ts';
import type { Operation } from './sts.ts';
import { type Xml, timestamp } from './xml.ts';

const userName: Constraints = { UserName: { length: [1, 128], pattern: '[\\w+=,.@-]+' } };
const paging: Constraints = { Marker: { length: [1, 320] }, MaxItems: { range: [1, 1000] } };
const accessKeyId: Constraints = {
  AccessKeyId: { required: true, length: [16, 128], pattern: '[\\w]+' },
};

/** The operations of IAM. */
export const iamOperations: Readonly<Record<string, Operation>> = {
  ListMFADevices: {
    parameters: { ...userName, ...paging },
    run: (state, caller, parameters) => {
      const user = targetUser(state, caller, 'iam:ListMFADevices', parameters);
      const devices = user.devices.map((device) => ({
        UserName: user.name,
        SerialNumber: device.serialNumber,
        EnableDate: timestamp(device.enabledAt),
      }));
      return page(state, 'MFADevices', devices, parameters);
    },
  },
  GetUser: {
    parameters: userName,
    run: (state, caller, parameters) => {
      const user = targetUser(state, caller, 'iam:GetUser', parameters);
      return {
        User: {
          Path: user.kind === 'root' ? undefined : user.path,
          UserName: user.kind === 'root' ? undefined : user.name,
          UserId: user.userId,
          Arn: user.arn,
          CreateDate: timestamp(user.createdAt),
        },
      };
    },
  },
  ListAccessKeys: {
    parameters: { ...userName, ...paging },
    run: (state, caller, parameters) => {
      const user = targetUser(state, caller, 'iam:ListAccessKeys', parameters);
      const keys = keysOf(state, user)
        .filter((key) => visibleStatus(state, key, 'list') !== 'Deleted')
        .map((key) => ({
          UserName: user.name,
          AccessKeyId: key.accessKeyId,
          Status: key.status,
          CreateDate: timestamp(key.createdAt),
        }));
      return page(state, 'AccessKeyMetadata', keys, parameters);
    },
  },
  CreateAccessKey: {
    parameters: userName,
    run: (state, caller, parameters) => {
      const user = targetUser(state, caller, 'iam:CreateAccessKey', parameters);
      if (keysOf(state, user).length >= 2) {
        throw refusal(409, 'LimitExceeded', 'Cannot exceed quota for AccessKeysPerUser: 2');
      }
      const key = addAccessKey(state, user);
      return {
        AccessKey: {
          UserName: user.name,
          AccessKeyId: key.accessKeyId,
          Status: key.status,
          SecretAccessKey: key.secretAccessKey,
          CreateDate: timestamp(key.createdAt),
        },
      };
    },
  },
  UpdateAccessKey: {
    parameters: {
      ...userName,
      ...accessKeyId,
      Status: { required: true, values: ['Active', 'Inactive'] },
    },
    run: (state, caller, parameters) => {
      const user = targetUser(state, caller, 'iam:UpdateAccessKey', parameters);
      const status = parameters.text('Status') === 'Active' ? 'Active' : 'Inactive';
      changeStatus(state, targetKey(state, user, parameters), status);
      return undefined;
    },
  },
  DeleteAccessKey: {
    parameters: { ...userName, ...accessKeyId },
    run: (state, caller, parameters) => {
      const user = targetUser(state, caller, 'iam:DeleteAccessKey', parameters);
      changeStatus(state, targetKey(state, user, parameters), 'Deleted');
      return undefined;
    },
  },
  GetAccessKeyLastUsed: {
    parameters: accessKeyId,
    run: (state, caller, parameters) => {
      const key = state.accessKeys.get(parameters.text('AccessKeyId') ?? '');
      if (key === undefined || key.status === 'Deleted') throw noSuchKey(parameters);
      authorize(caller, 'iam:GetAccessKeyLastUsed', key.user);
      const used = key.lastUsed;
      return {
        UserName: key.user.name,
        AccessKeyLastUsed: {
          LastUsedDate: used === undefined ? undefined : timestamp(used.at),
          ServiceName: used?.service ?? 'N/A',
          Region: used?.region ?? 'N/A',
        },
      };
    },
  },
};

/** Adds a key to a user, with the propagation that is set; the quota is not checked. */
export const addAccessKey = (
  state: State,
  user: User,
  given: { accessKeyId?: string | undefined; secretAccessKey?: string | undefined } = {},
): AccessKey => {
  const createdAt = serverNow(state);
  const key: AccessKey = {
    accessKeyId: given.accessKeyId ?? makeAccessKeyId('AKIA', user.account),
    secretAccessKey: given.secretAccessKey ?? makeSecretAccessKey(),
    user,
    createdAt,
    status: 'Active',
    pending: pendingCreation(state.propagation, createdAt),
    lastUsed: undefined,
  };
  state.accessKeys.set(key.accessKeyId, key);
  return key;
};

/** The keys that a user has, active and inactive, oldest first. */
export const keysOf = (state: State, user: User): AccessKey[] =>
  [...state.accessKeys.values()].filter((key) => key.user === user && key.status !== 'Deleted');

const targetUser = (state: State, caller: Caller, action: string, parameters: Parameters): User => {
  const name = parameters.text('UserName');
  const { identity } = caller;
  if (name === undefined) {
    if (identity.kind !== 'user') {
      throw validationError('Must specify userName when calling with non-User credentials');
    }
    authorize(caller, action, identity.user);
    return identity.user;
  }
  const account = accountOfIdentity(identity);
  const user = [...state.users.values()].find(
    (candidate) =>
      candidate.kind === 'user' &&
      candidate.account === account &&
      !candidate.deleted &&
      candidate.name.toLowerCase() === name.toLowerCase(),
  );
  authorize(caller, action, user ?? { name });
  if (user === undefined) throw refusal(404, 'NoSuchEntity', `The user with name ${name} cannot be found.`);
  return user;
};

const targetKey = (state: State, user: User, parameters: Parameters): AccessKey => {
  const key = state.accessKeys.get(parameters.text('AccessKeyId') ?? '');
  if (key === undefined || key.user !== user || key.status === 'Deleted') throw noSuchKey(parameters);
  return key;
};

const noSuchKey = (parameters: Parameters): Error =>
  refusal(
    404,
    'NoSuchEntity',
    `The Access Key with id ${parameters.text('AccessKeyId') ?? ''} cannot be found.`,
  );

const page = (state: State, name: string, entries: readonly Xml[], parameters: Parameters): Xml => {
  const size = Math.min(parameters.number('MaxItems') ?? 100, state.pageSize);
  const start = readMarker(parameters.text('Marker'));
  const end = start + size;
  const isTruncated = end < entries.length;
  return {
    [name]: entries.slice(start, end),
    IsTruncated: isTruncated,
    Marker: isTruncated ? Buffer.from(`from:${end}`).toString('base64') : undefined,
  };
};

const readMarker = (marker: string | undefined): number => {
  if (marker === undefined) return 0;
  const start = /^from:(\d+)$/.exec(Buffer.from(marker, 'base64').toString())?.[1];
  if (start === undefined) throw validationError('Invalid Marker.');
  return Number(start);
};
