import { readFileSync, statSync } from 'node:fs';
import { parseWords } from '../cli/scanner.ts';
import { optionOf } from '../cli/commands.ts';
import type { Context } from '../context.ts';
import { parseDuration } from '../time.ts';
import { formatEnv, formats } from '../shells/formats.ts';
import { forms } from '../shells/variables.ts';
import { locateFiles } from '../files/locations.ts';
import type { Files } from '../files/locations.ts';
import { odd, readPlainProfile } from '../profiles/plain-profile.ts';
import { resolveProfileName } from '../profiles/profile.ts';
import type { KeysReader, SharedFiles } from '../profiles/profile.ts';
import { findLiveSession } from './live-session.ts';

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
]);

/**
 * What `env` prints when a live session is stored in plainly written files, without the rest of the program;
 * undefined for everything else, mistakes included, which the rest of the program then sees. Never raises.
 */
export const fastEnv = (argv: readonly string[], context: Context): string | undefined =>
  storedEnv(argv, context, (files) => ({
    files,
    credentialsBytes: readTextIfAny(files.credentials),
    configBytes: readTextIfAny(files.config),
    reader: readPlain,
  }));

/** The same for files that are written in any way: `readFiles` says how to read them. */
export const storedEnv = <Content>(
  argv: readonly string[],
  context: Context,
  readFiles: (files: Files) => SharedFiles<Content>,
): string | undefined => {
  try {
    const line = parseWords(argv, () => undefined);
    if (line.command !== 'env' || line.rest !== undefined) return undefined;
    const given = parseOptions(line.options);
    if (given === undefined) return undefined;
    const format = formats.find((choice) => choice === (given.get('format') ?? 'env'));
    const as = forms.find((choice) => choice === (given.get('as') ?? 'keys'));
    const named = given.get('profile') ?? given.get('p');
    const conflict = named !== undefined && line.operand !== undefined && named !== line.operand;
    if (format === undefined || as === undefined || conflict) return undefined;
    const minTtl = given.has('min-ttl')
      ? parseDuration(given.get('min-ttl') ?? '', 'min-ttl', 0, 43_199)
      : 300;
    const shared = readFiles(locateFiles(context.env));
    const profileName = resolveProfileName(named ?? line.operand, context.env, shared);
    const live = findLiveSession(profileName, { minTtl, region: given.get('region') }, shared, context.now());
    return live === undefined ? undefined : formatEnv(live, { format, as }, context.env);
  } catch {
    return undefined;
  }
};

// As text, which Node reads at a tenth of the cost of a Buffer; what is not ASCII is not plain anyway.
const readTextIfAny = (path: string): string | undefined =>
  statSync(path, { throwIfNoEntry: false }) === undefined ? undefined : readFileSync(path, 'utf8');

const readPlain: KeysReader<string> = (text, kind, name) => {
  const keys = readPlainProfile(text, kind, name);
  if (keys === odd) throw new Error('not plain');
  return keys;
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
