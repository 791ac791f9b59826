import type { Environment } from '../context.ts';
import { isUserError } from '../errors.ts';
import type { Profile, SharedFiles } from '../profiles/profile.ts';
import { shellWord, shownPath } from '../text.ts';
import type { AwsView } from './aws-view.ts';

/** What a check has found, in one sentence without a secret, and the command or the deed that mends it. */
export type Finding = {
  readonly level: 'warning' | 'problem';
  readonly text: string;
  readonly mend: string;
};

/** All that checks look at: read once, and asked once. */
export type Scene = {
  readonly env: Environment;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly platform: string;
  /** Of Node, such as `22.11.0`. */
  readonly nodeVersion: string;
  /** Both files; without the bytes of one that cannot be read. */
  readonly shared: SharedFiles;
  /** Why a file cannot be read. */
  readonly unread: readonly Finding[];
  /** Every profile of both files. */
  readonly profiles: ReadonlyMap<string, Profile>;
  /** The name of the profile that was asked for, and the profile; undefined where there is none of that name. */
  readonly name: string;
  readonly profile: Profile | undefined;
  /** The user profile at the end of its chain of roles. */
  readonly user: Profile | undefined;
  /** Days after which an access key is old. */
  readonly maxKeyAge: number;
  /** What AWS said; undefined where it was not asked. */
  readonly aws: AwsView | undefined;
};

/** A check: what it is called, what it says when it finds nothing, and how it looks; undefined where it does not apply. */
export type Check = {
  readonly name: string;
  readonly ok: string | ((scene: Scene) => string);
  readonly look: (scene: Scene) => readonly Finding[] | undefined;
};

/** A problem and a warning. */
export const problem = (text: string, mend: string): Finding => ({ level: 'problem', text, mend });
export const warning = (text: string, mend: string): Finding => ({ level: 'warning', text, mend });

/** What a function of the rooms below raises, as a problem. Bugs are raised as they are. */
export const attempt = (work: () => void, mend = 'aws-iam-login --help'): Finding[] => {
  try {
    work();
    return [];
  } catch (error) {
    if (isUserError(error)) return [problem(error.message, commandOf(error.hint) ?? mend)];
    throw error;
  }
};

/** A hint as a deed: `run: …` is what is behind it. */
export const commandOf = (hint: string | undefined): string | undefined => hint?.replace(/^run: /, '');

/** The first findings, and how many more there are. */
export const atMost = (findings: readonly Finding[], most = 5): Finding[] => {
  const [last] = findings.slice(most);
  const more = findings.length - most;
  return last === undefined
    ? [...findings]
    : [...findings.slice(0, most), { ...last, text: `${last.text} (and ${more - 1} more like these)` }];
};

/** A path as it is told: with `~` for the home folder. */
export const toldPath = (path: string, { env }: Pick<Scene, 'env'>): string => shownPath(path, env['HOME']);

/** A path as a word of a command line, with `~` where a shell expands it. */
export const pathWord = (path: string, scene: Pick<Scene, 'env'>): string => {
  const told = toldPath(path, scene);
  return told.startsWith('~/') && shellWord(told.slice(2)) === told.slice(2) ? told : shellWord(path);
};

/** The command of ours for a profile. */
export const ours = (command: string, profileName: string, more = ''): string =>
  `aws-iam-login ${command} ${shellWord(profileName)}${more === '' ? '' : ` ${more}`}`;
