import { choiceOf, processOptionsOf, sessionOptionsOf } from '../commands/given.ts';
import type { Given } from '../commands/given.ts';
import type { Context, Environment } from '../context.ts';
import { readSharedFiles, resolveProfileName } from '../profiles/profile.ts';
import { findLiveSession } from '../sessions/live-session.ts';
import { formatEnv, formatProcess } from '../shells/formats.ts';
import { formats, forms } from '../shells/names.ts';
import { withSession } from '../shells/variables.ts';
import { version } from '../version.ts';
import { optionOf } from './commands.ts';
import type { OptionName } from './commands.ts';
import { commandLineOf, scan } from './scanner.ts';
import type { CommandLine } from './scanner.ts';

/** A text for stdout, or a command with its environment. */
export type QuickAnswer =
  | { readonly text: string }
  | { readonly command: readonly string[]; readonly env: Environment };

const session = ['profile', 'min-ttl', 'region', 'no-input', 'quiet'] as const;

/** The commands that a live session answers, and the options with which it does. */
const quickOptions: Readonly<Record<string, readonly OptionName[]>> = {
  env: [...session, 'format', 'as', 'hook'],
  exec: session,
  'credential-process': session,
};

/**
 * What `env`, `exec` and `credential-process` do when a live session is stored, and `--version`, without the rest of the program (yargs, the
 * SDK); undefined for everything else, mistakes included, which the rest of the program then sees. Never raises.
 */
export const quickAnswer = (argv: readonly string[], context: Context): QuickAnswer | undefined => {
  try {
    if (argv.length === 1 && argv[0] === '--version') return { text: `${version}\n` };
    const line = commandLineOf(scan(argv), () => undefined);
    const given = plainlyGiven(line);
    if (given === undefined || (line.command === 'exec') !== (line.rest !== undefined)) return undefined;
    const shared = readSharedFiles(context.env);
    const isProcess = line.command === 'credential-process';
    const asked = isProcess ? processOptionsOf(given, shared, context) : sessionOptionsOf(given);
    const profileName = resolveProfileName(asked.profile, context.env, shared);
    const live = findLiveSession(profileName, asked, shared, context.now());
    if (live === undefined) return undefined;
    if (line.rest !== undefined) {
      return line.rest.length === 0 ? undefined : { command: line.rest, env: withSession(live, context.env) };
    }
    if (isProcess) return { text: formatProcess(live.session) };
    const format = choiceOf(given.text('format'), formats);
    const as = choiceOf(given.text('as'), forms);
    // there is something to say then
    if (context.toTerminal?.() === true) return undefined;
    return { text: formatEnv(live, { format, as }, context.env) };
  } catch {
    return undefined;
  }
};

/** The options when each is one of the quick ones, is given once, and has a value where it needs one. */
const plainlyGiven = ({
  command = 'login',
  options,
  operand,
  rest,
}: CommandLine): Given<OptionName> | undefined => {
  const values = new Map<OptionName, string | undefined>();
  for (const { name, value } of options) {
    if (name === undefined || quickOptions[command]?.includes(name) !== true || values.has(name))
      return undefined;
    if ((optionOf(name).type === 'string') !== Boolean(value)) return undefined;
    values.set(name, value);
  }
  if (quickOptions[command] === undefined) return undefined;
  return {
    text: (name) => values.get(name) ?? optionOf(name).default,
    flag: (name) => values.has(name),
    operand,
    rest,
  };
};
