import type { Context } from '../context.ts';
import { exitCode } from '../errors.ts';
import { listKinds } from '../profiles/kind.ts';
import { readSharedFiles, resolveProfileName } from '../profiles/profile.ts';
import { findLiveSession } from '../sessions/stored-session.ts';
import { formatEnv, formatVariables, formats } from '../shells/formats.ts';
import { forms, unsetVariables } from '../shells/variables.ts';
import { shown } from '../text.ts';
import { parseDuration } from '../time.ts';
import { optionOf, options } from './commands.ts';
import { parseWords } from './scanner.ts';

/**
 * Answers what the launcher answers, for files that are written in any way, and without the rest of the program: `env`
 * with a live session, and the list of profiles for completion. Undefined for everything else, mistakes included.
 * Never raises.
 */
export const answerStored = (argv: readonly string[], context: Context): number | undefined => {
  try {
    if (argv[0] === '__profiles') {
      context.print(profileLines(argv[1] ?? '', context));
      return exitCode.done;
    }
    const asked = parseEnv(argv);
    if (asked === undefined) return undefined;
    const text = asked.isUnset ? unsetText(asked, context) : storedEnv(asked, context);
    if (text !== undefined) context.print(text);
    return text === undefined ? (asked.isStored ? exitCode.failed : undefined) : exitCode.done;
  } catch {
    // What is wrong is said by the rest of the program, save where nobody wants to know.
    return argv.includes('--stored') ? exitCode.usage : undefined;
  }
};

/** The profiles whose names begin so, one a line: name, tab, kind. What a terminal would obey is left out. */
export const profileLines = (start: string, context: Pick<Context, 'env'>): string =>
  [...listKinds(readSharedFiles(context.env))]
    .filter(([name]) => name.startsWith(start) && !/[\t\n]/.test(name) && shown(name) === name)
    .map(([name, kind]) => `${name}\t${kind}\n`)
    .join('');

type Asked = {
  readonly profile: string | undefined;
  readonly format: (typeof formats)[number];
  readonly as: (typeof forms)[number];
  readonly minTtl: number;
  readonly region: string | undefined;
  readonly isUnset: boolean;
  /** Whether a missing session is not to be fetched. */
  readonly isStored: boolean;
};

const unsetText = ({ format }: Asked, { env }: Context): string =>
  format === 'process' ? '' : formatVariables(unsetVariables(env), format);

const storedEnv = (asked: Asked, context: Context): string | undefined => {
  const shared = readSharedFiles(context.env);
  const profileName = resolveProfileName(asked.profile, context.env, shared);
  const live = findLiveSession(profileName, asked, shared, context.now());
  return live === undefined ? undefined : formatEnv(live, asked, context.env);
};

const supported = new Set([
  'profile',
  'p',
  'format',
  'as',
  'min-ttl',
  'region',
  'no-input',
  'quiet',
  'q',
  'hook',
  'unset',
  'stored',
]);

const parseEnv = (argv: readonly string[]): Asked | undefined => {
  const line = parseWords(argv, () => undefined);
  const given = parseOptions(line.options);
  if (line.command !== 'env' || line.rest !== undefined || given === undefined) return undefined;
  const format = formats.find((choice) => choice === (given.get('format') ?? 'env'));
  const as = forms.find((choice) => choice === (given.get('as') ?? 'keys'));
  const named = given.get('profile') ?? given.get('p');
  const isConflict = named !== undefined && line.operand !== undefined && named !== line.operand;
  if (format === undefined || as === undefined || isConflict) return undefined;
  const minTtl = parseDuration(given.get('min-ttl') ?? options['min-ttl'].default, 'min-ttl', 0, 43_199);
  const profile = named ?? line.operand;
  return {
    profile,
    format,
    as,
    minTtl,
    region: given.get('region'),
    isUnset: given.has('unset'),
    isStored: given.has('stored'),
  };
};

// `--name=value`, `--name value` and flags, each once; undefined for anything beyond that.
const parseOptions = (words: readonly string[]): ReadonlyMap<string, string> | undefined => {
  const given = new Map<string, string>();
  for (let index = 0; index < words.length; index += 1) {
    const [, name = '', assigned] = /^--?([a-z][a-z-]*)(?:=(.*))?$/s.exec(words[index] ?? '') ?? [];
    const option = optionOf(name);
    if (!supported.has(name) || option === undefined || given.has(name)) return undefined;
    if (option.type === 'boolean' && assigned !== undefined) return undefined;
    const value = option.type === 'string' && assigned === undefined ? words[(index += 1)] : (assigned ?? '');
    if (value === undefined || (option.type === 'string' && value === '')) return undefined;
    given.set(name, value);
  }
  return given;
};
