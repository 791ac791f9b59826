import { faultKinds } from './faults.ts';
import { type Reply, plain } from './reply.ts';
import type { WireRequest } from './signature.ts';
import type { Lag, Propagation } from './state.ts';
import type { World } from './world.ts';

type Arguments = Readonly<Record<string, unknown>>;

/**
 * Answers `/_local/NAME`: the functions of `World` over HTTP, with named arguments from the query and from a JSON
 * body. Text and numbers come back as plain text, everything else as JSON; 400 and a sentence where it fails.
 */
export const answerControl = async (world: World, request: WireRequest): Promise<Reply> => {
  const name = request.path.slice('/_local/'.length);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined)
    return plain(404, `no such command; there are ${Object.keys(commands).join(', ')}\n`);
  try {
    const result = await command(world, readArguments(request));
    if (typeof result === 'string' || typeof result === 'number') {
      return plain(200, `${result}\n`, { 'Content-Type': 'text/plain' });
    }
    return plain(200, result === undefined ? '' : `${JSON.stringify(result)}\n`, {
      'Content-Type': 'application/json',
    });
  } catch (error) {
    return plain(400, `${error instanceof Error ? error.message : String(error)}\n`);
  }
};

const commands: Readonly<Record<string, (world: World, given: Arguments) => unknown>> = {
  reset: (world) => {
    world.reset();
  },
  calls: (world) => world.calls,
  count: (world, given) => world.count(optionalText(given, 'action')),
  forgetCalls: (world) => {
    world.forgetCalls();
  },
  untilCalled: (world, given) => world.untilCalled(text(given, 'action'), number(given, 'times')),
  createUser: (world, given) =>
    world.createUser({
      name: optionalText(given, 'name'),
      path: optionalText(given, 'path'),
      account: optionalText(given, 'account'),
      partition: optionalText(given, 'partition'),
      admin: flag(given, 'admin'),
      accessKeyId: optionalText(given, 'accessKeyId'),
      secretAccessKey: optionalText(given, 'secretAccessKey'),
    }),
  createRootKey: (world, given) =>
    world.createRootKey(optionalText(given, 'account'), optionalText(given, 'partition')),
  deleteUser: (world, given) => {
    world.deleteUser(text(given, 'user'));
  },
  addAccessKey: (world, given) =>
    world.addAccessKey(text(given, 'user'), {
      accessKeyId: optionalText(given, 'accessKeyId'),
      secretAccessKey: optionalText(given, 'secretAccessKey'),
    }),
  setKeyStatus: (world, given) => {
    world.setKeyStatus(text(given, 'accessKeyId'), oneOf(given, 'status', ['Active', 'Inactive', 'Deleted']));
  },
  keys: (world, given) => world.keys(text(given, 'user')),
  /** A section for the credentials file. */
  profile: (world, given) => {
    const { accessKeyId, secretAccessKey } = world.activeKey(text(given, 'user'));
    const name = optionalText(given, 'profile') ?? 'default';
    return `[${name}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}`;
  },
  addMfaDevice: (world, given) => {
    const device = world.addMfaDevice(text(given, 'user'), {
      name: optionalText(given, 'name'),
      serialNumber: optionalText(given, 'serialNumber'),
      kind: given['kind'] === undefined ? undefined : oneOf(given, 'kind', deviceKinds),
      seed: optionalText(given, 'seed'),
    });
    return { serialNumber: device.serialNumber, seed: device.seed };
  },
  removeMfaDevice: (world, given) => {
    world.removeMfaDevice(text(given, 'serialNumber'));
  },
  code: (world, given) => findDevice(world, given).code(),
  codeAt: (world, given) => findDevice(world, given).codeAt(number(given, 'steps') ?? 0),
  wrongCode: (world, given) => findDevice(world, given).wrongCode(),
  skipToNextStep: (world, given) => {
    findDevice(world, given).skipToNextStep();
  },
  denyWithoutMfa: (world, given) => {
    world.denyWithoutMfa(text(given, 'user'), list(given, 'except'));
  },
  deny: (world, given) => {
    world.deny(text(given, 'user'), text(given, 'action'));
  },
  allow: (world, given) => {
    world.allow(text(given, 'user'));
  },
  createRole: (world, given) =>
    world.createRole({
      name: text(given, 'name'),
      path: optionalText(given, 'path'),
      account: optionalText(given, 'account'),
      partition: optionalText(given, 'partition'),
      trusts: list(given, 'trusts'),
      requireMfa: flag(given, 'requireMfa'),
      externalId: optionalText(given, 'externalId'),
      maxSessionDuration: number(given, 'maxSessionDuration'),
      allow: list(given, 'allow'),
    }),
  deleteRole: (world, given) => {
    world.deleteRole(text(given, 'arn'));
  },
  mintSession: (world, given) => world.mintSession(text(given, 'user'), sessionOptions(given)),
  mintRoleSession: (world, given) =>
    world.mintRoleSession(text(given, 'arn'), optionalText(given, 'name'), sessionOptions(given)),
  mintFederatedSession: (world, given) =>
    world.mintFederatedSession(text(given, 'user'), optionalText(given, 'name'), sessionOptions(given)),
  expireSession: (world, given) => {
    world.expireSession(text(given, 'accessKeyId'));
  },
  fault: (world, given) => {
    const fault = {
      kind: oneOf(given, 'kind', faultKinds),
      after: flag(given, 'after'),
      status: number(given, 'status'),
      code: optionalText(given, 'code'),
      message: optionalText(given, 'message'),
    };
    const often = { times: number(given, 'times'), skip: number(given, 'skip') };
    world.fault(optionalText(given, 'action') ?? '*', fault, often);
  },
  clearFaults: (world) => {
    world.clearFaults();
  },
  heldCount: (world) => world.heldCount(),
  untilHeld: (world, given) => world.untilHeld(number(given, 'times')),
  release: (world) => {
    world.release();
  },
  setClockOffset: (world, given) => {
    world.setClockOffset(number(given, 'seconds') ?? 0);
  },
  now: (world) => world.now(),
  setPropagation: (world, given) => {
    world.setPropagation(propagation(given));
  },
  setRegions: (world, given) => {
    world.setRegions({ sts: list(given, 'sts'), iam: list(given, 'iam') });
  },
  setPageSize: (world, given) => {
    world.setPageSize(number(given, 'entries') ?? 1000);
  },
  setLongestSession: (world, given) => {
    world.setLongestSession({ user: number(given, 'user'), role: number(given, 'role') });
  },
  setSessionTokenBytes: (world, given) => {
    world.setSessionTokenBytes(number(given, 'bytes') ?? 251);
  },
};

