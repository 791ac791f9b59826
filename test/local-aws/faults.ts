import { refusal } from './refusal.ts';

/** Every kind of fault. */
export const faultKinds = [
  'error',
  'InternalFailure',
  'ServiceFailure',
  'ServiceUnavailable',
  'Throttling',
  'AccessDenied',
  'InvalidClientTokenId',
  'drop',
  'hang',
  'cut',
  'html',
  'redirect',
  'empty',
  'hold',
] as const;

/**
 * What goes wrong with a request. `error` needs status and code; the named errors have AWS's own. `drop` closes
 * the connection, `hang` never answers, `cut` stops in the middle of the answer, `html` is a captive portal's page
 * (200), `redirect` a 302, `empty` a 200 without a body; `hold` answers properly once released.
 */
export type Fault = {
  readonly kind: (typeof faultKinds)[number];
  /** Whether the action takes effect before it goes wrong; default false (`cut` always acts). */
  readonly after?: boolean | undefined;
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
};

/** A fault that waits for requests: the first `skip` go through, the next `times` get it. */
export type FaultRule = { readonly action: string; readonly fault: Fault; skip: number; times: number };

/** The fault for a request of this action, if one is waiting. Rules for `*` fit every action. */
export const takeFault = (rules: FaultRule[], action: string): Fault | undefined => {
  const index = rules.findIndex((rule) => rule.action === '*' || rule.action === action);
  const rule = rules[index];
  if (rule === undefined) return undefined;
  if (rule.skip > 0) {
    rule.skip -= 1;
    return undefined;
  }
  rule.times -= 1;
  if (rule.times <= 0) rules.splice(index, 1);
  return rule.fault;
};

/** The error answer of a fault; undefined for faults of the transport. */
export const faultError = (fault: Fault, caller: string, action: string): Error | undefined => {
  switch (fault.kind) {
    case 'error':
      return refusal(fault.status ?? 500, fault.code ?? 'InternalFailure', fault.message ?? '');
    case 'InternalFailure':
      return refusal(500, fault.kind, fault.message ?? 'We encountered an internal error. Please try again.');
    case 'ServiceFailure':
      return refusal(
        500,
        fault.kind,
        fault.message ?? 'The request processing has failed because of an unknown error.',
      );
    case 'ServiceUnavailable':
      return refusal(
        503,
        fault.kind,
        fault.message ?? 'The service is unavailable. Please try again shortly.',
      );
    case 'Throttling':
      return refusal(400, fault.kind, fault.message ?? 'Rate exceeded');
    case 'InvalidClientTokenId':
      return refusal(
        403,
        fault.kind,
        fault.message ?? 'The security token included in the request is invalid.',
      );
    case 'AccessDenied':
      return refusal(
        403,
        fault.kind,
        fault.message ??
          `User: ${caller} is not authorized to perform: ${action} with an explicit deny in an identity-based policy`,
      );
    default:
      return undefined;
  }
};
