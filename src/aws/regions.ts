import { UserError, exitCode } from '../errors.ts';
import { shellWord } from '../text.ts';
import { partitionOf } from './arns.ts';

// The region that answers for a whole partition: IAM's own one where there are several.
const defaultRegions: Readonly<Record<string, string>> = {
  aws: 'us-east-1',
  'aws-cn': 'cn-north-1',
  'aws-us-gov': 'us-gov-west-1',
  'aws-eusc': 'eusc-de-east-1',
  'aws-iso': 'us-iso-east-1',
  'aws-iso-b': 'us-isob-east-1',
  'aws-iso-e': 'eu-isoe-west-1',
  'aws-iso-f': 'us-isof-south-1',
};

/** The partition that a region belongs to, by the beginning of its name. */
export const partitionOfRegion = (region: string): string =>
  Object.entries(regionPrefixes).find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws';

const regionPrefixes: Readonly<Record<string, string>> = {
  'cn-': 'aws-cn',
  'us-gov-': 'aws-us-gov',
  'eusc-': 'aws-eusc',
  'us-iso-': 'aws-iso',
  'us-isob-': 'aws-iso-b',
  'eu-isoe-': 'aws-iso-e',
  'us-isof-': 'aws-iso-f',
};

// Where people sign in, and where the console is. Of other partitions neither is public.
const consoleHosts: Readonly<Record<string, { readonly signIn: string; readonly console: string }>> = {
  aws: { signIn: 'signin.aws.amazon.com', console: 'console.aws.amazon.com' },
  'aws-cn': { signIn: 'signin.amazonaws.cn', console: 'console.amazonaws.cn' },
  'aws-us-gov': { signIn: 'signin.amazonaws-us-gov.com', console: 'console.amazonaws-us-gov.com' },
  'aws-eusc': {
    signIn: 'eusc-de-east-1.signin.amazonaws-eusc.eu',
    console: 'console.amazonaws-eusc.eu',
  },
};

const hostsOf = (region: string): { readonly signIn: string; readonly console: string } => {
  const partition = partitionOfRegion(region);
  const hosts = consoleHosts[partition];
  if (hosts !== undefined) return hosts;
  throw new UserError(`where the console of partition ${partition} is, is not known here`);
};

/** AWS Sign-In for a region. Raises UserError where that is not public. */
export const signInUrl = (region: string): string => `https://${hostsOf(region).signIn}`;

/** The console of a region. Raises UserError where that is not public. */
export const consoleUrl = (region: string): string => `https://${hostsOf(region).console}`;

/**
 * The region that STS and IAM are asked in: `--region`, the profile's, the default of the serial
 * number's partition, else us-east-1. `AWS_REGION` is not read: it belongs to the last profile.
 * Raises UserError for what cannot be a region, since it becomes part of a host name.
 */
export const resolveRegion = (
  option: string | undefined,
  profileRegion: string | undefined,
  serialNumber: string | undefined,
): string => {
  const region = option ?? profileRegion;
  if (region !== undefined) return validRegion(region);
  const partition = serialNumber === undefined ? undefined : partitionOf(serialNumber);
  return defaultRegions[partition ?? 'aws'] ?? 'us-east-1';
};

/** The region as it is. Raises UserError (usage) for what cannot be one. */
export const validRegion = (region: string): string => {
  if (/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(region)) return region;
  throw new UserError(`${shellWord(region)} is no region`, {
    hint: 'regions look like eu-west-1',
    exitCode: exitCode.usage,
  });
};
