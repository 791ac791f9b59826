import { randomUUID } from 'node:crypto';
import { authenticate, identityOf } from './authenticate.ts';
import { federate, sessionIn } from './federation.ts';
import { faultError, takeFault, type Fault } from './faults.ts';
import { iamOperations } from './iam.ts';
import { checkParameters } from './parameters.ts';
import { type Reply, plain } from './reply.ts';
import { type Refusal, isRefusal, refusal } from './refusal.ts';
import { type Claim, type WireRequest, readClaim } from './signature.ts';
import { type Call, type Service, type State, arnOf, serverNow } from './state.ts';
import { type Operation, stsOperations } from './sts.ts';
import { type Xml, element } from './xml.ts';

type Dispatched = { service: Service; action: string; operation: Operation; form: URLSearchParams };

const services: Record<
  Service,
  { version: string; namespace: string; operations: Record<string, Operation> }
> = {
  sts: {
    version: '2011-06-15',
    namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    operations: stsOperations,
  },
  iam: {
    version: '2010-05-08',
    namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
    operations: iamOperations,
  },
};

const faultNamespace = 'http://webservices.amazon.com/AWSFault/2005-15-09';

/** Answers one request of the Query protocol, counts it, and lets the waiting faults happen. */
export const answer = async (state: State, basePath: string, request: WireRequest): Promise<Reply> => {
  if (request.path === `${basePath}/federation`) return answerFederation(state, request);
  if (![basePath, `${basePath}/`].includes(request.path)) return plain(404, '<UnknownOperationException/>');
  const form = readForm(request);
  if (form?.get('Action') === undefined || form.get('Action') === null) {
    return plain(302, '', { Location: 'https://aws.amazon.com/iam' });
  }
  try {
    return await answerAction(state, request, dispatch(form));
  } catch (error) {
    if (isRefusal(error)) return errorReply(error, faultNamespace);
    throw error;
  }
};

// AWS Sign-In is beside the protocol: nobody signs, and what it refuses it refuses with a page.
const answerFederation = async (state: State, request: WireRequest): Promise<Reply> => {
  const form = readForm(request) ?? new URLSearchParams();
  const action = form.get('Action') ?? '';
  const session = sessionIn(form, state);
  const call: Call = {
    action,
    service: 'signin',
    accessKeyId: session?.accessKeyId,
    caller: session && arnOf(session.identity),
    region: undefined,
    at: serverNow(state),
    status: undefined,
    code: undefined,
  };
  state.calls.push(call);
  for (const watcher of state.watchers) watcher();
  const fault = takeFault(state.faults, action);
  if (fault?.kind === 'hold') await untilReleased(state);
  const reply = federate(state, form, request.method);
  const isFaulty = fault !== undefined && fault.kind !== 'hold';
  return finishCall(
    state,
    call,
    isFaulty ? faultReply(fault, call, { service: 'sts', action }, reply) : reply,
  );
};

const readForm = ({ method, query, headers, body }: WireRequest): URLSearchParams | undefined => {
  if (method === 'GET') return query;
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  return isForm ? new URLSearchParams(body.toString()) : undefined;
};

const dispatch = (form: URLSearchParams): Dispatched => {
  const action = form.get('Action') ?? '';
  const version = form.get('Version') ?? 'NO_VERSION_SPECIFIED';
  const service = version === services.sts.version ? 'sts' : 'iam';
  const operation = Object.hasOwn(services[service].operations, action)
    ? services[service].operations[action]
    : undefined;
  if (operation === undefined || version !== services[service].version) {
    throw refusal(400, 'InvalidAction', `Could not find operation ${action} for version ${version}`);
  }
  return { service, action, operation, form };
};

const answerAction = async (state: State, request: WireRequest, target: Dispatched): Promise<Reply> => {
  const claim = attempt(() => readClaim(request));
  const call = countCall(state, target, claim);
  const fault = takeFault(state.faults, target.action);
  const early = fault !== undefined && fault.after !== true && fault.kind !== 'cut';
  if (early && fault.kind === 'hold') await untilReleased(state);
  const reply =
    early && fault.kind !== 'hold'
      ? faultReply(fault, call, target)
      : await operate(state, request, target, claim);
  if (fault?.after === true && fault.kind === 'hold') await untilReleased(state);
  const late = fault !== undefined && !early && fault.kind !== 'hold';
  return finishCall(state, call, late ? faultReply(fault, call, target, reply) : reply);
};

