import { holdsLongTermKey } from './profile.ts';
import type { Profile } from './profile.ts';
import { isRole } from './role.ts';

/** What a profile is for: a user's key, a role, a session, SSO, or something else, such as another program's key. */
export type ProfileKind = 'user' | 'role' | 'session' | 'SSO' | 'other';

/** The kind of a profile by its settings. The launcher has the same rules (`kind_of`). */
export const kindOf = (profile: Profile): ProfileKind => {
  const { name, settings } = profile;
  if (isRole(profile)) return 'role';
  for (const setting of settings.keys()) if (setting.startsWith('sso_')) return 'SSO';
  if (settings.get('aws_access_key_id')) return holdsLongTermKey(profile) ? 'user' : 'session';
  if (/.-sts$/s.test(name) && !settings.has('credential_process')) return 'session';
  return settings.get('mfa_serial') ? 'user' : 'other';
};
