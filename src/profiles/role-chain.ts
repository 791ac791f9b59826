import { partitionOf } from '../aws/arns.ts';
import { partitionOfRegion } from '../aws/regions.ts';
import { UserError, isUserError } from '../errors.ts';
import { nearestOf } from '../nearest.ts';
import { shellWord } from '../text.ts';
import { foreignOf } from './foreign.ts';
import { findUserProfile, holdsLongTermKey, knownNames } from './profile.ts';
import type { Profile, SharedFiles } from './profile.ts';
import { isRole, longestRole, mostRoles, roleLimits, roleLink, textOf } from './role.ts';

/** One role on the way from a user to the role that is wanted, as its profile describes it. */
export type Role = {
  readonly profile: Profile;
  readonly roleArn: string;
  /** The profile whose session assumes it, without `-sts`. */
  readonly sourceName: string;
  readonly externalId: string | undefined;
  /** Undefined for the user's name. */
  readonly sessionName: string | undefined;
  /** Seconds, as wished; undefined for what AWS gives. */
  readonly durationSeconds: number | undefined;
};

/** How a role is reached: the profile that holds the long-term key, and the roles in the order they are assumed. */
export type RoleChain = { readonly user: Profile; readonly roles: readonly Role[] };

/**
 * Follows a role profile to the user whose session it is assumed with, without a look at AWS. Raises UserError that
 * says in one sentence what is wrong on the way.
 */
export const resolveRoleChain = (profile: Profile, shared: SharedFiles): RoleChain => {
  const roles: Role[] = [];
  for (let current = profile; ;) {
    const role = readRole(current, shared);
    roles.unshift(role);
    const source = findSource(role, shared);
    if (holdsLongTermKey(source)) return checkedPartition({ user: source, roles });
    const names = [...roles.map((each) => each.profile.name).toReversed(), source.name];
    if (names.indexOf(source.name) < names.length - 1) throw loopError(names);
    if (roles.length === mostRoles) throw tooLong(profile);
    if (!isRole(source)) return checkedPartition({ user: userSource(source, role, profile), roles });
    current = source;
  }
};

/** Whether `resolveRoleChain` finds nothing wrong with a role. */
export const isReachable = (profile: Profile, shared: SharedFiles): boolean => {
  try {
    return resolveRoleChain(profile, shared).roles.length > 0;
  } catch (error) {
    if (isUserError(error)) return false;
    throw error;
  }
};

/** The user profile that a profile stands for: itself, or the one at the end of a role's chain. Raises UserError. */
export const userProfileOf = (profile: Profile, shared: SharedFiles): Profile =>
  isRole(profile) ? resolveRoleChain(profile, shared).user : profile;

const nameOf = (profile: Profile): string => `profile ${shellWord(profile.name)}`;

const readRole = (profile: Profile, shared: SharedFiles): Role => {
  const where = nameOf(profile);
  const roleArn = checkedRoleArn(profile);
  const link = roleLink(profile, shared);
  if (link === undefined) throw noSource(profile);
  return {
    profile,
    roleArn,
    sourceName: link.sourceName,
    externalId: matching(profile, 'external_id', /^[\w+=,.@:/-]{2,1224}$/, `${where} has`),
    sessionName: matching(profile, 'role_session_name', /^[\w+=,.@-]{2,64}$/, `${where} has`),
    durationSeconds: durationOf(profile),
  };
};

const checkedRoleArn = (profile: Profile): string => {
  const roleArn = profile.settings.get('role_arn') ?? '';
  if (/^arn:aws[a-z-]*:iam::\d{12}:role\/(?:[!-~]+\/)?[\w+=,.@-]{1,64}$/.test(roleArn)) return roleArn;
  throw new UserError(`role_arn of ${nameOf(profile)} is no ARN of a role: ${shellWord(roleArn)}`, {
    hint: 'it looks like arn:aws:iam::111122223333:role/name',
  });
};

const matching = (profile: Profile, key: string, pattern: RegExp, where: string): string | undefined => {
  const value = textOf(profile, key);
  if (value === undefined || pattern.test(value)) return value;
  throw new UserError(`${where} a ${key} that AWS does not take: ${shellWord(value)}`, {
    hint: `${key} is letters, digits and =,.@-${key === 'external_id' ? ':/, 2 to 1224' : ', 2 to 64'} characters`,
  });
};

