import { randomBytes } from 'node:crypto';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/**
 * A key id as AWS makes them since 2019: the prefix and 16 base32 characters that hold the account number in
 * bits 1 to 40 (see https://awsteele.com/blog/2020/09/26/aws-access-key-format.html).
 */
export const makeAccessKeyId = (prefix: 'AKIA' | 'ASIA', account: string): string => {
  const bytes = randomBytes(10);
  const head = (1n << 47n) | (BigInt(account) << 7n) | BigInt(bytes.readUInt8(5) & 0x7f);
  bytes.writeUIntBE(Number(head), 0, 6);
  return prefix + encodeBase32(bytes);
};

/** The account number that an access key id of today's form holds, twelve digits. */
export const accountOf = (accessKeyId: string): string => {
  let bits = 0n;
  for (const character of accessKeyId.slice(4, 14)) bits = bits * 32n + BigInt(alphabet.indexOf(character));
  return String((bits >> 9n) & ((1n << 40n) - 1n)).padStart(12, '0');
};

/** A unique id of 21 characters, as IAM gives to users (`AIDA`) and roles (`AROA`). */
export const makeUniqueId = (prefix: 'AIDA' | 'AROA'): string =>
  prefix + encodeBase32(randomBytes(11)).slice(0, 17);

/** A secret access key: 40 characters of the base64 alphabet. */
export const makeSecretAccessKey = (): string => randomBytes(30).toString('base64');

/** A session token that holds `bytes` bytes, in base64, with its padding where there is one. */
export const makeSessionToken = (bytes: number): string =>
  Buffer.concat([Buffer.from('FwoGZXIvYXdzE', 'base64'), randomBytes(bytes)]).toString('base64');

/** An MFA seed as CreateVirtualMFADevice returns it: 64 base32 characters. */
export const makeSeed = (): string => encodeBase32(randomBytes(40));

/** RFC 4648 base32 without padding. */
export const encodeBase32 = (bytes: Uint8Array): string => {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = bits.match(/.{1,5}/g) ?? [];
  return groups.map((group) => alphabet[Number.parseInt(group.padEnd(5, '0'), 2)]).join('');
};
