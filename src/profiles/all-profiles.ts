import { readProfiles } from '../ini/read.ts';
import type { Section } from '../ini/section.ts';
import { joinSections } from './profile.ts';
import type { Profile, SharedFiles } from './profile.ts';

/**
 * Every profile of both files by its name, those of the credentials file first, each equal to what `findProfile` finds.
 * Both files are parsed once: this is for whoever needs more than a few.
 */
export const findAllProfiles = (shared: SharedFiles): Map<string, Profile> => {
  const { credentialsBytes, configBytes } = shared;
  const credentials = credentialsBytes
    ? readProfiles(credentialsBytes, 'credentials')
    : new Map<string, Section>();
  const config = configBytes ? readProfiles(configBytes, 'config') : new Map<string, Section>();
  return new Map(
    [...new Set([...credentials.keys(), ...config.keys()])].flatMap((name) => {
      const profile = joinSections(name, credentials.get(name), config.get(name), shared);
      return profile === undefined ? [] : [[name, profile]];
    }),
  );
};
