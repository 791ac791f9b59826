import { usageError } from '../errors.ts';
import type { Context } from '../context.ts';
import { findProfile, resolveProfileName } from '../profiles/profile.ts';
import type { SharedFiles } from '../profiles/profile.ts';
import { sessionDefaults, sessionLimits } from '../sessions/defaults.ts';
import { minTtlForProcess } from '../sessions/process-min-ttl.ts';
import type { SessionOptions } from '../sessions/login.ts';
import { shells } from '../shells/names.ts';
import type { Shell } from '../shells/names.ts';
import { shellWord } from '../text.ts';
import { parseDuration } from '../time.ts';

/** What a command was given, by the names of the options that it looks at. */
export type Given<Name extends string> = {
  /** The value of an option, or its default. */
  readonly text: (name: Name) => string | undefined;
  readonly flag: (name: Name) => boolean;
  /** The word that is not the command. */
  readonly operand: string | undefined;
  /** What follows `--`. */
  readonly rest: readonly string[] | undefined;
};

/** The options of everything that may need a session. */
export type SessionOption =
  | 'profile'
  | 'token-code'
  | 'duration'
  | 'min-ttl'
  | 'serial-number'
  | 'region'
  | 'no-input';

/** The profile that was named, before or after the command or by `--profile`. Raises UserError (usage) for two. */
export const profileOf = (given: Given<'profile'>): string | undefined => {
  const named = given.text('profile');
  if (named !== undefined && given.operand !== undefined && named !== given.operand) {
    throw usageError(`two profiles are named: ${shellWord(given.operand)} and ${shellWord(named)}`);
  }
  return named ?? given.operand;
};

/** How the session is wished. Raises UserError (usage). */
export const sessionOptionsOf = (given: Given<SessionOption>): SessionOptions => {
  const lasts = given.text('duration');
  const { shortest, longest } = sessionLimits;
  const duration = lasts === undefined ? undefined : parseDuration(lasts, 'duration', shortest, longest);
  const minTtl = minTtlOf(given.text('min-ttl'));
  if (duration !== undefined && minTtl >= duration)
    throw usageError('--min-ttl must be shorter than --duration');
  return {
    profile: profileOf(given),
    tokenCode: given.text('token-code'),
    duration,
    minTtl,
    serialNumber: given.text('serial-number'),
    region: given.text('region'),
    input: !given.flag('no-input'),
    hook: false,
  };
};

/** The seconds of `--min-ttl`, the default without one. Raises UserError (usage). */
export const minTtlOf = (given: string | undefined): number =>
  given === undefined ? sessionDefaults.minTtl : parseDuration(given, 'min-ttl', 0, sessionLimits.longest);

/** How `credential-process` wishes the session. Raises UserError. */
export const processOptionsOf = (
  given: Given<SessionOption>,
  shared: SharedFiles,
  { env, now }: Pick<Context, 'env' | 'now'>,
): SessionOptions => {
  const asked = sessionOptionsOf(given);
  if (given.text('min-ttl') !== undefined) return asked;
  const profile = findProfile(resolveProfileName(asked.profile, env, shared), shared);
  return { ...asked, minTtl: minTtlForProcess(profile, asked.duration, shared, now()) };
};

/** The value of an option as one of its choices. Raises UserError (usage) for any other. */
export const choiceOf = <Choice extends string>(
  given: string | undefined,
  choices: readonly Choice[],
): Choice => {
  const choice = choices.find((known) => known === given);
  if (choice !== undefined) return choice;
  throw usageError(`${shellWord(given ?? '')} is none of ${choices.join(', ')}`);
};

/** The shell that was named, undefined for none. Raises UserError (usage) for one that we do not know. */
export const shellOf = ({ operand }: { readonly operand: string | undefined }): Shell | undefined => {
  const shell = shells.find((known) => known === operand);
  if (operand === undefined || shell !== undefined) return shell;
  throw usageError(`${shellWord(operand)} is none of the shells ${shells.join(', ')}`);
};

/** The same where one has to be named. */
export const namedShellOf = (given: { readonly operand: string | undefined }, command: string): Shell => {
  const shell = shellOf(given);
  if (shell === undefined) throw usageError(`${command} needs the name of the shell: ${shells.join(', ')}`);
  return shell;
};
