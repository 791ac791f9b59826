import { mayHaveActed } from '../aws/errors.ts';
import type { Aws } from '../aws/client.ts';
import type { Context } from '../context.ts';
import { isUserError } from '../errors.ts';
import { noteKeyDate } from '../profiles/note-key-date.ts';
import type { Profile } from '../profiles/profile.ts';
import { askYesNo, declined } from '../terminal/prompt.ts';
import { askOrFail } from '../terminal/question.ts';
import { withShownPaths } from '../text.ts';
import { resumeCommand } from './description.ts';
import { removeJournal, writeJournal } from './journal.ts';
import type { Journal } from './journal.ts';
import type { Keys } from './key-holders.ts';
import type { Standing } from './outcome.ts';
import type { Signer, SignerOptions } from './signer.ts';

/** What all steps of one rotation share. */
export type Rotation = {
  readonly profile: Profile;
  readonly userName: string;
  /** The state folder. */
  readonly state: string;
  readonly signer: Signer;
  readonly store: Keys;
  readonly standing: Standing;
  /** Ids of keys that this process has seen to work, and of those that it has deleted. */
  readonly settled: Set<string>;
  readonly deleted: Set<string>;
  /** Raises UserError when another process has taken over. */
  readonly checkOwn: () => void;
  readonly options: RotationOptions;
  readonly context: Context;
};

type RotationOptions = {
  /** Asks nothing. */
  readonly yes: boolean;
  readonly input: boolean;
  /** Shows a text about a wait, in place of the last one; `''` ends it. */
  readonly progress: (text: string) => void;
};

export type RotateOptions = SignerOptions &
  RotationOptions & {
    readonly profile?: string | undefined;
    readonly mode: 'rotate' | 'resume' | 'abort';
    /** Whether the profile was chosen for this command, and not by a variable or by default. */
    readonly isNamed: boolean;
    /** Deletes the other key of a user who has two, after a question. */
    readonly deleteOther: boolean;
    readonly keepOld: boolean;
  };

/** Deletes a key. Returns whether AWS knew it. Raises UserError. */
export const deleteKey = async (rotation: Rotation, accessKeyId: string): Promise<boolean> => {
  rotation.checkOwn();
  const { signer, userName, deleted } = rotation;
  const isThere = await isDone(signer.call((aws) => aws.deleteAccessKey(userName, accessKeyId)));
  deleted.add(accessKeyId);
  return isThere;
};

/** Changes the old key and notes what is known of it. Returns whether AWS knew it. Raises UserError. */
export const changeOldKey = async (
  rotation: Rotation,
  status: Standing['oldKey'],
  change: (aws: Aws) => Promise<void>,
): Promise<boolean> => {
  rotation.checkOwn();
  const { signer, standing } = rotation;
  const before = standing.oldKey;
  standing.oldKey = 'unknown';
  try {
    const isThere = await isDone(signer.call(change));
    standing.oldKey = isThere ? status : 'deleted';
    return isThere;
  } catch (error) {
    if (isUserError(error) && !mayHaveActed(error)) standing.oldKey = before;
    throw error;
  }
};

/** Whether the key that a call was about is there. */
const isDone = async (call: Promise<void>): Promise<boolean> => {
  try {
    await call;
    return true;
  } catch (error) {
    if (isUserError(error) && error.failureCode === 'NoSuchEntity') return false;
    throw error;
  }
};

/** Asks for a yes unless `--yes` was given. Raises UserError where nobody can be asked, and for a no. */
export const confirm = async (
  rotation: Rotation,
  question: string,
  action: string,
  hint = 'give --yes',
): Promise<void> => {
  const { options, state, context } = rotation;
  if (options.yes) return;
  const asked = {
    need: `to ${action} needs a confirmation`,
    hint,
    input: options.input,
    state,
  };
  if (!(await askOrFail(asked, context, () => askYesNo(withShownPaths(question, context.env['HOME'])))))
    throw declined(resumeCommand(rotation.profile.name));
};

/** Ends the rotation: removes the journal. Raises UserError. */
export const finish = (rotation: Rotation, journal: Journal): void => {
  rotation.checkOwn();
  if (!journal.aborting && journal.newId !== undefined)
    noteDate(rotation.state, journal.newId, journal.sentAt);
  removeJournal(rotation.state, journal.arn);
  rotation.standing.journal = undefined;
};

// It is for `list` to tell the key's age: not worth a failure.
const noteDate = (state: string, accessKeyId: string, createdAt: number): void => {
  try {
    noteKeyDate(state, accessKeyId, createdAt);
  } catch (error) {
    if (!isUserError(error)) throw error;
  }
};

/** Writes the journal and returns it. Raises UserError. */
export const save = (rotation: Rotation, journal: Journal): Journal => {
  rotation.checkOwn();
  writeJournal(rotation.state, journal);
  rotation.standing.journal = journal;
  return journal;
};

/** One line about what was done. */
export const say = ({ context }: Rotation, line: string): void => context.log(`aws-iam-login: ${line}`);

/** The two ways on from an unfinished rotation, as a hint. */
export const resumeHint = ({ profile, standing }: Rotation): string => {
  const command = resumeCommand(profile.name);
  return standing.oldKey === 'deleted'
    ? `${command} --resume goes on`
    : `${command} --resume goes on, ${command} --abort goes back`;
};
