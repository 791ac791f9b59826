import { join } from 'node:path';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import { makePrivateFolder, writePrivateFile } from '../files/private-folder.ts';
import { ensureStateFolder } from '../files/state-files.ts';
import { addLiveProfile, fileVariables, processCommand } from '../profiles/live-profile.ts';
import { readSharedFiles } from '../profiles/profile.ts';
import { liveSession } from '../sessions/login.ts';
import type { LiveSession } from '../sessions/live-session.ts';
import { execForms } from '../shells/names.ts';
import { packageRoot } from '../shells/scripts.ts';
import { withLiveProfile, withSession } from '../shells/variables.ts';
import { runCommand } from '../terminal/command.ts';
import { shellWord } from '../text.ts';
import { choiceOf, processOptionsOf, profileOf, sessionOptionsOf } from './given.ts';
import type { Given, SessionOption } from './given.ts';

type ExecOption = SessionOption | 'as';

/** `exec`: runs a command with the variables of a live session; the exit code is the command's. */
export const runExec = async (given: Given<ExecOption>, context: Context): Promise<number> => {
  const command = given.rest ?? [];
  const named = profileOf(given);
  if (command.length === 0) {
    const words = ['aws-iam-login', 'exec', ...(named === undefined ? [] : [shellWord(named)])];
    throw new UserError('exec needs a command to run', {
      hint: `${words.join(' ')} -- aws sts get-caller-identity`,
    });
  }
  if (choiceOf(given.text('as'), execForms) === 'process') return runWithProcess(command, given, context);
  const live = await liveSession(sessionOptionsOf(given), context);
  return runCommand(command, withSession(live, context.env), context);
};

/**
 * Runs a command whose SDK asks us for credentials whenever it needs them, through a profile in a copy of the config
 * file that goes when the command ends.
 */
const runWithProcess = async (
  command: readonly string[],
  given: Given<ExecOption>,
  context: Context,
): Promise<number> => {
  const asked = processOptionsOf(given, readSharedFiles(context.env), context);
  // now, and not when the command has begun: here somebody may be asked, and a failure is ours
  const live = await liveSession(asked, context);
  const shared = readSharedFiles(context.env);
  const askUs = processCommand(['/usr/bin/env', ...fileVariables(shared.files), ...ownWords(live, given)]);
  const { name, config } = addLiveProfile(live.profileName, askUs, live.region, shared);
  ensureStateFolder(shared.files.state);
  const folder = makePrivateFolder(join(shared.files.state, 'exec'));
  try {
    const configFile = writePrivateFile(folder, 'config', config);
    return await runCommand(command, withLiveProfile(live, { name, configFile }, context.env), context);
  } finally {
    folder.remove();
  }
};

/** Our own command line, whose options are those that were given here. */
const ownWords = ({ profileName }: LiveSession, given: Given<ExecOption>): string[] => {
  const options = [
    ['min-ttl', given.text('min-ttl')],
    ['serial-number', given.text('serial-number')],
    ['region', given.text('region')],
    ['duration', given.text('duration')],
  ].flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
  return [
    process.execPath,
    join(packageRoot, 'dist', 'aws-iam-login.cjs'),
    'credential-process',
    `--profile=${profileName}`,
    ...options,
    ...(given.flag('no-input') ? ['--no-input'] : []),
  ];
};
