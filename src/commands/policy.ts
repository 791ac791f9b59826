import type { Context } from '../context.ts';
import { exitCode } from '../errors.ts';
import { profileOf } from './given.ts';
import type { Given } from './given.ts';
import { partitionOf } from '../aws/arns.ts';
import { partitionOfRegion } from '../aws/regions.ts';
import { findProfile, readSharedFiles, resolveProfileName } from '../profiles/profile.ts';

export type PolicyOptions = {
  readonly profile?: string | undefined;
  readonly region?: string | undefined;
  /** Whether the keys may be changed only with MFA. */
  readonly mfa: boolean;
};

/** `policy`: prints the IAM policy that the commands need. */
export const runPolicy = async (
  given: Given<'profile' | 'region' | 'no-mfa'>,
  context: Context,
): Promise<number> => {
  const region = given.text('region');
  context.print(policy({ profile: profileOf(given), region, mfa: !given.flag('no-mfa') }, context));
  return exitCode.done;
};

/**
 * The IAM policy that the commands need, as JSON for the partition of the profile (there need not be one): what
 * rotate does, with MFA if so wished, and what init asks. GetSessionToken and GetCallerIdentity need no permission.
 */
export const policy = (options: PolicyOptions, context: Context): string => {
  const partition = partitionOfProfile(options, context);
  // the variable is the bare name, and a user with a path has that in front of it
  const own = ['user/${aws:username}', 'user/*/${aws:username}'].map(
    (resource) => `arn:${partition}:iam::*:${resource}`,
  );
  const document = {
    Version: '2012-10-17',
    Statement: [
      { Sid: 'FindOwnMfaDevices', Effect: 'Allow', Action: 'iam:ListMFADevices', Resource: own },
      {
        Sid: 'RotateOwnAccessKeys',
        Effect: 'Allow',
        Action: [
          'iam:CreateAccessKey',
          'iam:DeleteAccessKey',
          'iam:GetAccessKeyLastUsed',
          'iam:ListAccessKeys',
          'iam:UpdateAccessKey',
        ],
        Resource: own,
        ...(options.mfa ? { Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'true' } } } : {}),
      },
    ],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
};

const partitionOfProfile = ({ profile: named, region }: PolicyOptions, context: Context): string => {
  const shared = readSharedFiles(context.env);
  const keys = findProfile(resolveProfileName(named, context.env, shared), shared)?.settings;
  return partitionOf(keys?.get('mfa_serial') ?? '') ?? partitionOfRegion(region ?? keys?.get('region') ?? '');
};
