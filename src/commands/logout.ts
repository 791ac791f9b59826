import { tell } from '../context.ts';
import type { Context, Environment } from '../context.ts';
import { exitCode, usageError } from '../errors.ts';
import { locateFiles } from '../files/locations.ts';
import { readSharedFiles, resolveProfileName } from '../profiles/profile.ts';
import { formatEnd } from '../sessions/expiration.ts';
import { logout } from '../sessions/logout.ts';
import type { LogoutResult } from '../sessions/logout.ts';
import { listed, shellWord, shownPath } from '../text.ts';
import { profileOf } from './given.ts';
import type { Given } from './given.ts';

/**
 * `logout`: takes the stored sessions of a profile away. The shell hook is told with the word `unset` that its shell is
 * concerned.
 */
export const runLogout = async (
  given: Given<'profile' | 'all' | 'hook'>,
  context: Context,
): Promise<number> => {
  const named = profileOf(given);
  if (given.flag('all') && named !== undefined)
    throw usageError(`--all and ${shellWord(named)} do not go together`);
  const { env } = context;
  const profileName = given.flag('all') ? undefined : resolveProfileName(named, env, readSharedFiles(env));
  const result = await logout(profileName, context);
  const file = shownPath(locateFiles(env).credentials, env['HOME']);
  for (const line of describeLogout(result, profileName, file, context.now())) tell(context, line);
  if (!isInShell(result, env)) return exitCode.done;
  if (given.flag('hook')) context.print('unset\n');
  else tell(context, 'this shell still has it: eval "$(aws-iam-login env --unset)" takes it out');
  return exitCode.done;
};

const isInShell = ({ owners }: LogoutResult, env: Environment): boolean =>
  env['AWS_IAM_LOGIN_PROFILE'] !== undefined && owners.has(env['AWS_IAM_LOGIN_PROFILE']);

/** What logout says when it is done, in lines. */
export const describeLogout = (
  { removed, foreign, validUntil, stopped }: LogoutResult,
  profileName: string | undefined,
  file: string,
  now: number,
): string[] => {
  const whose = profileName === undefined ? '' : ` of ${shellWord(profileName)}`;
  return [
    removed.length === 0
      ? `no session${whose} is stored in ${file}`
      : `removed from ${file}: ${namesOf(removed)}`,
    ...(validUntil === undefined
      ? []
      : [
          `AWS keeps the session valid until ${formatEnd(validUntil, now)} for whoever has a copy: deactivating it needs the IAM console (a policy that denies by aws:TokenIssueTime)`,
        ]),
    ...(stopped.length === 0
      ? []
      : [
          `${stopped.length === 1 ? 'this role profile stops' : 'these role profiles stop'} until the next login: ${listed(stopped)}`,
        ]),
    ...(foreign.length === 0
      ? []
      : [
          `left alone, another program has stored ${foreign.length === 1 ? 'it' : 'them'}: ${namesOf(foreign)}`,
        ]),
  ];
};

const namesOf = (profiles: readonly string[]): string =>
  profiles.length === 1 ? `[${shellWord(profiles[0] ?? '')}]` : `the sections ${listed(profiles)}`;
