import { UserError, isUserError } from '../errors.ts';
import type { AccessKey } from '../profiles/profile.ts';
import { shortId } from './description.ts';
import { resumeHint } from './rotation.ts';
import type { Rotation } from './rotation.ts';
import { firstPause, longestPause, settleLimit } from './signer.ts';

/**
 * Waits until a key answers three times in a row and IAM knows it, for a minute at most: AWS's servers learn about
 * changes one after the other, so one answer proves nothing. Raises UserError.
 */
export const settle = async (rotation: Rotation, key: AccessKey): Promise<void> => {
  const { signer, userName, context, settled, options } = rotation;
  const aws = signer.as(key);
  const start = context.now();
  let inARow = 0;
  let isKnownToIam = false;
  try {
    for (let pause = firstPause; ; pause = Math.min(pause * 1.5, longestPause)) {
      const answers: readonly boolean[] = await Promise.all([
        knowsKey(() => aws.getCallerIdentity()),
        isKnownToIam || knowsKey(() => aws.listAccessKeys(userName)),
      ]);
      isKnownToIam = answers[1] === true;
      inARow = answers[0] === true ? inARow + 1 : 0;
      if (inARow >= 3 && isKnownToIam) break;
      const waited = context.now() - start;
      if (waited >= settleLimit) {
        throw new UserError(`AWS does not accept the access key ${shortId(key.accessKeyId)} after a minute`, {
          hint: resumeHint(rotation),
        });
      }
      if (waited >= 1000) {
        const left = Math.ceil((settleLimit - waited) / 1000);
        options.progress(`waiting until AWS knows ${shortId(key.accessKeyId)} everywhere: ${left} s at most`);
      }
      await context.sleep(inARow > 0 && isKnownToIam ? firstPause : pause);
    }
  } finally {
    options.progress('');
  }
  settled.add(key.accessKeyId);
};

// AccessDenied proves that AWS knows the key; only the one answer of a key that it does not know is waited out.
export const knowsKey = async (ask: () => Promise<unknown>): Promise<boolean> => {
  try {
    await ask();
    return true;
  } catch (error) {
    if (!isUserError(error)) throw error;
    if (error.failureCode === 'AccessDenied') return true;
    if (error.failureCode === 'InvalidClientTokenId') return false;
    throw error;
  }
};
