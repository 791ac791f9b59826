import { UserError, exitCode } from '../errors.ts';
import { shellWord } from '../text.ts';

/** Where a serial number comes from: the command line, or a profile. */
type Origin = { readonly given: boolean; readonly profileName: string };

/**
 * The serial number of an MFA device as it is. Raises UserError for what GetSessionToken would not take (9 to 256
 * characters of `[\w+=/:,.@-]`), as a usage error where it was given on the command line, and for a device whose codes
 * STS does not take.
 */
export const validSerialNumber = (serialNumber: string, { given, profileName }: Origin): string => {
  const hint = `run: aws-iam-login init ${shellWord(profileName)}`;
  if (!/^[\w+=/:,.@-]{9,256}$/.test(serialNumber)) {
    throw new UserError(`${shellWord(serialNumber)} is no serial number of an MFA device`, {
      hint: given
        ? 'it looks like arn:aws:iam::111122223333:mfa/name, or like GAHT12345678'
        : `${hint} --force`,
      exitCode: given ? exitCode.usage : exitCode.failed,
    });
  }
  const reason = reasonAgainst(serialNumber);
  if (reason !== undefined) {
    throw new UserError(`the MFA device ${serialNumber} cannot serve: ${reason}`, {
      hint: `${isSecurityKey(serialNumber) ? `${signInHint}; or ` : ''}add an authenticator app to the user, then ${hint} --force`,
    });
  }
  return serialNumber;
};

/** Whether a device is a security key or a passkey. */
export const isSecurityKey = (serialNumber: string): boolean => serialNumber.includes(':u2f/');

/** What serves those who have security keys and passkeys only. */
export const signInHint =
  "the AWS CLI's own sign-in takes security keys and passkeys: aws login --profile NEW-NAME";

/** Why a device cannot serve, undefined when it can. */
export const reasonAgainst = (serialNumber: string): string | undefined => {
  if (isSecurityKey(serialNumber))
    return 'a security key or passkey has no codes, and AWS STS takes only codes';
  if (serialNumber.includes(':sms-mfa/')) return 'AWS has retired codes by SMS';
  return undefined;
};
