import type { Credentials } from '@aws-sdk/client-sts';
import { parseJsonObject } from '../text.ts';

export type CallerIdentity = { readonly account: string; readonly arn: string; readonly userId: string };
export type MfaDevice = { readonly serialNumber: string; readonly userName: string };
type KeyStatus = 'Active' | 'Inactive' | 'Expired';
export type KeyMetadata = {
  readonly accessKeyId: string;
  readonly status: KeyStatus;
  readonly createDate: Date | undefined;
};
export type NewKey = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly createDate: Date | undefined;
};
export type LastUsed = {
  readonly date: Date | undefined;
  readonly serviceName: string;
  readonly region: string;
};

/** Temporary credentials from GetSessionToken or AssumeRole; `expiration` in seconds since the epoch. */
export type Session = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: number;
};

// The longest that anything of AWS's may be here, in characters. AWS sets no limit for tokens; today's have some
// hundreds to thousands, and a variable of more than 128 KiB lets no command start.
const longest = { keyId: 128, secret: 256, token: 32_768, arn: 2048, name: 256 };

/** The session in an answer, undefined when it is not whole, or is too long to be one. */
export const toSession = (credentials: Credentials | undefined): Session | undefined => {
  const accessKeyId = word(credentials?.AccessKeyId, longest.keyId);
  const secretAccessKey = word(credentials?.SecretAccessKey, longest.secret);
  const sessionToken = word(credentials?.SessionToken, longest.token);
  const expiration = Math.floor((credentials?.Expiration?.getTime() ?? Number.NaN) / 1000);
  const isTime = expiration > 0 && expiration < endOfYear9999;
  return accessKeyId !== undefined && secretAccessKey !== undefined && sessionToken !== undefined && isTime
    ? { accessKeyId, secretAccessKey, sessionToken, expiration }
    : undefined;
};

// Seconds since the epoch: later times have five digits for the year, which nobody's parser takes.
const endOfYear9999 = 253_402_300_800;

/** The identity in an answer, undefined when it is not whole. */
export const toIdentity = (answer: {
  Account?: string | undefined;
  Arn?: string | undefined;
  UserId?: string | undefined;
}): CallerIdentity | undefined => {
  const account = word(answer.Account, longest.name);
  const arn = word(answer.Arn, longest.arn);
  const userId = word(answer.UserId, longest.name);
  return account !== undefined && arn !== undefined && userId !== undefined
    ? { account, arn, userId }
    : undefined;
};

/** The new key in an answer, undefined when it is not whole. */
export const toNewKey = (
  answer:
    | {
        AccessKeyId?: string | undefined;
        SecretAccessKey?: string | undefined;
        CreateDate?: Date | undefined;
      }
    | undefined,
): NewKey | undefined => {
  const accessKeyId = word(answer?.AccessKeyId, longest.keyId);
  const secretAccessKey = word(answer?.SecretAccessKey, longest.secret);
  return accessKeyId !== undefined && secretAccessKey !== undefined
    ? { accessKeyId, secretAccessKey, createDate: answer?.CreateDate }
    : undefined;
};

/** The id of an access key, undefined for what cannot be one. */
export const toKeyId = (text: string | undefined): string | undefined => word(text, longest.keyId);

/** The token in an answer of AWS Sign-In, undefined when there is none. */
export const toSigninToken = (text: string): string | undefined => {
  const token: unknown = parseJsonObject(text)?.['SigninToken'];
  return typeof token === 'string' ? word(token, longest.token) : undefined;
};

/** A serial number or the name of a user, undefined for what cannot be one. */
export const toName = (text: string | undefined): string | undefined => word(text, longest.name);

// Printable ASCII without blanks: nothing that AWS hands out has any other character.
const word = (text: string | undefined, most: number): string | undefined =>
  text !== undefined && text.length <= most && /^[\u0021-\u007E]+$/.test(text) ? text : undefined;
