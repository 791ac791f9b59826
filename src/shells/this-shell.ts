import type { Environment } from '../context.ts';
import { resolveProfileName } from '../profiles/profile.ts';
import type { SharedFiles } from '../profiles/profile.ts';
import { readStored } from '../sessions/stored-session.ts';
import { forms } from './names.ts';
import type { Form } from './names.ts';

/** What the calling shell hands to AWS's tools: a session that we put there, or what somebody else did. */
export type ShellState = {
  readonly holds: 'session' | 'profile' | 'keys' | 'nothing';
  readonly profileName: string | undefined;
  readonly form: Form | undefined;
  /** Seconds since the epoch. */
  readonly expiration: number | undefined;
  readonly region: string | undefined;
  /** Whether the file holds another session of that profile than the shell. */
  readonly differs: boolean;
};

/** What the variables say of the shell. */
export const readShell = (env: Environment, shared: SharedFiles): ShellState => {
  const text = (name: string): string | undefined => env[name] || undefined;
  const region = text('AWS_REGION') ?? text('AWS_DEFAULT_REGION');
  const own = text('AWS_IAM_LOGIN_PROFILE');
  const form = forms.find((known) => known === text('AWS_IAM_LOGIN_AS'));
  const keyId = text('AWS_ACCESS_KEY_ID');
  if (own !== undefined && form !== undefined) {
    const stored = readStored(own, shared)?.session;
    const end = text('AWS_IAM_LOGIN_EXPIRES_AT') ?? '';
    return {
      holds: 'session',
      profileName: own,
      form,
      expiration: /^[1-9]\d{0,11}$/.test(end) ? Number(end) : undefined,
      region,
      differs: form === 'keys' && stored !== undefined && stored.accessKeyId !== keyId,
    };
  }
  const named = text('AWS_PROFILE') ?? text('AWS_DEFAULT_PROFILE');
  const holds = keyId !== undefined ? 'keys' : named !== undefined ? 'profile' : 'nothing';
  const profileName = holds === 'profile' ? resolveProfileName(named, {}, shared) : undefined;
  return { holds, profileName, form: undefined, expiration: undefined, region, differs: false };
};
