import { accountOfArn, partitionOf } from '../aws/arns.ts';
import { consoleUrl, partitionOfRegion, resolveRegion } from '../aws/regions.ts';
import { tell } from '../context.ts';
import type { Context } from '../context.ts';
import { UserError, exitCode, usageError } from '../errors.ts';
import { connectAs } from '../profiles/caller.ts';
import { refuseForeign } from '../profiles/foreign.ts';
import { getProfile, readSharedFiles, resolveProfileName } from '../profiles/profile.ts';
import type { Profile, SharedFiles } from '../profiles/profile.ts';
import { isRole } from '../profiles/role.ts';
import { formatEnd } from '../sessions/expiration.ts';
import { liveSession } from '../sessions/login.ts';
import { readOverview } from '../sessions/overview.ts';
import { findBrowser, openBrowser, reasonAgainstBrowser } from '../terminal/browser.ts';
import { listed, shellWord } from '../text.ts';
import { minTtlOf, sessionOptionsOf } from './given.ts';
import type { Given, SessionOption } from './given.ts';

type ConsoleOption = SessionOption | 'service' | 'print' | 'browser';

/** `console`: signs a browser in as a role, or prints the URL that does. */
export const runConsole = async (given: Given<ConsoleOption>, context: Context): Promise<number> => {
  const asked = sessionOptionsOf(given);
  const service = validService(given.text('service'));
  const wished = given.text('browser');
  if (wished !== undefined && given.flag('print'))
    throw usageError('--print and --browser do not go together');
  const shared = readSharedFiles(context.env);
  const profile = getProfile(resolveProfileName(asked.profile, context.env, shared), shared);
  refuseUser(profile, shared, context);
  const roleArn = profile.settings.get('role_arn') ?? '';
  checkPartition(roleArn, asked.region ?? profile.settings.get('region'));
  const { env } = context;
  const browser = wished === undefined ? undefined : await findBrowser(wished, env, process.platform);
  const reason =
    wished === undefined && !given.flag('print') ? reasonAgainstBrowser(env, process.platform) : undefined;

  // the console is open for as long as the session lives: one that ends soon is no good
  const minTtl = minTtlOf(given.text('min-ttl') ?? consoleMinTtl);
  const live = await liveSession({ ...asked, minTtl }, context);
  const aws = connectAs(live.session, profile, { region: asked.region, arn: roleArn }, context);
  const url = await aws.getSignInUrl(live.session, destinationOf(service, live.region, roleArn));
  const end = formatEnd(live.session.expiration, context.now());
  tell(context, `console as ${describeRole(roleArn)} until ${end}`);
  if (!given.flag('print') && reason === undefined) {
    const failure = await openBrowser(url, browser, context);
    if (failure === undefined) return exitCode.done;
    tell(context, `no browser could be opened (${failure}): use this link`);
  } else if (reason !== undefined) {
    tell(context, `${reason} no browser is opened: use this link`);
  }
  context.print(`${url}\n`);
  tell(context, 'for 15 minutes the link signs in whoever has it');
  return exitCode.done;
};

// A role's session lasts an hour at most, and a new one needs no code.
const consoleMinTtl = '45m';

const describeRole = (roleArn: string): string =>
  `role ${roleArn.replace(/^.*\//, '')} of account ${accountOfArn(roleArn) ?? 'unknown'}`;

/** Raises UserError for a profile whose session AWS does not let into the console, with those that would do. */
const refuseUser = (profile: Profile, shared: SharedFiles, context: Context): void => {
  if (isRole(profile)) return;
  refuseForeign(profile);
  const name = shellWord(profile.name);
  const options = { minTtl: 0, now: context.now(), keyDate: () => undefined };
  const roles = readOverview(shared, options).filter(({ user }) => user === profile.name);
  const [first] = roles;
  throw new UserError(`profile ${name} is a user, and AWS lets only roles into the console`, {
    hint:
      first === undefined
        ? `add a role profile (role_arn, source_profile = ${name}) to ${shared.files.config}, or sign in with the user's password`
        : `aws-iam-login console ${shellWord(first.name)}${roles.length === 1 ? '' : `; roles of ${name}: ${listed(roles.map((role) => role.name))}`}`,
  });
};

const checkPartition = (roleArn: string, region: string | undefined): void => {
  const partition = partitionOf(roleArn);
  if (region === undefined || partition === undefined || partitionOfRegion(region) === partition) return;
  throw usageError(
    `region ${shellWord(region)} is of partition ${partitionOfRegion(region)}, and the role of ${partition}`,
    'pass --region with a region of that partition',
  );
};

const validService = (service: string | undefined): string | undefined => {
  if (service === undefined || /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/.test(service)) return service;
  throw usageError(
    `${shellWord(service)} is no service of the console`,
    'it is the first word behind the host in the address of its page: s3, ec2, cloudwatch, systems-manager',
  );
};

/** The page of the console where the sign-in leads. */
const destinationOf = (service: string | undefined, region: string | undefined, roleArn: string): string => {
  const url = new URL(`/${service ?? 'console'}/home`, consoleUrl(resolveRegion(region, undefined, roleArn)));
  if (region !== undefined) url.searchParams.set('region', region);
  return url.href;
};
