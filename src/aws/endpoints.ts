import { UserError, exitCode } from '../errors.ts';
import type { Environment } from '../context.ts';
import type { Profile } from '../profiles/profile.ts';
import { readSection } from '../ini/read.ts';
import { shellWord } from '../text.ts';

export type Service = 'sts' | 'iam';

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

/** The partition of an ARN (`arn:aws-cn:iam::…` is `aws-cn`), undefined for what is no ARN. */
export const partitionOf = (arn: string): string | undefined => /^arn:([a-z0-9-]+):/.exec(arn)?.[1];

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

/** The account of an ARN, twelve digits, undefined for what has none. */
export const accountOfArn = (arn: string): string | undefined =>
  /^arn:[a-z0-9-]+:[a-z0-9-]*:[^:]*:(\d{12}):/.exec(arn)?.[1];

/** The name of the IAM user of an ARN, what follows the last slash since users can have paths; undefined for all else. */
export const userNameOfArn = (arn: string): string | undefined =>
  /^arn:[a-z0-9-]+:iam::\d{12}:user\/(?:.+\/)?([\w+=,.@-]+)$/.exec(arn)?.[1];

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

/**
 * The configured endpoint of a service, undefined when AWS's own is meant. In AWS's order:
 * `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`, the profile's `services` section, its `endpoint_url`;
 * none with `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`. Resolved here because the SDK looks at `AWS_PROFILE`
 * instead of the profile in hand. Raises UserError for what is no http(s) URL.
 */
export const resolveEndpointUrl = (
  service: Service,
  profile: Profile,
  env: Environment,
): string | undefined => {
  if (env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']?.toLowerCase() === 'true') return undefined;
  const variable = `AWS_ENDPOINT_URL_${service.toUpperCase()}`;
  const candidates: Array<[string, string | undefined]> = [
    [variable, env[variable]],
    ['AWS_ENDPOINT_URL', env['AWS_ENDPOINT_URL']],
    [`the services section of profile ${shellWord(profile.name)}`, servicesEndpoint(service, profile)],
    [`endpoint_url of profile ${shellWord(profile.name)}`, profile.settings.get('endpoint_url')],
  ];
  const found = candidates.find(([, url]) => url !== undefined && url !== '');
  if (found === undefined) return undefined;
  const [origin, url] = found;
  if (url === undefined || !isHttpUrl(url)) {
    throw new UserError(`${origin} is no http or https URL`, {
      hint: 'an endpoint looks like https://sts.example.com',
    });
  }
  return url;
};

const servicesEndpoint = (service: Service, profile: Profile): string | undefined => {
  const services = profile.settings.get('services');
  if (services === undefined || profile.configBytes === undefined) return undefined;
  return readSection(profile.configBytes, `services ${services}`)?.nested.get(service)?.get('endpoint_url');
};

const isHttpUrl = (text: string): boolean => {
  try {
    return ['http:', 'https:'].includes(new URL(text).protocol);
  } catch {
    return false;
  }
};
