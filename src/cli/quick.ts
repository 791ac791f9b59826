import { choiceOf, processOptionsOf, sessionOptionsOf } from '../commands/given.ts';
import type { Given } from '../commands/given.ts';
import type { Context, Environment } from '../context.ts';
import { exitCode } from '../errors.ts';
import { findAllProfiles } from '../profiles/all-profiles.ts';
import { kindOf } from '../profiles/kind.ts';
import { readSharedFiles, resolveProfileName } from '../profiles/profile.ts';
import { findLiveSession } from '../sessions/live-session.ts';
import { formatEnv, formatProcess, formatVariables } from '../shells/formats.ts';
import { formats, forms } from '../shells/names.ts';
import { unsetVariables, withSession } from '../shells/variables.ts';
import { shown } from '../text.ts';
import { version } from '../version.ts';
import { optionOf } from './commands.ts';
import type { OptionName } from './commands.ts';
import { commandLineOf, scan } from './scanner.ts';
import type { CommandLine } from './scanner.ts';

/** A text for stdout with an exit code, or a command with its environment. */
export type QuickAnswer =
  | { readonly text: string; readonly exitCode: number }
  | { readonly command: readonly string[]; readonly env: Environment };

const session = ['profile', 'min-ttl', 'region', 'no-input', 'quiet'] as const;

/** The commands that a live session answers, and the options with which it does. */
const quickOptions: Readonly<Record<string, readonly OptionName[]>> = {
  env: [...session, 'format', 'as', 'hook', 'unset', 'stored'],
  exec: session,
  'credential-process': session,
};

/**
 * What `env`, `exec` and `credential-process` do when a live session is stored, and `--version`, without the rest of
 * the program (yargs, the SDK); undefined for everything else, mistakes included, which the rest of the program then sees. Never raises.
 * It is the launcher's measure: `env` with its options, `credential-process` and `__profiles` it answers like this, or not at all.
 */
export const quickAnswer = (argv: readonly string[], context: Context): QuickAnswer | undefined => {
  try {
    if (argv.length === 1 && (argv[0] === '--version' || argv[0] === 'version'))
      return printed(`${version}\n`);
    if (argv[0] === '__profiles') return printed(profileLines(argv[1] ?? '', argv[2] ?? '', context.env));
    const line = commandLineOf(scan(argv), () => undefined);
    const given = plainlyGiven(line);
    if (given === undefined || (line.command === 'exec') !== (line.rest !== undefined)) return undefined;
    const format = choiceOf(given.text('format'), formats);
    const as = choiceOf(given.text('as'), forms);
    if (given.flag('unset'))
      return printed(format === 'process' ? '' : formatVariables(unsetVariables(context.env), format));
    const shared = readSharedFiles(context.env);
    const isProcess = line.command === 'credential-process';
    const asked = isProcess ? processOptionsOf(given, shared, context) : sessionOptionsOf(given);
    const profileName = resolveProfileName(asked.profile, context.env, shared);
    const live = findLiveSession(profileName, asked, shared, context.now());
    if (live === undefined) return given.flag('stored') ? { text: '', exitCode: exitCode.failed } : undefined;
    if (line.rest !== undefined) {
      return line.rest.length === 0 ? undefined : { command: line.rest, env: withSession(live, context.env) };
    }
    if (isProcess) return printed(formatProcess(live.session));
    // there is something to say then
    if (context.toTerminal?.() === true && !given.flag('stored')) return undefined;
    return printed(formatEnv(live, { format, as }, context.env));
  } catch {
    // What is wrong is said by the rest of the program, save to whom only the stored session matters.
    return argv.includes('--stored') ? { text: '', exitCode: exitCode.usage } : undefined;
  }
};

const printed = (text: string): QuickAnswer => ({ text, exitCode: exitCode.done });

/**
 * The profiles of each of the kinds (`role,user`) whose names begin so, one a line: name, tab, kind. Names that cannot
 * stand in a line are left out.
 */
const profileLines = (kinds: string, start: string, env: Environment): string => {
  const lines = [...findAllProfiles(readSharedFiles(env)).values()]
    .filter(({ name }) => name.startsWith(start) && !/[\t\n]/.test(name) && shown(name) === name)
    .map((profile) => ({ kind: kindOf(profile), name: profile.name }));
  return kinds
    .split(',')
    .flatMap((wanted) => lines.filter(({ kind }) => kind === wanted))
    .map(({ name, kind }) => `${name}\t${kind}\n`)
    .join('');
};

/** The options when each is one of the quick ones, is given once, and has a value where it needs one. */
const plainlyGiven = ({ command, options, operand, rest }: CommandLine): Given<OptionName> | undefined => {
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
