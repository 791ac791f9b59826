import type { Context } from '../context.ts';
import { exitCode } from '../errors.ts';
import { readSharedFiles } from '../profiles/profile.ts';
import { liveSession } from '../sessions/login.ts';
import { formatProcess } from '../shells/formats.ts';
import { processOptionsOf } from './given.ts';
import type { Given, SessionOption } from './given.ts';

// Go's SDK ends the shell after 60 s, and takes no answer that comes later.
const patienceSeconds = 55;

/** `credential-process`: prints a live session as the JSON that AWS's SDKs take. Gives up after `seconds`. */
export const runCredentialProcess = async (
  given: Given<SessionOption>,
  context: Context,
  seconds = patienceSeconds,
): Promise<number> => {
  const asked = processOptionsOf(given, readSharedFiles(context.env), context);
  const deadline = { at: context.now() + seconds * 1000, words: `${seconds} s` };
  const { session } = await liveSession({ ...asked, deadline }, context);
  context.print(formatProcess(session));
  return exitCode.done;
};
