import { UserError } from '../errors.ts';
import { shellWord } from '../text.ts';
import { resolveProfileName } from './profile.ts';
import type { Profile, SharedFiles } from './profile.ts';

/** Whether a profile is a role, however it gets there. */
export const isRole = (profile: Profile): boolean => profile.keys.has('role_arn');

/** Why a role gets no session yet. */
export const roleRefused = <Content>(profile: Profile, shared: SharedFiles<Content>): UserError => {
  const source = profile.keys.get('source_profile');
  const then = `then: aws --profile ${shellWord(profile.name)} …`;
  return new UserError(
    `profile ${shellWord(profile.name)} is a role: this version gets sessions of user profiles only`,
    {
      hint:
        source === undefined
          ? `log in with the profile that holds the access key, ${then}`
          : `run: aws-iam-login login ${shellWord(resolveProfileName(source, {}, shared))}, ${then}`,
    },
  );
};
