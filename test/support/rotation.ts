import fs from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'vitest';
import { connect } from '../../src/aws/client.ts';
import { resolveConnection } from '../../src/aws/connection.ts';
import { run as runCommandLine } from '../../src/cli/run.ts';
import { findProblems, readProfile } from '../../src/ini/read.ts';
import { readJournals } from '../../src/rotation/journal.ts';
import { type LocalAws, startLocalAws } from '../local-aws/server.ts';
import type { DeviceHandle, KeyPair, UserHandle } from '../local-aws/world.ts';
import { type TestStore, type TestStoreName, putKey, testStores } from './key-store.ts';
import { type Home, makeHome } from './program.ts';

/** A user with one key in several profiles, an AWS of their own, and a clock that both share. */
export type Scene = {
  readonly aws: LocalAws;
  readonly home: Home;
  readonly user: UserHandle;
  readonly phone: DeviceHandle;
  readonly clock: Clock;
  /** The key store, where the key is there and in no file. */
  readonly store: TestStore | undefined;
  /** The two files as they were. */
  readonly before: { readonly credentials: string; readonly config: string };
  readonly remove: () => Promise<void>;
};

/** A clock that runs with the real one, and ahead of it as soon as somebody sleeps by it. */
export type Clock = {
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** How many milliseconds were slept. */
  readonly slept: () => number;
};

export const newClock = (): Clock => {
  let ahead = 0;
  return {
    now: () => Date.now() + ahead,
    sleep: async (milliseconds) => {
      ahead += milliseconds;
      await setImmediate();
    },
    slept: () => ahead,
  };
};

/** Every oddity that an edit has to leave alone, around the profiles that hold the key. */
const credentialsText = ({ accessKeyId, secretAccessKey }: KeyPair, serialNumber: string): string =>
  `# written by hand\r\n[default]\r\naws_access_key_id = ${accessKeyId}\r\naws_secret_access_key=${secretAccessKey}\r\nmfa_serial = ${serialNumber}\r\nusername = jane\r\n\r\n` +
  `; another one\n[other]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\nunknown = kept \n\n` +
  `[long.term@x]   # the same key\naws_secret_access_key   =  ${secretAccessKey}\naws_access_key_id=${accessKeyId}\n# no last line end`;

const configText = ({ accessKeyId, secretAccessKey }: KeyPair): string =>
  `[default]\nregion = eu-west-1\n[profile in-config]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n[profile role]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = default\n`;

/** Where the key of a scene is. */
export const keyPlaces = ['file', 'pass', 'system'] as const;
export type Place = (typeof keyPlaces)[number];

/** A new scene; with a store that is `empty` the key is in the files still. */
export const newScene = async (place: Place = 'file', empty = false): Promise<Scene> => {
  const clock = newClock();
  const aws = await startLocalAws({ now: clock.now });
  const user = aws.createUser();
  const phone = aws.addMfaDevice(user);
  const home = makeHome(aws.url);
  const before = { credentials: credentialsText(user, phone.serialNumber), config: configText(user) };
  fs.writeFileSync(home.credentials, before.credentials, { mode: 0o600 });
  fs.writeFileSync(home.config, before.config, { mode: 0o600 });
  const scene = {
    aws,
    home,
    user,
    phone,
    clock,
    store: undefined,
    before,
    remove: async () => {
      await aws.close();
      home.remove();
    },
  };
  return place === 'file' ? scene : inStore(scene, place, empty);
};

/** What our own command makes of the files, and for whom. */
type Moved = Scene['before'] & { readonly user: UserHandle; readonly phone: DeviceHandle };
const moved = new Map<TestStoreName, Moved>();

/** The same with the key in a store: by our own command the first time, and then as that has left it. */
const inStore = async (scene: Scene, place: TestStoreName, empty: boolean): Promise<Scene> => {
  const { home, user, phone } = scene;
  const store = testStores[place](home);
  Object.assign(home.env, store.env);
  const known = moved.get(place);
  if (!empty && known === undefined) moved.set(place, await moveKey(scene, place));
  if (!empty && known !== undefined) {
    const own = (text: string): string =>
      withPair(text, known.user, user).replaceAll(known.phone.serialNumber, phone.serialNumber);
    fs.writeFileSync(home.credentials, own(known.credentials), 'latin1');
    fs.writeFileSync(home.config, own(known.config), 'latin1');
    await putKey(home, place, user);
  }
  const before = readBoth(home);
  const remove = async (): Promise<void> => {
    store.end();
    await scene.remove();
  };
  return { ...scene, store, before, remove };
};