const deviceKinds = ['virtual', 'hardware', 'u2f', 'sms-mfa'] as const;

const readArguments = ({ query, body }: WireRequest): Arguments => {
  const json: unknown = body.length === 0 ? {} : JSON.parse(body.toString());
  if (!isObject(json)) throw new Error('the body must be a JSON object');
  return { ...Object.fromEntries(query), ...json };
};

const findDevice = (world: World, given: Arguments) =>
  given['serialNumber'] === undefined
    ? world.deviceOf(text(given, 'user'))
    : world.device(text(given, 'serialNumber'));

const sessionOptions = (given: Arguments) => ({
  seconds: number(given, 'seconds'),
  mfa: flag(given, 'mfa'),
  chained: flag(given, 'chained'),
});

const propagation = (given: Arguments): Propagation => ({
  created: { sts: lag(object(given, 'created'), 'sts'), iam: lag(object(given, 'created'), 'iam') },
  changed: { sts: lag(object(given, 'changed'), 'sts'), iam: lag(object(given, 'changed'), 'iam') },
  listed: lag(given, 'listed'),
});

const lag = (given: Arguments, name: string): Lag | undefined => {
  if (given[name] === undefined) return undefined;
  const { answers, ...rest } = object(given, name);
  if (answers !== undefined && !isListOf(answers, isBoolean)) throw new Error('answers must be booleans');
  return { seconds: number(rest, 'seconds'), answers };
};

const isObject = (value: unknown): value is Arguments =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isString = (value: unknown): value is string => typeof value === 'string';

const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';

const isListOf = <Item>(value: unknown, isItem: (item: unknown) => item is Item): value is Item[] =>
  Array.isArray(value) && value.every((item) => isItem(item));

const text = (given: Arguments, name: string): string => {
  const value = given[name];
  if (!isString(value)) throw new Error(`${name} must be given, as text`);
  return value;
};

const optionalText = (given: Arguments, name: string): string | undefined =>
  given[name] === undefined ? undefined : text(given, name);

const number = (given: Arguments, name: string): number | undefined => {
  const value = given[name];
  if (value === undefined) return undefined;
  const parsed = Number(value);
  if (value === '' || Number.isNaN(parsed)) throw new Error(`${name} must be a number`);
  return parsed;
};

const flag = (given: Arguments, name: string): boolean | undefined => {
  const value = given[name];
  if (value === undefined || isBoolean(value)) return value;
  if (value === 'true' || value === 'false') return value === 'true';
  throw new Error(`${name} must be true or false`);
};

const list = (given: Arguments, name: string): string[] | undefined => {
  const value = given[name];
  if (value === undefined || isListOf(value, isString)) return value;
  return text(given, name).split(',');
};

const object = (given: Arguments, name: string): Arguments => {
  const value = given[name] ?? {};
  if (!isObject(value)) throw new Error(`${name} must be a JSON object`);
  return value;
};

const oneOf = <Choice extends string>(given: Arguments, name: string, choices: readonly Choice[]): Choice => {
  const choice = choices.find((candidate) => candidate === given[name]);
  if (choice === undefined) throw new Error(`${name} must be one of ${choices.join(', ')}`);
  return choice;
};
