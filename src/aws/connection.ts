import type { Environment } from '../context.ts';
import { UserError } from '../errors.ts';
import { readSection } from '../ini/read.ts';
import { shellWord } from '../text.ts';

/** STS and IAM, and AWS Sign-In, which is not of their kind: it takes a session in a form and signs nobody's requests. */
export type Service = 'sts' | 'iam' | 'signin';

/** A value that somebody configured, and where it stands, in words: `AWS_ENDPOINT_URL`, `ca_bundle of profile work`. */
export type Configured = { readonly value: string; readonly setting: string };

/** The way to AWS, as the variables and one profile describe it. */
export type Connection = {
  /** Configured endpoints; undefined is AWS's own. */
  readonly endpoints: Readonly<Record<Service, Configured | undefined>>;
  /** What asks for AWS's FIPS endpoints, or those with IPv6; undefined when nothing does. */
  readonly fips: Configured | undefined;
  readonly dualstack: Configured | undefined;
  /** The file of certificates to trust instead of Node's own. */
  readonly certificates: Configured | undefined;
};

/** What is needed of a profile: its settings of both files, and the config file for its `services` section. */
export type ProfileSettings = {
  readonly name: string;
  readonly settings: ReadonlyMap<string, string>;
  readonly configBytes: Buffer | undefined;
};

/**
 * The way to AWS for a profile. A variable goes before the profile, an empty one counts as none, as in AWS's own
 * tools; resolved here because the SDK looks at `AWS_PROFILE` instead of the profile in hand. Raises UserError for an
 * endpoint that is no http(s) URL and for a switch that is neither true nor false.
 */
export const resolveConnection = (profile: ProfileSettings, env: Environment): Connection => ({
  endpoints: {
    sts: resolveEndpoint('sts', profile, env),
    iam: resolveEndpoint('iam', profile, env),
    signin: resolveEndpoint('signin', profile, env),
  },
  fips: resolveSwitch('use_fips_endpoint', profile, env),
  dualstack: resolveSwitch('use_dualstack_endpoint', profile, env),
  certificates: firstOf([
    ['AWS_CA_BUNDLE', env['AWS_CA_BUNDLE']],
    [`ca_bundle of profile ${shellWord(profile.name)}`, profile.settings.get('ca_bundle')],
  ]),
});

/**
 * In AWS's order: `AWS_ENDPOINT_URL_<SERVICE>`, `AWS_ENDPOINT_URL`, the profile's `services` section, its
 * `endpoint_url`; none with `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`. Sign-In is sent whole sessions, secret and all, so only
 * what names it leads it elsewhere.
 */
const resolveEndpoint = (
  service: Service,
  profile: ProfileSettings,
  env: Environment,
): Configured | undefined => {
  if (env['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS']?.toLowerCase() === 'true') return undefined;
  const isForAll = service !== 'signin';
  const variable = `AWS_ENDPOINT_URL_${service.toUpperCase()}`;
  const found = firstOf([
    [variable, env[variable]],
    ['AWS_ENDPOINT_URL', isForAll ? env['AWS_ENDPOINT_URL'] : undefined],
    [`the services section of profile ${shellWord(profile.name)}`, servicesEndpoint(service, profile)],
    [
      `endpoint_url of profile ${shellWord(profile.name)}`,
      isForAll ? profile.settings.get('endpoint_url') : undefined,
    ],
  ]);
  if (found === undefined || isHttpUrl(found.value)) return found;
  throw new UserError(`${found.setting} is no http or https URL`, {
    hint: 'an endpoint looks like https://sts.example.com',
  });
};

const servicesEndpoint = (service: Service, profile: ProfileSettings): string | undefined => {
  const services = profile.settings.get('services');
  if (services === undefined || profile.configBytes === undefined) return undefined;
  return readSection(profile.configBytes, `services ${services}`)?.nested.get(service)?.get('endpoint_url');
};

const resolveSwitch = (name: string, profile: ProfileSettings, env: Environment): Configured | undefined => {
  const variable = `AWS_${name.toUpperCase()}`;
  const found = firstOf([
    [variable, env[variable]],
    [`${name} of profile ${shellWord(profile.name)}`, profile.settings.get(name)],
  ]);
  if (found === undefined || found.value.toLowerCase() === 'false') return undefined;
  if (found.value.toLowerCase() === 'true') return found;
  throw new UserError(`${found.setting} is neither true nor false: ${shellWord(found.value)}`, {
    hint: `set ${found.setting} to true or false`,
  });
};

const firstOf = (candidates: ReadonlyArray<readonly [string, string | undefined]>): Configured | undefined =>
  candidates.flatMap(([setting, value]) => (value ? [{ setting, value }] : []))[0];

const isHttpUrl = (text: string): boolean =>
  URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