const durationOf = (profile: Profile): number | undefined => {
  const value = textOf(profile, 'duration_seconds');
  if (value === undefined) return undefined;
  const { shortest, longest } = roleLimits;
  if (/^\d{3,6}$/.test(value) && Number(value) >= shortest && Number(value) <= longest) return Number(value);
  throw new UserError(
    `duration_seconds of ${nameOf(profile)} must be ${shortest} to ${longest}: ${shellWord(value)}`,
    { hint: `a role that is assumed with a session lives for ${longestRole} s at most` },
  );
};

const noSource = (profile: Profile): UserError => {
  const where = nameOf(profile);
  const hint = `run: aws --profile ${shellWord(profile.name)} …`;
  const origin = textOf(profile, 'credential_source');
  if (origin !== undefined) {
    return new UserError(
      `${where} is a role of this machine (credential_source = ${shellWord(origin)}), which needs no MFA session`,
      { hint },
    );
  }
  if (textOf(profile, 'web_identity_token_file') !== undefined) {
    return new UserError(`${where} is a role for a web identity token, which needs no MFA session`, { hint });
  }
  return new UserError(`${where} is a role without a source_profile`, {
    hint: `add source_profile, the name of the profile with the access key, in ${profile.files.config}`,
  });
};

const findSource = ({ profile, sourceName }: Role, shared: SharedFiles): Profile => {
  const source = findUserProfile(sourceName, shared);
  if (source !== undefined) return source;
  const nearest = nearestOf(sourceName, knownNames(shared));
  const { credentials, config } = profile.files;
  throw new UserError(
    `source_profile ${shellWord(sourceName)} of ${nameOf(profile)} is neither in ${credentials} nor in ${config}`,
    {
      hint:
        nearest === undefined
          ? 'source_profile is the name of the profile with the access key'
          : `did you mean ${shellWord(nearest)}?`,
    },
  );
};

const loopError = (names: readonly string[]): UserError => {
  const first = names.indexOf(names.at(-1) ?? '');
  return new UserError(
    `the source profiles go round in a loop: ${names.slice(first).map(shellWord).join(' → ')}`,
    { hint: 'let source_profile of one of them name the profile with the access key' },
  );
};

const tooLong = (profile: Profile): UserError =>
  new UserError(`the source profiles of ${nameOf(profile)} go on for more than ${mostRoles} roles`, {
    hint: 'let source_profile name the profile with the access key',
  });

/** A source that is no role and holds no key itself. Raises UserError where no key for what is `wanted` can come from it. */
const userSource = (source: Profile, role: Role, wanted: Profile): Profile => {
  const where = `source_profile ${shellWord(source.name)} of ${nameOf(role.profile)}`;
  const name = shellWord(source.name);
  const foreign = foreignOf(source);
  if (foreign !== undefined) return fail(`${where} is ${foreign.is}`, foreign.hint(shellWord(wanted.name)));
  if (textOf(source, 'aws_access_key_id') !== undefined) {
    return fail(
      `${where} holds a session of another program, which cannot be renewed from here`,
      'let source_profile name the profile with the access key',
    );
  }
  if (textOf(source, 'credential_process') !== undefined) return source;
  return fail(
    `${where} has no access key`,
    `let source_profile name the profile with the access key, or add the key to ${name}`,
  );
};

const fail = (message: string, hint: string): never => {
  throw new UserError(message, { hint });
};

// AWS has no session that is good in two partitions.
const checkedPartition = (chain: RoleChain): RoleChain => {
  const { user, roles } = chain;
  const region = textOf(user, 'region');
  const own =
    partitionOf(textOf(user, 'mfa_serial') ?? '') ??
    (region === undefined ? undefined : partitionOfRegion(region));
  const partition = own ?? partitionOf(roles[0]?.roleArn ?? '');
  const other = roles.find(({ roleArn }) => partitionOf(roleArn) !== partition);
  if (other === undefined) return chain;
  throw new UserError(
    `the role of ${nameOf(other.profile)} is of partition ${partitionOf(other.roleArn)}, and ${own === undefined ? `that of ${nameOf(roles[0]?.profile ?? user)}` : `the user of ${nameOf(user)}`} of ${partition}: no session reaches from one into the other`,
    { hint: `let source_profile name a profile of partition ${partitionOf(other.roleArn)}` },
  );
};
