import type { Context } from '../context.ts';
import { UserError, exitCode, usageError } from '../errors.ts';
import { locateFiles } from '../files/locations.ts';
import { findOwnState, removeOwnState } from '../files/own-state.ts';
import { readSharedFiles } from '../profiles/profile.ts';
import { readJournals } from '../rotation/journal.ts';
import { logout, planLogout } from '../sessions/logout.ts';
import { setup } from '../shells/setup.ts';
import type { SetupOptions } from '../shells/setup.ts';
import { shellWord } from '../text.ts';
import { shellOf } from './given.ts';
import type { Given } from './given.ts';

/** `setup`: installs hook and completion for a shell, or takes them out again, with `--purge` everything of ours. */
export const runSetup = async (
  given: Given<'remove' | 'purge' | 'yes' | 'no-input'>,
  context: Context,
): Promise<number> => {
  const { flag } = given;
  if (flag('purge') && !flag('remove')) throw usageError('--purge goes with --remove only');
  const options = {
    shell: shellOf(given),
    remove: flag('remove'),
    yes: flag('yes'),
    input: !flag('no-input'),
  };
  await setup({ ...options, more: flag('purge') ? planPurge(context) : undefined }, context);
  return exitCode.done;
};

/** What is ours outside the shells: stored sessions and the state folder. Raises UserError for an unfinished rotation. */
const planPurge = (context: Context): SetupOptions['more'] => {
  const { credentials, state } = locateFiles(context.env);
  // its journal may hold the only copy of a secret
  const [unfinished] = readJournals(state);
  if (unfinished !== undefined) {
    const name = shellWord(unfinished.profileName);
    throw new UserError(`a rotation of profile ${name} is unfinished, and its journal holds a key`, {
      hint: `run: aws-iam-login rotate ${name} --resume`,
    });
  }
  const { removed } = planLogout(undefined, readSharedFiles(context.env), context.now());
  const hasState = findOwnState(state).length > 0;
  if (removed.length === 0 && !hasState) return undefined;
  const sessions = `${removed.length} ${removed.length === 1 ? 'session' : 'sessions'}`;
  return {
    lines: [
      ...(removed.length === 0 ? [] : [`remove ${sessions} from ${credentials}`]),
      ...(hasState ? [`remove our notes in ${state}`] : []),
    ],
    apply: async () => {
      await logout(undefined, context);
      removeOwnState(state);
    },
  };
};
