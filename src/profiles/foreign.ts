import { UserError } from '../errors.ts';
import { shellWord } from '../text.ts';
import { holdsLongTermKey } from './profile.ts';
import type { Profile } from './profile.ts';

/** What a profile is that has no key for us, as the end of a sentence, and the commands that serve it. */
type Foreign = { readonly is: string; readonly hint: (forProfile: string) => string };

/**
 * What a profile is whose credentials are another program's business: SSO, the AWS CLI's `aws login`. Undefined for one
 * that may have a long-term key.
 */
export const foreignOf = (profile: Profile): Foreign | undefined => {
  const has = (...keys: readonly string[]): boolean => keys.some((key) => profile.settings.get(key));
  const name = shellWord(profile.name);
  if (holdsLongTermKey(profile) || has('aws_access_key_id', 'role_arn')) return undefined;
  if (has('sso_session', 'sso_start_url')) {
    return {
      is: 'an SSO profile, which aws-iam-login has no session of',
      hint: (used) => `run: aws sso login --profile ${name}, then: aws --profile ${used} …`,
    };
  }
  if (has('login_session')) {
    return {
      is: 'a profile of `aws login`, which aws-iam-login has no session of',
      hint: (used) => `run: aws login --profile ${name}, then: aws --profile ${used} …`,
    };
  }
  return undefined;
};

/** Raises UserError that says what a profile is for which no session can be got and no key rotated. */
export const refuseForeign = (profile: Profile): void => {
  const foreign = foreignOf(profile);
  if (foreign === undefined) return;
  const name = shellWord(profile.name);
  throw new UserError(`profile ${name} is ${foreign.is}`, { hint: foreign.hint(name) });
};

/**
 * Raises UserError for a profile that gets its credentials from a program and was never initialised: nobody has said
 * that what it prints is a long-term key.
 */
export const refusePlainProcess = (profile: Profile): void => {
  const isPlain = !holdsLongTermKey(profile) && Boolean(profile.settings.get('credential_process'));
  if (!isPlain || profile.settings.get('mfa_serial')) return;
  const name = shellWord(profile.name);
  throw new UserError(
    `profile ${name} gets its credentials from another program (credential_process), and has no mfa_serial`,
    {
      hint: `AWS tools use it as it is: aws --profile ${name} …; where that program prints the long-term access key: aws-iam-login init ${name}`,
    },
  );
};
