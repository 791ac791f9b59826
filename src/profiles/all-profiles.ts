import { readProfiles } from '../ini/read-all.ts';
import { joinSettings } from './profile.ts';
import type { Profile, SharedFiles } from './profile.ts';

/**
 * Every profile of both files by its name, those of the credentials file first, each equal to what `findProfile` finds.
 * Both files are parsed once: this is for whoever needs more than a few.
 */
export const findAllProfiles = (shared: SharedFiles): Map<string, Profile> => {
  const credentials = shared.credentialsBytes && readProfiles(shared.credentialsBytes, 'credentials');
  const config = shared.configBytes && readProfiles(shared.configBytes, 'config');
  const profiles = new Map<string, Profile>();
  for (const name of [...(credentials?.names ?? []), ...(config?.names ?? [])]) {
    if (profiles.has(name)) continue;
    const profile = joinSettings(name, credentials?.settingsOf(name), config?.settingsOf(name), shared);
    if (profile !== undefined) profiles.set(name, profile);
  }
  return profiles;
};
