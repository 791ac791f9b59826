import { Secret, TOTP } from 'otpauth';
import { accessDenied } from './refusal.ts';
import { type MfaDevice, type State, type User, serverNow } from './state.ts';

/**
 * Judges serial number and token code (RFC 6238, one step of drift) and uses the code up: each is accepted once.
 * Returns whether MFA was given; refuses with AWS's three messages.
 */
export const verifyMfa = (
  state: State,
  user: User | undefined,
  serialNumber: string | undefined,
  tokenCode: string | undefined,
): boolean => {
  if (serialNumber === undefined && tokenCode === undefined) return false;
  if (serialNumber === undefined || tokenCode === undefined) {
    throw accessDenied(
      'MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.',
    );
  }
  const device = user?.devices.find((candidate) => candidate.serialNumber === serialNumber);
  if (device === undefined || device.kind === 'u2f' || device.kind === 'sms-mfa') {
    throw accessDenied(
      'MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.',
    );
  }
  const step = acceptableSteps(state, device).find((candidate) => codeOf(device, candidate) === tokenCode);
  if (step === undefined) {
    throw accessDenied('MultiFactorAuthentication failed with invalid MFA one time pass code. ');
  }
  device.lastStep = step;
  return true;
};

/** A code that will be accepted; the device's time moves on where the present codes are used up. */
export const nextCode = (state: State, device: MfaDevice): string => {
  const step = Math.max(currentStep(state, device), device.lastStep + 1);
  device.stepsAhead += Math.max(0, step - 1 - currentStep(state, device));
  return codeOf(device, step);
};

/** The code so many 30-second steps from now. */
export const codeAt = (state: State, device: MfaDevice, steps: number): string =>
  codeOf(device, currentStep(state, device) + steps);

/** Six digits that are none of the codes of the hour around now. */
export const wrongCode = (state: State, device: MfaDevice): string => {
  const codes = new Set(Array.from({ length: 241 }, (_, index) => codeAt(state, device, index - 120)));
  let wrong = Number(codeAt(state, device, 0));
  do wrong = (wrong + 111_111) % 1_000_000;
  while (codes.has(padded(wrong)));
  return padded(wrong);
};

const padded = (code: number): string => String(code).padStart(6, '0');

const acceptableSteps = (state: State, device: MfaDevice): number[] => {
  const current = currentStep(state, device);
  return [current - 1, current, current + 1].filter((step) => step > device.lastStep);
};

const currentStep = (state: State, device: MfaDevice): number =>
  Math.floor(serverNow(state) / 30_000) + device.stepsAhead;

const codeOf = (device: MfaDevice, step: number): string =>
  TOTP.generate({ secret: Secret.fromBase32(device.seed), timestamp: step * 30_000 });
