import type { KeyMetadata } from '../aws/answers.ts';
import { UserError } from '../errors.ts';
import { shellWord } from '../text.ts';
import { describeHolders, formatAge, shortId } from './description.ts';
import { lastUseOf } from './last-use.ts';
import { confirm, deleteKey, say } from './rotation.ts';
import type { RotateOptions, Rotation } from './rotation.ts';

/** Makes room for a new key where that is wished. Raises UserError, with both keys shown, where it is not. */
export const deleteOther = async (
  rotation: Rotation,
  other: KeyMetadata,
  keys: readonly KeyMetadata[],
  options: RotateOptions,
): Promise<void> => {
  const { userName, store, profile } = rotation;
  const id = shortId(other.accessKeyId);
  for (const each of keys) say(rotation, await describeKey(rotation, each));
  const holders = store.find({ accessKeyId: other.accessKeyId });
  const command = `aws-iam-login rotate ${shellWord(profile.name)} --delete-other`;
  if (!options.deleteOther) {
    throw new UserError(
      `user ${userName} has two access keys, the most that AWS allows, so there is no room for a new one: nothing was changed`,
      {
        hint:
          holders.length === 0
            ? `${command} deletes ${id} first`
            : `${id} is in use: let ${describeHolders(holders)} hold the key of [${shellWord(profile.name)}], then ${command}`,
      },
    );
  }
  if (holders.length > 0) {
    throw new UserError(`the other access key ${id} is in ${describeHolders(holders)}: it was not deleted`, {
      hint: `let that profile hold the key of [${shellWord(profile.name)}] first, or remove it`,
    });
  }
  await confirm(
    rotation,
    `Delete the access key ${id} of user ${userName}? There is no way back.`,
    `delete ${id}`,
  );
  await deleteKey(rotation, other.accessKeyId);
  say(rotation, `deleted: the other key ${id}`);
};

const describeKey = async (rotation: Rotation, key: KeyMetadata): Promise<string> => {
  const holders = rotation.store.find({ accessKeyId: key.accessKeyId });
  return [
    `${shortId(key.accessKeyId)}: ${key.status.toLowerCase()}`,
    key.createDate === undefined
      ? 'of unknown age'
      : `made ${formatAge(rotation.signer.awsNow() - key.createDate.getTime())}`,
    await lastUseOf(rotation, key.accessKeyId),
    holders.length === 0 ? 'in no profile here' : `in ${describeHolders(holders)}`,
  ].join(', ');
};
