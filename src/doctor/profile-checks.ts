import { accountOfArn } from '../aws/arns.ts';
import { isUserError } from '../errors.ts';
import { checkKeySource } from '../profiles/access-key.ts';
import { foreignOf } from '../profiles/foreign.ts';
import {
  accountOfKeyId,
  findUserProfile,
  getProfile,
  holdsLongTermKey,
  keyIdOf,
} from '../profiles/profile.ts';
import type { Profile } from '../profiles/profile.ts';
import { resolveRoleChain } from '../profiles/role-chain.ts';
import { isRole, mostRoles, roleLink, sessionOwner } from '../profiles/role.ts';
import { validSerialNumber } from '../profiles/serial-number.ts';
import { checkSessionProfile } from '../sessions/stored-session.ts';
import { listed, shellWord } from '../text.ts';
import { atMost, attempt, commandOf, ours, problem, toldPath, warning } from './check.ts';
import type { Check, Finding, Scene } from './check.ts';

/** The checks of the profile that was asked for, of its user, and of all roles. */
export const profileChecks: readonly Check[] = [
  { name: 'profile', ok: describeProfile, look: findProfileProblem },
  {
    name: 'access-key',
    ok: ({ user }) => `profile ${shellWord(user?.name ?? '')} has an access key`,
    look: ({ user }) => {
      if (user === undefined || foreignOf(user) !== undefined) return undefined;
      return attempt(() => checkKeySource(user), 'aws configure');
    },
  },
  { name: 'mfa-device', ok: ({ user }) => `MFA device ${deviceOf(user)}`, look: findDevice },
  {
    name: 'session-profile',
    ok: ({ user }) => `[${shellWord(sessionName(user))}] is free for the session`,
    look: ({ user, shared }) =>
      user === undefined || foreignOf(user) !== undefined
        ? undefined
        : attempt(() => checkSessionProfile(sessionOwner(user), shared)),
  },
  {
    name: 'region',
    ok: ({ profile }) => `region ${shellWord(profile?.settings.get('region') ?? '')}`,
    look: ({ profile, name }) =>
      profile === undefined
        ? undefined
        : profile.settings.get('region')
          ? []
          : [
              warning(
                `profile ${shellWord(name)} has no region: AWS tools ask for one`,
                `aws configure set region eu-west-1 --profile ${shellWord(name)}`,
              ),
            ],
  },
  {
    name: 'roles',
    ok: ({ profiles }) => {
      const count = rolesIn(profiles).length;
      return `${count} role ${count === 1 ? 'profile leads' : 'profiles lead'} to a user`;
    },
    look: findBrokenRoles,
  },
  { name: 'role-codes', ok: 'no role profile makes other tools ask for a code', look: findAskingRoles },
];

const deviceOf = (user: Profile | undefined): string => shellWord(user?.settings.get('mfa_serial') ?? '');

const sessionName = (user: Profile | undefined): string =>
  user === undefined ? '' : `${sessionOwner(user)}-sts`;

function describeProfile({ name, profile, user }: Scene): string {
  const word = shellWord(name);
  const foreign = profile && foreignOf(profile);
  if (foreign !== undefined) return `profile ${word} is ${foreign.is}`;
  if (user === undefined) return `profile ${word} is there`;
  return user.name === name
    ? `profile ${word} is a user`
    : `profile ${word} is a role of user ${shellWord(user.name)}`;
}

function findProfileProblem({ name, shared, profiles }: Scene): Finding[] {
  // that there is none at all is told by another check
  return profiles.size === 0 ? [] : attempt(() => void getProfile(name, shared), 'aws configure');
}

function findDevice({ user }: Scene): Finding[] | undefined {
  if (user === undefined || foreignOf(user) !== undefined || isPlainProcess(user)) return undefined;
  const serialNumber = user.settings.get('mfa_serial');
  if (!serialNumber)
    return [warning(`profile ${shellWord(user.name)} names no MFA device`, ours('init', user.name))];
  const refused = attempt(() => {
    validSerialNumber(serialNumber, { given: false, profileName: user.name });
  });
  if (refused.length > 0) return refused;
  const device = accountOfArn(serialNumber);
  const key = accountOfKeyId(keyIdOf(user) ?? '');
  return device === undefined || key === undefined || device === key
    ? []
    : [
        problem(
          `mfa_serial of profile ${shellWord(user.name)} is of account ${device}, and its access key of ${key}`,
          ours('init', user.name, '--force'),
        ),
      ];
}

const isPlainProcess = (user: Profile): boolean =>
  !holdsLongTermKey(user) && Boolean(user.settings.get('credential_process'));

const rolesIn = (profiles: Scene['profiles']): Profile[] =>
  [...profiles.values()].filter(
    (profile) => isRole(profile) && Boolean(profile.settings.get('source_profile')),
  );

function findBrokenRoles(scene: Scene): Finding[] | undefined {
  const roles = rolesIn(scene.profiles);
  if (roles.length === 0) return undefined;
  const found = roles.flatMap((role): Finding[] => {
    try {
      resolveRoleChain(role, scene.shared);
      return [];
    } catch (error) {
      if (!isUserError(error)) throw error;
      const mend = commandOf(error.hint) ?? `edit ${toldPath(scene.shared.files.config, scene)}`;
      return endsElsewhere(role, scene) ? [] : [problem(error.message, mend)];
    }
  });
  return atMost([...new Map(found.map((each) => [each.text, each])).values()]);
}

// Roles of SSO and of other programs' profiles are no business of ours.
const endsElsewhere = (role: Profile, { shared }: Scene): boolean => {
  let current: Profile | undefined = role;
  for (let steps = 0; steps < mostRoles; steps += 1) {
    const link: ReturnType<typeof roleLink> = current && roleLink(current, shared);
    const source: Profile | undefined = link && findUserProfile(link.sourceName, shared);
    if (source === undefined)
      return current !== undefined && Boolean(current.settings.get('credential_source'));
    if (foreignOf(source) !== undefined || isPlainProcess(source)) return true;
    current = source;
  }
  return false;
};

function findAskingRoles({ profiles, shared }: Scene): Finding[] | undefined {
  const roles = rolesIn(profiles);
  if (roles.length === 0) return undefined;
  const byUser = new Map<string, string[]>();
  for (const role of roles.filter(({ settings }) => settings.get('mfa_serial'))) {
    const source = roleLink(role, shared)?.sourceName ?? '';
    const user = findUserProfile(source, shared);
    if (user === undefined || isRole(user) || foreignOf(user) !== undefined) continue;
    byUser.set(user.name, [...(byUser.get(user.name) ?? []), role.name]);
  }
  return atMost(
    [...byUser].map(([user, names]) =>
      warning(
        `other AWS tools ask for a code of their own for ${listed(names, 4)}`,
        ours('init', user, '--roles'),
      ),
    ),
  );
}
