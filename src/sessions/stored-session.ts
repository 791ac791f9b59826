import { validRegion } from '../aws/endpoints.ts';
import { UserError } from '../errors.ts';
import {
  findProfile,
  holdsLongTermKey,
  resolveProfileName,
  sessionProfileName,
} from '../profiles/profile.ts';
import type { Profile, SharedFiles } from '../profiles/profile.ts';
import { shellWord } from '../text.ts';

/** Temporary credentials from GetSessionToken; `expiration` in seconds since the epoch. */
export type Session = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: number;
};

/** The session in `[<profile>-sts]` of the credentials file, expired or not; undefined when there is no whole one. */
export const readSession = <Content>(
  profileName: string,
  shared: SharedFiles<Content>,
): Session | undefined => {
  const keys = findProfile(sessionProfileName(profileName), { ...shared, configBytes: undefined })?.keys;
  const accessKeyId = keys?.get('aws_access_key_id');
  const secretAccessKey = keys?.get('aws_secret_access_key');
  const sessionToken = keys?.get('aws_session_token');
  const expiration = parseExpiration(keys?.get('expiration') ?? '');
  if (!accessKeyId || !secretAccessKey || !sessionToken || expiration === undefined) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken, expiration };
};

/** A session to hand out, with what goes along with it. */
export type LiveSession = {
  readonly profileName: string;
  readonly session: Session;
  /** The region to export: `--region`, the profile's, the session profile's. */
  readonly region: string | undefined;
  /** Whether the next renewal needs nobody at the terminal. */
  readonly silent: boolean;
};

/** The session with its profile's region, or the one that was asked for. */
export const toLiveSession = (
  profileName: string,
  session: Session,
  askedRegion: string | undefined,
  shared: SharedFiles,
): LiveSession => {
  return assemble(profileName, findProfile(profileName, shared), session, askedRegion, shared);
};

const assemble = <Content>(
  profileName: string,
  profile: Profile | undefined,
  session: Session,
  askedRegion: string | undefined,
  shared: SharedFiles<Content>,
): LiveSession => {
  const ownRegion = () => findProfile(sessionProfileName(profileName), shared)?.keys.get('region');
  const region = askedRegion ?? profile?.keys.get('region') ?? ownRegion();
  return {
    profileName,
    session,
    region: region === undefined || region === '' ? undefined : validRegion(region),
    silent: Boolean(profile?.keys.get('mfa_process')),
  };
};

/** The stored session of a user profile when it is live, without a look at AWS. Raises UserError for a role profile. */
export const findLiveSession = <Content>(
  profileName: string,
  options: { readonly minTtl: number; readonly region?: string | undefined },
  shared: SharedFiles<Content>,
  now: number,
): LiveSession | undefined => {
  const profile = findProfile(profileName, shared);
  if (profile?.keys.has('role_arn') === true) throw roleRefused(profile, shared);
  const stored = readSession(profileName, shared);
  return stored !== undefined && isLive(stored, now, options.minTtl)
    ? assemble(profileName, profile, stored, options.region, shared)
    : undefined;
};

const roleRefused = <Content>(profile: Profile, shared: SharedFiles<Content>): UserError => {
  const source = profile.keys.get('source_profile');
  const then = `then: aws --profile ${shellWord(profile.name)} …`;
  return new UserError(
    `profile ${shellWord(profile.name)} is a role: this version gets sessions of user profiles only`,
    {
      hint:
        source === undefined
          ? `log in with the profile that holds the access key, ${then}`
          : `run: aws-iam-login login ${shellWord(resolveProfileName(source, {}, shared))}, ${then}`,
    },
  );
};

/**
 * Whether at least `minTtl` seconds are left of the session; `now` in milliseconds since the epoch, of which whole
 * seconds count, as for the launcher.
 */
export const isLive = (session: Session, now: number, minTtl: number): boolean =>
  session.expiration - Math.floor(now / 1000) >= minTtl;

/**
 * Seconds since the epoch, of every form of expiration found in the wild: ISO 8601 with a space or `T`, with `Z`
 * or an offset; a naive one is UTC. Undefined for anything else.
 */
export const parseExpiration = (text: string): number | undefined => {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?\s?(Z|UTC|[+-]\d\d:?\d\d)?$/i.exec(
    text.trim(),
  );
  if (match === null) return undefined;
  const [, date, time, zone = 'Z'] = match;
  const offset = '+-'.includes(zone.charAt(0)) ? `${zone.slice(0, 3)}:${zone.slice(-2)}` : 'Z';
  const milliseconds = Date.parse(`${date}T${time}${offset}`);
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
};

/** The expiration as `[<profile>-sts]` holds it: `2022-07-25 19:00:00+00:00`; seconds since the epoch. */
export const formatExpiration = (expiration: number): string =>
  `${isoSeconds(expiration).slice(0, -1).replace('T', ' ')}+00:00`;

/** The expiration as AWS's tools take it: `2026-01-02T03:04:05Z`; seconds since the epoch. */
export const isoSeconds = (expiration: number): string => {
  // Not toISOString, which costs a cold process ten times as much.
  const date = new Date(expiration * 1000);
  const day = `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  return `${day}T${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}Z`;
};

const two = (number: number): string => (number < 10 ? `0${number}` : String(number));

/**
 * Raises UserError when `[<profile>-sts]` must not be overwritten: it holds a long-term key, or the config file
 * makes it a role or a process.
 */
export const checkSessionProfile = (profileName: string, shared: SharedFiles): void => {
  const name = sessionProfileName(profileName);
  const { files } = shared;
  const inCredentials = findProfile(name, { ...shared, configBytes: undefined });
  if (inCredentials !== undefined && holdsLongTermKey(inCredentials)) {
    throw new UserError(
      `[${shellWord(name)}] in ${files.credentials} holds a long-term access key and is not overwritten`,
      {
        hint: `rename that profile: the session of ${shellWord(profileName)} belongs there`,
      },
    );
  }
  const both = findProfile(name, shared);
  const taken = ['role_arn', 'credential_process'].find((key) => both?.keys.has(key));
  if (taken !== undefined) {
    throw new UserError(
      `profile ${shellWord(name)} has a ${taken}, which AWS tools would use instead of the session`,
      {
        hint: `rename that profile in ${files.config}, or remove its ${taken}`,
      },
    );
  }
};

/**
 * The keys of `[<profile>-sts]` as login writes them. `region` only when the profile has one and no `-sts` profile
 * in either file has its own; the legacy token goes, since boto prefers it.
 */
export const sessionKeys = (
  profileName: string,
  session: Session,
  region: string | undefined,
  shared: SharedFiles,
): Record<string, string | undefined> => {
  const ownRegion = findProfile(sessionProfileName(profileName), shared)?.keys.get('region');
  return {
    aws_access_key_id: session.accessKeyId,
    aws_secret_access_key: session.secretAccessKey,
    aws_session_token: session.sessionToken,
    aws_security_token: undefined,
    expiration: formatExpiration(session.expiration),
    ...(region !== undefined && ownRegion === undefined ? { region } : {}),
  };
};

/** A remaining time for people, to the nearest minute: `12 h`, `1 h 5 min`, `30 s`; in seconds. */
export const formatRemaining = (seconds: number): string => {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const parts = [hours > 0 ? `${hours} h` : '', minutes % 60 > 0 ? `${minutes % 60} min` : ''];
  return parts.filter((part) => part !== '').join(' ');
};
