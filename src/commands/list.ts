import { tell } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCode } from '../errors.ts';
import { newKeyDates } from '../profiles/key-dates.ts';
import { readSharedFiles } from '../profiles/profile.ts';
import { sessionDefaults } from '../sessions/defaults.ts';
import { formatRemaining } from '../sessions/expiration.ts';
import { readOverview } from '../sessions/overview.ts';
import type { Entry } from '../sessions/overview.ts';
import { readShell } from '../shells/this-shell.ts';
import { stdoutScreen } from '../terminal/screen.ts';
import type { Screen } from '../terminal/screen.ts';
import { formatTable } from '../terminal/table.ts';
import { widthFor } from '../terminal/width.ts';
import type { WidthOf } from '../terminal/width.ts';
import type { Cell, Column } from '../terminal/table.ts';
import { shown, shownPath } from '../text.ts';
import { formatDays } from '../time.ts';
import type { Given } from './given.ts';
import { toJson, toProfileJson } from './profile-json.ts';

/** `list`: every profile with its session, as a table or as JSON. */
export const runList = async (given: Given<'json'>, context: Context): Promise<number> => {
  const shared = readSharedFiles(context.env);
  const now = context.now();
  const keyDate = newKeyDates(shared.files.state);
  const entries = readOverview(shared, { minTtl: sessionDefaults.minTtl, now, keyDate });
  const inShell = readShell(context.env, shared).profileName;
  if (given.flag('json')) {
    context.print(formatListJson(entries, inShell, now));
  } else if (entries.length === 0) {
    const home = context.env['HOME'];
    const { credentials, config } = shared.files;
    tell(context, `there is no profile in ${shownPath(credentials, home)} or ${shownPath(config, home)}`);
    context.log('  hint: aws configure');
  } else {
    const text = shown(entries.map(({ name, region = '' }) => name + region).join(''));
    const look = { screen: stdoutScreen(context), widthOf: await widthFor([text]) };
    context.print(formatList(entries, inShell, look, now));
  }
  return exitCode.done;
};

/** What `list --json` prints: docs/json.md. */
export const formatListJson = (entries: readonly Entry[], inShell: string | undefined, now: number): string =>
  toJson({
    Profiles: entries.map((entry) => ({
      ...toProfileJson(entry, now),
      InShell: entry.name === inShell,
    })),
  });

const columns: readonly Column[] = [
  { title: '  PROFILE', least: 12 },
  { title: 'KIND' },
  { title: 'SESSION', least: 10 },
  { title: 'REGION', leaves: 64 },
  { title: 'KEY', leaves: 76 },
  { title: 'ACCOUNT', leaves: 92 },
];

/** What `list` prints: a line for each profile, roles below their user, and how to log in to SSO. */
export const formatList = (
  entries: readonly Entry[],
  inShell: string | undefined,
  { screen, widthOf }: { readonly screen: Screen; readonly widthOf: WidthOf },
  now: number,
): string => {
  const rows = inTree(entries).map(({ entry, depth }) => toRow(entry, depth, inShell, now));
  const lines = [...formatTable(columns, rows, screen, widthOf), ...ssoLines(entries)];
  return lines.map((line) => `${line}\n`).join('');
};

const toRow = (entry: Entry, depth: number, inShell: string | undefined, now: number): Cell[] => {
  const isLive = entry.state === 'live';
  const mark = isLive ? '*' : ' ';
  const session = `${describeState(entry, now)}${entry.name === inShell ? ', in this shell' : ''}`;
  const style = isLive ? ('green' as const) : undefined;
  return [
    { text: `${mark} ${'  '.repeat(depth)}${shown(entry.name)}`, style },
    { text: entry.kind },
    { text: session, style: style ?? (entry.state === 'expired' ? 'yellow' : undefined) },
    { text: shown(entry.region ?? '') },
    { text: describeKey(entry, now) },
    { text: entry.account ?? '' },
  ];
};

/** How old a key is, and the store that keeps it. */
const describeKey = ({ keyCreatedAt, keyStore }: Entry, now: number): string => {
  const age = keyCreatedAt === undefined ? '' : formatDays(now - keyCreatedAt);
  const store = keyStore === undefined ? '' : shown(keyStore);
  return age !== '' && store !== '' ? `${age}, ${store}` : age + store;
};

/** How it stands with the session of a profile, in words. */
export const describeState = ({ state, kind, expiration = 0 }: Entry, now: number): string => {
  if (state === 'live') return `${formatRemaining(expiration - now / 1000)} left`;
  if (state === 'ready') return 'when needed, without a code';
  if (state === 'expired') return expiration > now / 1000 ? 'ends now' : 'expired';
  if (kind === 'SSO') return 'by SSO';
  if (state === 'unknown') return "another program's";
  return kind === 'other' ? '' : 'none';
};

type Placed = { readonly entry: Entry; readonly depth: number };

/** The entries with everything that comes from another one below it. */
const inTree = (entries: readonly Entry[]): Placed[] => {
  const names = new Set(entries.map(({ name }) => name));
  const parentOf = ({ name, user, source }: Entry): string | undefined => {
    const isListed = (parent: string | undefined) =>
      parent !== undefined && parent !== name && names.has(parent);
    return isListed(user) ? user : isListed(source) ? source : undefined;
  };
  const children = new Map<string, Entry[]>();
  for (const entry of entries) {
    const parent = parentOf(entry);
    if (parent === undefined) continue;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [entry]);
    else siblings.push(entry);
  }
  const placed: Placed[] = [];
  const seen = new Set<string>();
  // deeper than a screen is wide nobody looks
  const place = (root: Entry): void => {
    const waiting: Placed[] = [{ entry: root, depth: 0 }];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { entry, depth } = next;
      if (seen.has(entry.name)) continue;
      seen.add(entry.name);
      placed.push(next);
      const below = children.get(entry.name);
      if (below === undefined) continue;
      const placedBelow = below.map((child) => ({ entry: child, depth: Math.min(depth + 1, 8) }));
      waiting.push(...placedBelow.toReversed());
    }
  };
  for (const entry of entries) if (parentOf(entry) === undefined) place(entry);
  // what is left goes round in a circle
  if (placed.length < entries.length) for (const entry of entries) place(entry);
  return placed;
};

const mostLogins = 5;

const ssoLines = (entries: readonly Entry[]): string[] => {
  const commands = [...new Set(entries.flatMap(({ loginCommand }) => loginCommand ?? []))];
  const more = commands.length - mostLogins;
  return [
    ...commands.slice(0, mostLogins).map((command) => `  SSO: ${command}`),
    ...(more > 0 ? [`  SSO: and ${more} more (list --json)`] : []),
  ];
};
