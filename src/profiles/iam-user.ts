import { userNameOfArn } from '../aws/arns.ts';
import { UserError } from '../errors.ts';
import { shellWord } from '../text.ts';
import type { Profile } from './profile.ts';

/**
 * The name of the IAM user that the key of a profile belongs to, by the ARN that AWS gave for it: what follows the last
 * slash, since users can have paths. Raises UserError for root, for which `root` says what speaks against it, and for
 * roles and federated users.
 */
export const iamUserName = (
  arn: string,
  profile: Profile,
  root: { readonly reason: string; readonly hint: string },
): string => {
  const userName = userNameOfArn(arn);
  if (userName !== undefined) return userName;
  const where = `the key of profile ${shellWord(profile.name)}`;
  const hint = 'use the access key of an IAM user';
  if (arn.endsWith(':root')) {
    throw new UserError(`${where} is a root key${root.reason}`, { hint: root.hint });
  }
  if (/:assumed-role\//.test(arn)) {
    throw new UserError(`${where} belongs to a role session (${arn}), which is no IAM user`, { hint });
  }
  if (/:federated-user\//.test(arn)) {
    throw new UserError(`${where} belongs to a federated user (${arn}), which is no IAM user`, { hint });
  }
  throw new UserError(`${where} belongs to ${arn}, which is no IAM user`, { hint });
};
