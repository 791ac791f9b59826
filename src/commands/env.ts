import { tell } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCode } from '../errors.ts';
import type { LiveSession } from '../sessions/live-session.ts';
import { liveSession } from '../sessions/login.ts';
import { describeSession } from '../sessions/live-session.ts';
import { formatEnv, formatVariables } from '../shells/formats.ts';
import { formats, forms } from '../shells/names.ts';
import type { Format } from '../shells/names.ts';
import { unsetVariables } from '../shells/variables.ts';
import { shellWord } from '../text.ts';
import { choiceOf, sessionOptionsOf } from './given.ts';
import type { Given, SessionOption } from './given.ts';

/** `env`: prints the variables of a live session, or with `--unset` what takes them back. */
export const runEnv = async (
  given: Given<SessionOption | 'format' | 'as' | 'unset' | 'hook'>,
  context: Context,
): Promise<number> => {
  const format = choiceOf(given.text('format'), formats);
  const as = choiceOf(given.text('as'), forms);
  if (given.flag('unset')) {
    if (format !== 'process') context.print(formatVariables(unsetVariables(context.env), format));
    return exitCode.done;
  }
  const hook = given.flag('hook');
  let isTyped = false;
  const onTyped = (): void => void (isTyped = true);
  const asked = { ...sessionOptionsOf(given), hook, tellsOfRoles: !hook && format !== 'process', onTyped };
  const live = await liveSession(asked, context);
  context.print(formatEnv(live, { format, as }, context.env));
  // whoever has typed a code at the prompt wants to know; whoever has not was not disturbed
  if (hook && isTyped) tell(context, describeSession(live, context.now()));
  if (context.toTerminal?.() === true && (as === 'keys' || format === 'process'))
    warnOfSecrets(live, format, context);
  return exitCode.done;
};

const warnOfSecrets = ({ profileName }: LiveSession, format: Format, context: Context): void => {
  const words = `aws-iam-login env ${shellWord(profileName)}`;
  tell(context, 'these are secrets, and nothing has taken them up');
  context.log(`  hint: ${instead[format](words, shellWord(profileName))}`);
};

/** What to type instead of `words`, by format. */
const instead: Readonly<Record<Format, (words: string, profile: string) => string>> = {
  env: (words) => `type: eval "$(${words})"`,
  fish: (words) => `type: ${words} --format fish | source`,
  powershell: (words) => `type: ${words} --format powershell | Out-String | Invoke-Expression`,
  'env-no-export': (words) => `for docker: --env-file <(${words} --format env-no-export)`,
  dotenv: (words) => `for docker: --env-file <(${words} --format dotenv)`,
  json: (words) => `in nushell: ${words} --format json | from json | load-env`,
  process: (_, profile) =>
    `in ~/.aws/config: credential_process = aws-iam-login credential-process ${profile}`,
};
