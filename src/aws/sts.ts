import { UserError, isUserError } from '../errors.ts';
import { shellWord } from '../text.ts';
import { toIdentity, toSession } from './answers.ts';
import type { CallerIdentity, Session } from './answers.ts';
import type { Sender } from './sender.ts';

/** What AssumeRole is asked for. */
export type RoleRequest = {
  readonly roleArn: string;
  /** 2 to 64 characters, which CloudTrail shows. */
  readonly sessionName: string;
  readonly externalId?: string | undefined;
  /** 900 to 43200, 3600 at most for a caller with a session. */
  readonly durationSeconds: number;
};

/** The calls of STS. Each raises UserError. */
export const stsCalls = ({ sts, rehearse, whole }: Sender) => ({
  /** Who the credentials belong to. */
  getCallerIdentity: async (): Promise<CallerIdentity> => {
    const answer = await sts('repeatable', (sdk, client, limit) =>
      client.send(new sdk.GetCallerIdentityCommand(), limit),
    );
    return whole('sts', toIdentity(answer));
  },

  /** A new session of a user. The code is sent once. */
  getSessionToken: async (
    serialNumber: string,
    tokenCode: string,
    durationSeconds: number,
  ): Promise<Session> => {
    const input = { SerialNumber: serialNumber, TokenCode: tokenCode, DurationSeconds: durationSeconds };
    const answer = await sts('once', (sdk, client, limit) =>
      client.send(new sdk.GetSessionTokenCommand(input), limit),
    );
    return whole('sts', toSession(answer.Credentials));
  },

  /** Makes getSessionToken quick, while somebody types the code. What fails here fails again there, where it is told. */
  prepareSessionToken: async (): Promise<void> => {
    const input = { SerialNumber: 'none', TokenCode: '000000' };
    await rehearse(
      (sdk, client, limit) => client.send(new sdk.GetSessionTokenCommand(input), limit),
      '<GetSessionTokenResponse><GetSessionTokenResult><Credentials><Expiration>2000-01-01T00:00:00Z</Expiration></Credentials></GetSessionTokenResult></GetSessionTokenResponse>',
    ).catch(() => {});
  },

  /** A session of a role, without a code: the caller's own session has MFA where the role demands it. */
  assumeRole: async (request: RoleRequest): Promise<Session> => {
    const { roleArn, sessionName, externalId, durationSeconds } = request;
    const input = {
      RoleArn: roleArn,
      RoleSessionName: sessionName,
      DurationSeconds: durationSeconds,
      ...(externalId === undefined ? {} : { ExternalId: externalId }),
    };
    try {
      const answer = await sts('repeatable', (sdk, client, limit) =>
        client.send(new sdk.AssumeRoleCommand(input), limit),
      );
      return whole('sts', toSession(answer.Credentials));
    } catch (error) {
      throw isUserError(error) ? explained(error, request) : error;
    }
  },
});

// By the message only where AWS has one code for several causes.
const explained = (error: UserError, { roleArn, externalId, durationSeconds }: RoleRequest): UserError => {
  const role = shellWord(roleArn);
  const message = error.cause instanceof Error ? error.cause.message : '';
  const make = (text: string, hint: string): UserError =>
    new UserError(`could not assume ${role}: ${text}`, {
      hint,
      failureCode: error.failureCode,
      cause: error.cause,
    });
  if (error.failureCode === 'AccessDenied') {
    if (message.includes('root accounts'))
      return make('AWS gives no role to a root key', 'use the access key of an IAM user');
    const id = externalId === undefined ? '' : ' (or its external id)';
    return make(
      `its trust policy${id} does not let you, your own policy does not, or there is no role of that name (AWS does not say which)`,
      'check role_arn and external_id, then ask who keeps the role for its trust policy and for sts:AssumeRole in yours',
    );
  }
  if (message.includes('1 hour session limit')) {
    return make(
      `a role assumed with a session lasts an hour at most, not ${durationSeconds} s`,
      'set duration_seconds to 3600, or remove it',
    );
  }
  if (message.includes('MaxSessionDuration')) {
    return make(
      `${durationSeconds} s is longer than the role allows`,
      'set a shorter duration_seconds, or have the MaxSessionDuration of the role raised',
    );
  }
  return error.failureCode === 'ValidationError' || error.failureCode === 'RegionDisabledException'
    ? make(error.message, error.hint ?? 'check role_arn, role_session_name, external_id and duration_seconds')
    : error;
};
