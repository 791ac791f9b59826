import type { LastUsed } from '../aws/answers.ts';
import { isUserError } from '../errors.ts';
import { formatAge } from './description.ts';
import type { Rotation } from './rotation.ts';

/** When and where a key was last used, as AWS tells it hours later; a sentence also when it does not tell. */
export const lastUseOf = async (rotation: Rotation, accessKeyId: string): Promise<string> => {
  // it is a courtesy: what denies it asks for no code
  const last = await rotation.signer
    .present()
    .getAccessKeyLastUsed(accessKeyId)
    .catch((error: unknown) => {
      if (isUserError(error)) return undefined;
      throw error;
    });
  return describeLastUse(last, rotation.context.now());
};

const describeLastUse = (last: LastUsed | undefined, now: number): string => {
  if (last === undefined) return 'last use unknown';
  if (last.date === undefined) return 'never used';
  return `last used ${formatAge(now - last.date.getTime())} (${last.serviceName}, ${last.region})`;
};