const operate = async (
  state: State,
  request: WireRequest,
  { service, action, operation, form }: Dispatched,
  claim: Claim | Refusal,
): Promise<Reply> => {
  const { namespace } = services[service];
  try {
    if (isRefusal(claim)) throw claim;
    const caller = await authenticate(state, service, claim, request);
    const result = operation.run(state, caller, checkParameters(form, operation.parameters));
    return successReply(service, action, result);
  } catch (error) {
    if (isRefusal(error)) return errorReply(error, namespace);
    throw error;
  }
};

const attempt = (read: () => Claim): Claim | Refusal => {
  try {
    return read();
  } catch (error) {
    if (isRefusal(error)) return error;
    throw error;
  }
};

const countCall = (state: State, { service, action, form }: Dispatched, claim: Claim | Refusal): Call => {
  const known = isRefusal(claim) ? undefined : claim;
  const identity = known && identityOf(state, known.accessKeyId);
  const call: Call = {
    action,
    service,
    accessKeyId: known?.accessKeyId,
    caller: identity && arnOf(identity),
    region: known?.region,
    at: serverNow(state),
    status: undefined,
    code: undefined,
    roleArn: form.get('RoleArn') ?? undefined,
  };
  state.calls.push(call);
  for (const watcher of state.watchers) watcher();
  return call;
};

const finishCall = (state: State, call: Call, reply: Reply): Reply => {
  call.status = reply.ending === 'whole' ? reply.status : 0;
  call.code = /<Code>(.*)<\/Code>/.exec(reply.body)?.[1];
  for (const watcher of state.watchers) watcher();
  return reply;
};

const untilReleased = async (state: State): Promise<void> => {
  await new Promise<void>((resolve) => {
    state.held.push(resolve);
    for (const watcher of state.watchers) watcher();
  });
};

const faultReply = (
  fault: Fault,
  call: Call,
  { service, action }: Pick<Dispatched, 'service' | 'action'>,
  made?: Reply,
): Reply => {
  const error = faultError(fault, call.caller ?? 'anonymous', `${service}:${action}`);
  if (isRefusal(error)) return errorReply(error, services[service].namespace);
  switch (fault.kind) {
    case 'drop':
    case 'hang':
      return { ...plain(200, ''), ending: fault.kind };
    case 'cut':
      return { ...(made ?? plain(200, '')), ending: 'cut' };
    case 'redirect':
      return plain(302, '', { Location: 'http://portal.example/login' });
    case 'html':
      return plain(200, '<!DOCTYPE html><html><body><h1>Welcome to the hotel</h1></body></html>\n', {
        'Content-Type': 'text/html',
      });
    default:
      return plain(200, '');
  }
};

const successReply = (service: Service, action: string, result: Xml): Reply => {
  const requestId = randomUUID();
  const content = { [`${action}Result`]: result, ResponseMetadata: { RequestId: requestId } };
  const body = element(`${action}Response`, content, ` xmlns="${services[service].namespace}"`);
  return {
    status: 200,
    headers: { ...protocolHeaders(requestId), ...extendedHeaders(service) },
    body,
    ending: 'whole',
  };
};

const errorReply = (error: Refusal, namespace: string): Reply => {
  const requestId = randomUUID();
  const content = {
    Error: {
      Type: error.status >= 500 ? 'Receiver' : 'Sender',
      Code: error.code,
      Message: error.withoutMessage === true ? undefined : error.message,
    },
    RequestId: requestId,
  };
  const service = namespace === services.sts.namespace ? 'sts' : 'iam';
  return {
    status: error.status,
    headers: { ...protocolHeaders(requestId), ...extendedHeaders(service) },
    body: element('ErrorResponse', content, ` xmlns="${namespace}"`),
    ending: 'whole',
  };
};

const protocolHeaders = (requestId: string): Record<string, string> => ({
  'Content-Type': 'text/xml',
  'x-amzn-requestid': requestId,
});

const extendedHeaders = (service: Service): Record<string, string> =>
  service === 'sts' ? { 'x-amz-sts-extended-request-id': Buffer.from(randomUUID()).toString('base64') } : {};
