import { makeSessionToken } from './identifiers.ts';
import { type Reply, plain } from './reply.ts';
import { type Session, type State, serverNow } from './state.ts';

const tokenSeconds = 900;

/**
 * What AWS Sign-In does with a form of its federation endpoint. `getSigninToken` gives a token for the session of a role
 * or of a federated user, and none for that of a user, nor with SessionDuration where the session is a federated user's
 * or of a role that was assumed with a session; `login` leads the holder of a token to a page of the console.
 */
export const federate = (state: State, form: URLSearchParams, method: string): Reply => {
  const action = form.get('Action');
  if (action === 'getSigninToken') return giveToken(state, form);
  if (action === 'login' && method === 'GET') return logIn(state, form);
  return refuse('Unknown action');
};

/** The session that a form holds, whole and alive. */
export const sessionIn = (form: URLSearchParams, state: State): Session | undefined => {
  const given = parseSession(form.get('Session') ?? '');
  const session = state.sessions.get(String(given['sessionId']));
  if (session === undefined || serverNow(state) >= session.expiresAt) return undefined;
  const isSame =
    given['sessionKey'] === session.secretAccessKey && given['sessionToken'] === session.sessionToken;
  return isSame ? session : undefined;
};

const parseSession = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
  } catch {
    return {};
  }
};

const giveToken = (state: State, form: URLSearchParams): Reply => {
  const session = sessionIn(form, state);
  const { identity } = session ?? {};
  if (session === undefined || identity === undefined || identity.kind === 'user')
    return refuse('Bad Request');
  if (identity.kind === 'role' && identity.role.deleted) return refuse('Bad Request');
  if (![null, 'json'].includes(form.get('SessionType'))) return refuse('Bad Request');
  const duration = form.get('SessionDuration');
  if (duration !== null) {
    const isInRange = /^\d{3,5}$/.test(duration) && Number(duration) >= 900 && Number(duration) <= 43_200;
    if (identity.kind !== 'role' || session.chained || !isInRange)
      return refuse('Invalid credentials parameter');
  }
  const token = makeSessionToken(500);
  state.signinTokens.set(token, { session, expiresAt: serverNow(state) + tokenSeconds * 1000 });
  return plain(200, JSON.stringify({ SigninToken: token }), { 'Content-Type': 'application/json' });
};

const logIn = (state: State, form: URLSearchParams): Reply => {
  const token = state.signinTokens.get(form.get('SigninToken') ?? '');
  const isGood = token !== undefined && serverNow(state) < Math.min(token.expiresAt, token.session.expiresAt);
  if (!isGood) return refuse('The sign-in token is not valid or has expired');
  const destination = form.get('Destination') ?? '';
  const host = URL.canParse(destination) ? new URL(destination).host : '';
  if (host !== consoles[partitionOf(token.session)])
    return refuse('The destination is no page of the console');
  return plain(302, '', { Location: destination });
};

const consoles: Readonly<Record<string, string>> = {
  aws: 'console.aws.amazon.com',
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
};

const partitionOf = ({ identity }: Session): string =>
  identity.kind === 'role' ? identity.role.partition : identity.user.partition;

const refuse = (text: string): Reply =>
  plain(400, `<!DOCTYPE html><html><body><h1>${text}</h1></body></html>\n`, { 'Content-Type': 'text/html' });
