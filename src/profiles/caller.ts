import { connect } from '../aws/client.ts';
import type { Aws } from '../aws/client.ts';
import { resolveConnection } from '../aws/connection.ts';
import { resolveRegion } from '../aws/regions.ts';
import type { Caller, Surroundings } from '../aws/sender.ts';
import type { Profile } from './profile.ts';

export type CallerOptions = {
  /** `--region`. */
  readonly region?: string | undefined;
  /** A serial number or another ARN that tells the partition where nothing names a region. */
  readonly arn?: string | undefined;
  /** Whether a prompt is waiting for us: shorter limits. */
  readonly hook?: boolean | undefined;
};

/** AWS as a profile's settings reach it, for any credentials. Raises UserError for settings that cannot be. */
export const connectAs = (
  credentials: Caller['credentials'],
  profile: Profile,
  { region, arn, hook = false }: CallerOptions,
  surroundings: Surroundings,
): Aws =>
  connect(
    {
      credentials,
      region: resolveRegion(region, profile.settings.get('region'), arn),
      connection: resolveConnection(profile, surroundings.env),
      hook,
    },
    surroundings,
  );