const moveKey = async (scene: Scene, place: TestStoreName): Promise<Moved> => {
  const { aws, home, user, phone } = scene;
  const { exitCode, stderr } = await runHere(scene, ['init', 'default', '--key-store', place, '--yes']);
  if (exitCode !== 0) throw new Error(stderr);
  aws.forgetCalls();
  return { ...readBoth(home), user, phone };
};

const readBoth = ({ credentials, config }: Home): Scene['before'] => ({
  credentials: fs.readFileSync(credentials, 'latin1'),
  config: fs.readFileSync(config, 'latin1'),
});

export type Outcome = {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
};

/** Runs a command line in this process, by the scene's clock. Raises what the program did not expect. */
export const runHere = async ({ home, clock }: Scene, args: readonly string[]): Promise<Outcome> => {
  const texts = { stdout: '', stderr: '' };
  const context = {
    env: home.env,
    now: clock.now,
    sleep: clock.sleep,
    log: (line: string) => void (texts.stderr += `${line}\n`),
    print: (text: string) => void (texts.stdout += text),
  };
  const code = await runCommandLine(args, context);
  if (texts.stderr.includes('unexpected error')) throw new Error(texts.stderr);
  return { exitCode: code, ...texts };
};

/** The pair that a profile of the credentials file holds, there or in the store that it names. */
export const pairIn = ({ home, store }: Scene, profileName = 'default'): KeyPair => {
  const keys = readProfile(fs.readFileSync(home.credentials), 'credentials', profileName)?.settings;
  const placed = keys?.get('aws_iam_login_access_key_id');
  if (store !== undefined && placed !== undefined && !keys?.has('aws_access_key_id'))
    return { accessKeyId: placed, secretAccessKey: secretIn(store, placed) };
  return {
    accessKeyId: keys?.get('aws_access_key_id') ?? '',
    secretAccessKey: keys?.get('aws_secret_access_key') ?? '',
  };
};

// '' for an item that a kill has torn
const secretIn = (store: TestStore, accessKeyId: string): string =>
  /"SecretAccessKey":"([^"]+)"/.exec(store.show(accessKeyId) ?? '')?.[1] ?? '';

/** At rest the store holds this key and no other, and no file holds a secret. */
const expectOneStored = (scene: Scene, { accessKeyId }: KeyPair): void => {
  const { store, home } = scene;
  if (store === undefined) return;
  expect(store.names()).toEqual([accessKeyId]);
  expect(fs.readdirSync(join(home.state, 'key-stores'))).toEqual([accessKeyId]);
  expectNoSecretInFiles(scene, store);
};

const expectNoSecretInFiles = ({ home, user }: Scene, store: TestStore): void => {
  const secrets = [user.secretAccessKey, ...store.names().map((id) => secretIn(store, id))];
  expect(
    filesWith(
      home.folder,
      secrets.filter((secret) => secret !== ''),
    ),
  ).toEqual([]);
};

/** The files below a folder that hold one of these texts. */
export const filesWith = (folder: string, texts: readonly string[]): string[] =>
  fs.readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile()) return [];
    const bytes = fs.readFileSync(path);
    return texts.some((text) => bytes.includes(text)) ? [path] : [];
  });

/** What is in the folder of the journals, temporary files too. */
export const journalFiles = ({ home }: Scene): string[] => {
  const folder = join(home.state, 'rotations');
  return fs.existsSync(folder) ? fs.readdirSync(folder) : [];
};

/** Whether AWS accepts the pair. */
export const works = async ({ aws }: Scene, credentials: KeyPair): Promise<boolean> => {
  const profile = { name: 'default', settings: new Map<string, string>(), configBytes: undefined };
  const env = { AWS_ENDPOINT_URL: aws.url };
  const connection = resolveConnection(profile, env);
  return connect({ credentials, region: 'us-east-1', connection }, { env, log: () => {} })
    .getCallerIdentity()
    .then(
      () => true,
      () => false,
    );
};

