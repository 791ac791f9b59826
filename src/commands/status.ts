import type { Context } from '../context.ts';
import { exitCode } from '../errors.ts';
import { newKeyDates } from '../profiles/key-dates.ts';
import {
  findProfile,
  findUserProfile,
  getProfile,
  readSharedFiles,
  resolveProfileName,
  sessionProfileName,
} from '../profiles/profile.ts';
import { formatEnd } from '../sessions/expiration.ts';
import { describeProfile, sessionProfileOf } from '../sessions/overview.ts';
import type { Entry } from '../sessions/overview.ts';
import { readShell } from '../shells/this-shell.ts';
import type { ShellState } from '../shells/this-shell.ts';
import { titleOf as keyStoreTitle } from '../stores/names.ts';
import { stdoutScreen } from '../terminal/screen.ts';
import type { Screen, Style } from '../terminal/screen.ts';
import { shellWord, shown } from '../text.ts';
import { formatDays } from '../time.ts';
import { minTtlOf, profileOf } from './given.ts';
import type { Given } from './given.ts';
import { endOf, toJson, toProfileJson } from './profile-json.ts';

/** `status`: this shell and the profile; the exit code tells whether a live session is stored. */
export const runStatus = async (
  given: Given<'profile' | 'min-ttl' | 'json' | 'quiet'>,
  context: Context,
): Promise<number> => {
  const shared = readSharedFiles(context.env);
  const name = resolveProfileName(profileOf(given), context.env, shared);
  const minTtl = minTtlOf(given.text('min-ttl'));
  const now = context.now();
  const keyDate = newKeyDates(shared.files.state);
  const profile =
    findUserProfile(name, shared) ??
    findProfile(sessionProfileName(name), shared) ??
    getProfile(name, shared);
  const entry = describeProfile(profile, shared, { minTtl, now, keyDate });
  const shell = readShell(context.env, shared);
  if (!given.flag('quiet')) {
    context.print(
      given.flag('json')
        ? formatStatusJson(shell, entry, now)
        : formatStatus(shell, entry, stdoutScreen(context), now),
    );
  }
  return entry.state === 'live' ? exitCode.done : exitCode.noSession;
};

/** What `status --json` prints: docs/json.md. */
export const formatStatusJson = (shell: ShellState, entry: Entry, now: number): string =>
  toJson({
    Live: entry.state === 'live',
    Shell: {
      Holds: shell.holds,
      Profile: shell.profileName,
      As: shell.form,
      ...endOf(shell.expiration, now),
      Region: shell.region,
      DiffersFromFile: shell.holds === 'session' ? shell.differs : undefined,
    },
    Profile: toProfileJson(entry, now),
  });

/** What `status` prints: a line for each thing that is known. */
export const formatStatus = (shell: ShellState, entry: Entry, screen: Screen, now: number): string => {
  const lines: ReadonlyArray<readonly [string, string | undefined, Style?]> = [
    ['shell', describeShell(shell, now)],
    ['profile', describeWho(entry)],
    ['session', describeSessionOf(entry, now), entry.state === 'live' ? 'green' : 'yellow'],
    ['access key', describeKey(entry, now)],
    ['MFA device', entry.serialNumber],
    ['region', entry.region ?? 'none'],
  ];
  return lines
    .flatMap(([label, text, style]) => {
      if (text === undefined) return [];
      const line = shown(text);
      return `${screen.paint('dim', label.padEnd(11))} ${style === undefined ? line : screen.paint(style, line)}\n`;
    })
    .join('');
};

const describeShell = (shell: ShellState, now: number): string => {
  const { holds, profileName = '', form, expiration, region } = shell;
  const where = region === undefined ? '' : `, ${region}`;
  if (holds === 'nothing') return `no session of its own${where}`;
  if (holds === 'keys') return `keys of somebody else in AWS_ACCESS_KEY_ID${where}`;
  if (holds === 'profile') return `AWS_PROFILE for ${shellWord(profileName)}${where}`;
  const name = shellWord(profileName);
  if (shell.differs) return `another session of ${name} than the file${where}: aws-iam-login use ${name}`;
  const end =
    expiration === undefined
      ? 'without an end'
      : expiration > now / 1000
        ? `until ${formatEnd(expiration, now)}`
        : 'expired';
  return `${name} ${end}, as ${form ?? 'keys'}${where}`;
};

const describeWho = ({ name, kind, userName, account, source, user, roleArn }: Entry): string => {
  const who = {
    user: userName === undefined ? 'a user' : `user ${userName}`,
    role: `role ${roleArn?.replace(/^.*\//, '') ?? ''}`,
    session: 'a session',
    SSO: 'an SSO profile',
    other: 'neither user nor role',
  }[kind];
  const of = account === undefined ? '' : ` of account ${account}`;
  const from = source === undefined ? '' : kind === 'role' ? `, from ${shellWord(source)}` : '';
  const by = user === undefined || user === source ? '' : `, user ${shellWord(user)}`;
  return `${shellWord(name)}: ${who}${of}${from}${by}`;
};

const describeSessionOf = (entry: Entry, now: number): string => {
  const { kind, state, expiration = 0, name, loginCommand } = entry;
  const login = `aws-iam-login login ${shellWord(name)}`;
  if (state === 'live') return `live until ${formatEnd(expiration, now)}, in [${sessionProfileOf(entry)}]`;
  if (state === 'ready') return `fetched without a code when needed: aws-iam-login use ${shellWord(name)}`;
  if (kind === 'SSO') return `by SSO: ${loginCommand ?? ''}`;
  if (kind === 'session') return state === 'expired' ? 'expired' : "another program's, its end is not known";
  if (kind === 'other') return 'none: this profile has no access key';
  return state === 'expired' ? `expired: ${login}` : `none: ${login}`;
};

const describeKey = ({ accessKeyId, keyCreatedAt, keyStore }: Entry, now: number): string | undefined => {
  if (accessKeyId === undefined) return undefined;
  const place = keyStore === undefined ? '' : ` in ${keyStoreTitle(keyStore)}`;
  const id = `…${accessKeyId.slice(-4)}`;
  return keyCreatedAt === undefined
    ? `${id}${place}`
    : `${id}${place}, ${formatDays(now - keyCreatedAt).replace(/^today$/, 'made today')}${keyCreatedAt > now - 86_400_000 ? '' : ' old'}`;
};
