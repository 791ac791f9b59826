import { bringLinesBack, profilesWithAsides, setLinesAside } from '../ini/aside.ts';
import type { Aside, AsideEdit } from '../ini/aside.ts';
import { readProfiles } from '../ini/read-all.ts';
import { sessionProfileName } from './profile.ts';
import type { Profile, SharedFiles } from './profile.ts';
import { longestRole, resolveSource, sessionOwner } from './role.ts';

/** How the config file changes so that every AWS tool assumes the roles of a user with the stored session. */
export type RoleEdit = AsideEdit & {
  /** The roles whose `duration_seconds` AWS would not grant to a session. */
  readonly cut: readonly string[];
};

/**
 * The config file with the role profiles whose source is this user and which name an `mfa_serial` pointed at the user's
 * session; where the user loses its key also those which need that key. Raises UserError for a file that botocore rejects.
 */
export const pointRoles = (user: Profile, shared: SharedFiles, losesKey = false): RoleEdit => {
  const asides = new Map<string, Map<string, string | undefined>>();
  const shadowed = new Map<string, string>();
  for (const { name, config, credentials } of rolesOf(user, shared)) {
    const needsKey = (credentials?.get('source_profile') || config.get('source_profile')) === user.name;
    if (!config.get('mfa_serial') && !(losesKey && needsKey)) continue;
    const shadow = ['source_profile', 'mfa_serial'].find((key) => credentials?.get(key));
    if (shadow !== undefined) {
      shadowed.set(name, `${shadow} of ${name} in the credentials file wins over the config file`);
      continue;
    }
    const aside = new Map<string, string | undefined>();
    if (config.get('mfa_serial')) aside.set('mfa_serial', undefined);
    if (config.get('source_profile') === user.name)
      aside.set('source_profile', sessionProfileName(sessionOwner(user)));
    if (Number.parseInt(config.get('duration_seconds') ?? '', 10) > longestRole)
      aside.set('duration_seconds', undefined);
    asides.set(name, aside);
  }
  const edit = setLinesAside(bytesOf(shared), 'config', asides);
  const changed = new Set(edit.changes.map(({ profile }) => profile));
  return {
    ...edit,
    left: new Map([...shadowed, ...edit.left]),
    cut: [...changed].filter((name) => asides.get(name)?.has('duration_seconds')),
  };
};

/** The config file with the lines brought back that `pointRoles` has changed in roles of this user. Raises UserError. */
export const bringRolesBack = (user: Profile, shared: SharedFiles): RoleEdit => {
  const own = new Set(rolesOf(user, shared).map(({ name }) => name));
  const aside: Aside = new Map([
    ['source_profile', sessionProfileName(sessionOwner(user))],
    ['mfa_serial', undefined],
    ['duration_seconds', undefined],
  ]);
  const marked = profilesWithAsides(bytesOf(shared), 'config').filter((name) => own.has(name));
  const asides = new Map(marked.map((name): [string, Aside] => [name, aside]));
  return { ...bringLinesBack(bytesOf(shared), 'config', asides), cut: [] };
};

const bytesOf = ({ configBytes }: SharedFiles): Buffer => configBytes ?? Buffer.alloc(0);

/** The roles of the config file that are assumed with this user's session, with their settings in each file. */
const rolesOf = (user: Profile, shared: SharedFiles) => {
  const config = readProfiles(bytesOf(shared), 'config');
  const credentials = readProfiles(shared.credentialsBytes ?? Buffer.alloc(0), 'credentials');
  // files may have thousands of roles with a few sources
  const known = new Map<string, string>();
  const resolved = (source: string): string => {
    const name = known.get(source) ?? resolveSource(source, shared);
    known.set(source, name);
    return name;
  };
  return config.names.flatMap((name) => {
    const inConfig = config.settingsOf(name);
    const inCredentials = credentials.settingsOf(name);
    const get = (key: string): string => inCredentials?.get(key) || inConfig?.get(key) || '';
    const isRole = get('role_arn') !== '' && get('credential_source') === '';
    const isOfUser = isRole && get('source_profile') !== '' && resolved(get('source_profile')) === user.name;
    return inConfig !== undefined && isOfUser ? [{ name, config: inConfig, credentials: inCredentials }] : [];
  });
};