/** A minute after a fault: the files are whole, and a key in them or in the journal works. */
export const expectNoLockOut = async (scene: Scene): Promise<void> => {
  await scene.clock.sleep(61_000);
  const { credentials, config } = scene.home;
  expect([credentials, config].map((path) => findProblems(fs.readFileSync(path)))).toEqual([[], []]);
  const { store } = scene;
  if (store !== undefined) expectNoSecretInFiles(scene, store);
  const kept = (accessKeyId: string, secret: string): KeyPair => ({
    accessKeyId,
    secretAccessKey: store === undefined || accessKeyId === '' ? secret : secretIn(store, accessKeyId),
  });
  const journals = readJournals(scene.home.state).flatMap(({ old, newId = '', newSecret = '' }) => [
    kept(old.accessKeyId, old.secretAccessKey),
    kept(newId, newSecret),
  ]);
  const pairs = [pairIn(scene), ...journals].filter(({ secretAccessKey }) => secretAccessKey !== '');
  const answers = await Promise.all(pairs.map((pair) => works(scene, pair)));
  expect(answers).toContain(true);
};

/** Whether a rotation is over or has not begun: one key, active and in every profile, all else as it was, no journal. */
export const isAtRest = (scene: Scene): boolean => {
  const { aws, user, home, before } = scene;
  const pair = pairIn(scene);
  const [key, ...more] = aws.keys(user);
  return (
    key?.accessKeyId === pair.accessKeyId &&
    key.status === 'Active' &&
    more.length === 0 &&
    withoutSession(fs.readFileSync(home.credentials, 'latin1')) ===
      withPair(before.credentials, user, pair) &&
    fs.readFileSync(home.config, 'latin1') === withPair(before.config, user, pair) &&
    journalFiles(scene).length === 0 &&
    (scene.store === undefined || scene.store.names().length === 1)
  );
};

/** The same as an assertion that says what is wrong; the key works, too. */
export const expectAtRest = async (scene: Scene): Promise<void> => {
  const { aws, user, home, before } = scene;
  const pair = pairIn(scene);
  expect(aws.keys(user)).toEqual([{ accessKeyId: pair.accessKeyId, status: 'Active' }]);
  expect(withoutSession(fs.readFileSync(home.credentials, 'latin1'))).toBe(
    withPair(before.credentials, user, pair),
  );
  expect(fs.readFileSync(home.config, 'latin1')).toBe(withPair(before.config, user, pair));
  expect(journalFiles(scene)).toEqual([]);
  expectOneStored(scene, pair);
  await scene.clock.sleep(61_000);
  expect(await works(scene, pair)).toBe(true);
};

export const ways = ['rotate', 'abort'] as const;
export type Way = (typeof ways)[number];

/** What a user does a minute after something went wrong: the same command again, or `--abort`. */
export const recover = async (scene: Scene, way: Way): Promise<Outcome> => {
  const options = way === 'abort' ? ['--abort'] : [];
  return runHere(scene, ['rotate', 'default', '--yes', '--token-code', scene.phone.code(), ...options]);
};

/**
 * What has to hold after any fault: nobody is locked out, and either way leads to rest. Where all is at rest already
 * only some are tried again.
 */
export const expectRecovery = async (scene: Scene, way: Way, always = true): Promise<void> => {
  await expectNoLockOut(scene);
  if (!always && isAtRest(scene)) return;
  const outcome = await recover(scene, way);
  if (!isAtRest(scene)) expect(outcome).toBe('a way on');
  await expectAtRest(scene);
};

const withPair = (text: string, old: KeyPair, pair: KeyPair): string =>
  text.replaceAll(old.accessKeyId, pair.accessKeyId).replaceAll(old.secretAccessKey, pair.secretAccessKey);

// What a login adds stands at the end of the file.
const withoutSession = (text: string): string => text.replace(/\r?\n(\r?\n)?\[default-sts\][^[]*$/, '');

/** Does the work for every item, some at the same time. */
export const inParallel = async <Item>(
  items: readonly Item[],
  lanes: number,
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> => {
  const left = items.map((item, index) => ({ item, index }));
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next.item, next.index);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
};

/** Before AWS acts on the call at this place of a rotation, or after. */
export type Moment = { readonly index: number; readonly after: boolean };

/** Before one call, after the next one, and so on; or the others. */
export const everyOther = <Item extends Moment>(moments: readonly Item[], first = 0): Item[] =>
  moments.filter(({ index, after }) => (index + Number(after) + first) % 2 === 0);

/** So many items, each from the middle of an equal part; all where there are no more. */
export const spread = <Item>(items: readonly Item[], count: number): Item[] =>
  count >= items.length
    ? [...items]
    : items.filter(
        (_, index) =>
          Math.round((index * count) / items.length) !== Math.round(((index + 1) * count) / items.length),
      );
