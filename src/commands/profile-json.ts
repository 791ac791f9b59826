import { isoSeconds } from '../sessions/expiration.ts';
import { sessionProfileOf } from '../sessions/overview.ts';
import type { Entry } from '../sessions/overview.ts';

/** A profile as `list --json` and `status --json` print it (docs/json.md); what is undefined is left out. */
export const toProfileJson = (entry: Entry, now: number): Readonly<Record<string, unknown>> => ({
  Profile: entry.name,
  Kind: entry.kind,
  State: entry.state,
  ...endOf(entry.expiration, now),
  SessionProfile: entry.expiration === undefined ? undefined : sessionProfileOf(entry),
  SourceProfile: entry.source,
  UserProfile: entry.user,
  Region: entry.region,
  Account: entry.account,
  UserName: entry.userName,
  SerialNumber: entry.serialNumber,
  RoleArn: entry.roleArn,
  AccessKeyId: entry.accessKeyId,
  KeyStore: entry.keyStore,
  KeyCreated: entry.keyCreatedAt === undefined ? undefined : isoSeconds(entry.keyCreatedAt / 1000),
  LoginCommand: entry.loginCommand,
});

/** An end of a session as JSON tells it. */
export const endOf = (expiration: number | undefined, now: number): Readonly<Record<string, unknown>> =>
  expiration === undefined
    ? {}
    : {
        Expiration: isoSeconds(expiration),
        SecondsLeft: Math.max(0, expiration - Math.floor(now / 1000)),
      };

/** A document as it is printed. */
export const toJson = (value: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify(value, undefined, 2)}\n`;
