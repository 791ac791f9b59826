import { readProfiles } from '../ini/read-all.ts';
import type { FileKind } from '../ini/section-name.ts';
import type { Profiles } from '../ini/settings.ts';
import { joinSettings, rememberProfiles } from './profile.ts';
import type { Profile, SharedFiles } from './profile.ts';

/**
 * Every profile of both files by its name, those of the credentials file first, each equal to what `findProfile` finds.
 * Both files are parsed once: this is for whoever needs more than a few. `findProfile` of the same files is quick then.
 */
export const findAllProfiles = (shared: SharedFiles): Map<string, Profile> => {
  const credentials = readAll(shared.credentialsBytes, 'credentials');
  const config = readAll(shared.configBytes, 'config');
  const profiles = new Map<string, Profile>();
  for (const name of [...(credentials?.names ?? []), ...(config?.names ?? [])]) {
    if (profiles.has(name)) continue;
    const profile = joinSettings(name, credentials?.settingsOf(name), config?.settingsOf(name), shared);
    if (profile !== undefined) profiles.set(name, profile);
  }
  return profiles;
};

const readAll = (bytes: Buffer | undefined, kind: FileKind): Profiles | undefined =>
  bytes && rememberProfiles(bytes, kind, readProfiles(bytes, kind));
