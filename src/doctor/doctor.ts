import type { Context } from '../context.ts';
import { isUserError } from '../errors.ts';
import { locateFiles } from '../files/locations.ts';
import { readFileIfAny } from '../files/read.ts';
import { findAllProfiles } from '../profiles/all-profiles.ts';
import { foreignOf } from '../profiles/foreign.ts';
import { findUserProfile, holdsLongTermKey, resolveProfileName } from '../profiles/profile.ts';
import type { Profile, SharedFiles } from '../profiles/profile.ts';
import { userProfileOf } from '../profiles/role-chain.ts';
import { askAws } from './aws-view.ts';
import { attempt, problem } from './check.ts';
import type { Check, Finding, Scene } from './check.ts';
import { fileChecks } from './file-checks.ts';
import { keyChecks } from './key-checks.ts';
import { leftoverChecks } from './leftover-checks.ts';
import { profileChecks } from './profile-checks.ts';
import { shellChecks } from './shell-checks.ts';
import { variableChecks } from './variable-checks.ts';

/** Every check, in the order in which they are told. */
const checks: readonly Check[] = [
  ...fileChecks,
  ...profileChecks,
  ...variableChecks,
  ...keyChecks,
  ...shellChecks,
  ...leftoverChecks,
];

/** One line of the report: a check that found nothing, or one thing that it found. */
export type Line =
  | { readonly check: string; readonly level: 'ok'; readonly text: string }
  | ({ readonly check: string } & Finding);

/** What doctor found, for a profile. */
export type Report = {
  readonly profileName: string;
  readonly lines: readonly Line[];
  /** Whether AWS was asked. */
  readonly askedAws: boolean;
};

export type DoctorOptions = {
  readonly profile: string | undefined;
  /** Days. */
  readonly maxKeyAge: number;
  /** Asks AWS nothing. */
  readonly offline: boolean;
};

/** Looks at everything, and raises nothing for what it finds. */
export const examine = async (
  options: DoctorOptions,
  context: Context,
  installation: { readonly nodeVersion: string; readonly platform: string } = thisInstallation(),
): Promise<Report> => {
  const scene = await readScene(options, context, installation);
  const lines = checks.flatMap((check): Line[] => {
    const found = lookSafely(check, scene);
    if (found === undefined) return [];
    const { name, ok } = check;
    if (found.length > 0) return found.map((finding) => ({ check: name, ...finding }));
    return [{ check: name, level: 'ok', text: typeof ok === 'string' ? ok : ok(scene) }];
  });
  const home = `${(scene.env['HOME'] ?? '').replace(/\/$/, '')}/`;
  const told = (text: string): string => (home === '/' ? text : text.replaceAll(home, '~/'));
  const named = lines.map((line) => ({ ...line, text: told(line.text) }));
  return { profileName: scene.name, lines: named, askedAws: scene.aws !== undefined };
};

const thisInstallation = () => ({ nodeVersion: process.versions.node, platform: process.platform });

// One check that cannot look does not keep the others from it.
const lookSafely = ({ look }: Check, scene: Scene): readonly Finding[] | undefined => {
  let found: readonly Finding[] | undefined;
  const raised = attempt(() => {
    found = look(scene);
  });
  return raised.length > 0 ? raised : found;
};

const readScene = async (
  { profile: named, maxKeyAge, offline }: DoctorOptions,
  context: Context,
  installation: Pick<Scene, 'nodeVersion' | 'platform'>,
): Promise<Scene> => {
  const { env } = context;
  const { shared, unread } = readFiles(context);
  const name = resolveProfileName(named, env, shared);
  const profile = findUserProfile(name, shared);
  const user = profile && userOf(profile, shared);
  const canAsk = user !== undefined && isAsked(user);
  return {
    env,
    now: context.now(),
    ...installation,
    shared,
    unread,
    profiles: findAllProfiles(shared),
    name,
    profile,
    user,
    maxKeyAge,
    aws: offline || !canAsk ? undefined : await askAws(user, shared, context),
  };
};

// Of a program that prints keys nobody knows what it asks before it does.
const isAsked = (user: Profile): boolean =>
  foreignOf(user) === undefined &&
  (holdsLongTermKey(user) ||
    (Boolean(user.settings.get('credential_process')) && Boolean(user.settings.get('mfa_serial'))));

const userOf = (profile: Profile, shared: SharedFiles): Profile | undefined => {
  try {
    return userProfileOf(profile, shared);
  } catch (error) {
    if (isUserError(error)) return undefined;
    throw error;
  }
};

const readFiles = ({ env }: Context): Pick<Scene, 'shared' | 'unread'> => {
  const files = locateFiles(env);
  const unread: Finding[] = [];
  const read = (path: string): Buffer | undefined => {
    try {
      return readFileIfAny(path);
    } catch (error) {
      if (!isUserError(error)) throw error;
      unread.push(problem(error.message, error.hint ?? 'check its permissions'));
      return undefined;
    }
  };
  const [credentialsBytes, configBytes] = [read(files.credentials), read(files.config)];
  return { shared: { files, credentialsBytes, configBytes }, unread };
};
