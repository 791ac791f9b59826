import { UserError, isUserError } from '../errors.ts';
import { toSigninToken } from './answers.ts';
import type { Session } from './answers.ts';
import { formRefused } from './http.ts';
import type { Sender } from './sender.ts';

const path = '/federation';

/** The calls of AWS Sign-In, which lets the session of a role into the console. Each raises UserError. */
export const signInCalls = ({ post, urlOf, whole }: Sender) => ({
  /**
   * The URL that signs a browser in and leads it to `destination`: good for 15 minutes, for whoever has it. The session
   * is sent in the body, where no log of URLs finds it, and without SessionDuration, which AWS refuses for a role that
   * was assumed with a session: the console stays open as long as the session lives.
   */
  getSignInUrl: async (session: Session, destination: string): Promise<string> => {
    const { accessKeyId: sessionId, secretAccessKey: sessionKey, sessionToken } = session;
    const form = new URLSearchParams({
      Action: 'getSigninToken',
      SessionType: 'json',
      Session: JSON.stringify({ sessionId, sessionKey, sessionToken }),
    });
    const text = await post('signin', path, form).catch((error: unknown) => {
      throw isUserError(error) && error.failureCode === formRefused ? refused(error) : error;
    });
    const url = new URL(urlOf('signin').href.replace(/\/$/, '') + path);
    url.search = new URLSearchParams({
      Action: 'login',
      Issuer: 'aws-iam-login',
      Destination: destination,
      SigninToken: whole('signin', toSigninToken(text)),
    }).toString();
    return url.href;
  },
});

const refused = (error: UserError): UserError =>
  new UserError('AWS Sign-In does not take the session: it may have been revoked', {
    hint: 'run: aws-iam-login login, with the role profile, for a new one',
    failureCode: error.failureCode,
    cause: error.cause,
  });
