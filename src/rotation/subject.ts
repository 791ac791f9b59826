import type { Context } from '../context.ts';
import { UserError, isUserError } from '../errors.ts';
import { ownKeyOf } from '../profiles/access-key.ts';
import { refuseForeign } from '../profiles/foreign.ts';
import { iamUserName } from '../profiles/iam-user.ts';
import {
  findUserProfile,
  keyHolderOf,
  keyPlaceOf,
  getProfile,
  longTermKeyOf,
  readSharedFiles,
  resolveProfileName,
} from '../profiles/profile.ts';
import type { AccessKey, Profile, SharedFiles } from '../profiles/profile.ts';
import { userProfileOf } from '../profiles/role-chain.ts';
import { isRole } from '../profiles/role.ts';
import { accessOf, findStoredKey } from '../stores/keys.ts';
import { shellWord } from '../text.ts';
import { readJournals } from './journal.ts';
import type { Journal } from './journal.ts';
import type { Keys } from './key-holders.ts';
import type { RotateOptions } from './rotation.ts';
import { connectAs } from './signer.ts';

/** The profile whose key is rotated. Only an unfinished rotation, which can give its key back, is about one without. */
export type Subject = {
  readonly profile: Profile;
  readonly keyId: string | undefined;
  /** The key, undefined also where a key store has it and was not asked. */
  readonly key: AccessKey | undefined;
  readonly shared: SharedFiles;
  /** Whether a role was named, and this is the user at the end of its chain. */
  readonly isOfRole: boolean;
};

/** The name of a user's rotation, as the lock knows it. */
export const rotationOf = (arn: string): string => `rotation of ${arn}`;

/**
 * The profile that is meant, for a role the user at the end of its chain, with its key. Raises UserError where it has no
 * key, unless an unfinished rotation has one for it.
 */
export const readSubject = async (
  options: { readonly profile?: string | undefined; readonly input: boolean },
  context: Context,
): Promise<Subject> => {
  const subject = findSubject(options, context);
  const place = subject.key === undefined ? keyPlaceOf(subject.profile) : undefined;
  if (place === undefined) return subject;
  if (findJournal(subject) === undefined)
    return { ...subject, key: await ownKeyOf(subject.profile, options, context) };
  const access = accessOf(place.store, options, context);
  return { ...subject, key: await findStoredKey(place.store, place.accessKeyId, access) };
};

/** The same without a look into a key store. */
export const findSubject = (
  options: { readonly profile?: string | undefined },
  context: Context,
): Subject => {
  const shared = readSharedFiles(context.env);
  const named = findUserProfile(resolveProfileName(options.profile, context.env, shared), shared);
  const isOfRole = named !== undefined && isRole(named) && keyIn(named).keyId === undefined;
  const found = isOfRole ? userProfileOf(named, shared) : named;
  const name = found?.name ?? resolveProfileName(options.profile, context.env, shared);
  const { key, keyId } = found === undefined ? { key: undefined, keyId: undefined } : keyIn(found);
  if (keyId === undefined && journalOfProfile(name, shared) !== undefined) {
    return { profile: found ?? profileWithoutSettings(name, shared), keyId, key, shared, isOfRole };
  }
  const profile = found ?? getProfile(name, shared);
  if (keyId === undefined) throw notOurs(profile);
  return { profile, keyId, key, shared, isOfRole };
};

const keyIn = (profile: Profile): Pick<Subject, 'keyId' | 'key'> => {
  const place = keyPlaceOf(profile);
  if (place !== undefined) return { keyId: place.accessKeyId, key: undefined };
  const key = longTermKeyOf(profile);
  return { keyId: key?.accessKeyId, key };
};

/** The key of the profile. Raises UserError, with the reason, where it has none. */
export const keyOf = ({ profile, key }: Subject): AccessKey => {
  if (key === undefined) throw notOurs(profile);
  return key;
};

const profileWithoutSettings = (name: string, { files }: SharedFiles): Profile => ({
  name,
  files,
  settings: new Map(),
  configBytes: undefined,
});

const notOurs = (profile: Profile): UserError => {
  const where = `profile ${shellWord(profile.name)}`;
  refuseForeign(profile);
  if (profile.settings.has('credential_process')) {
    return new UserError(
      `the access key of ${where} comes from its credential_process, where a new one cannot be stored from here`,
      { hint: 'rotate the key where that program keeps it' },
    );
  }
  return new UserError(`${where} has no access key to rotate`, {
    hint: `name a profile with aws_access_key_id in ${profile.files.credentials}`,
  });
};

/** The unfinished rotation of the profile's key, or of the profile where the file holds none of its keys any more. */
export const findJournal = ({ profile, keyId, shared }: Subject): Journal | undefined => {
  const isOfKey = ({ old, newId }: Journal): boolean =>
    keyId !== undefined && [old.accessKeyId, newId].includes(keyId);
  return readJournals(shared.files.state).find(isOfKey) ?? journalOfProfile(keyHolderOf(profile), shared);
};

const journalOfProfile = (name: string, { files }: SharedFiles): Journal | undefined =>
  readJournals(files.state).find(
    ({ profileName, credentials }) => profileName === name && credentials === files.credentials,
  );

/** The ARN of the user whose key the profile holds, as AWS tells it. Raises UserError for what is no IAM user. */
export const identify = async (start: Subject, options: RotateOptions, context: Context): Promise<string> => {
  for (let subject = start; ;) {
    try {
      const aws = connectAs(keyOf(subject), subject.profile, options, context);
      const { arn } = await aws.getCallerIdentity();
      iamUserName(arn, subject.profile, aboutRoot);
      return arn;
    } catch (error) {
      if (!isUserError(error) || error.failureCode !== 'InvalidClientTokenId') throw error;
      // another rotation may have replaced the key since it was read
      const now = await readSubject(options, context);
      if (now.keyId === subject.keyId) throw error;
      subject = now;
    }
  }
};

const aboutRoot = {
  reason: ', which AWS advises to delete, not to rotate',
  hint: 'delete it in the console (Security credentials), and use the access key of an IAM user',
};

/** Raises UserError for a journal about other files: several sets of files can share one state folder. */
export const checkSameFiles = (journal: Journal, { files }: SharedFiles): void => {
  const isSame = journal.credentials === files.credentials && journal.config === files.config;
  if (isSame) return;
  throw new UserError(
    `an unfinished rotation of this user is about other files: ${journal.credentials} and ${journal.config}`,
    {
      hint: 'let AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE name them, and run aws-iam-login rotate again',
    },
  );
};

/** Raises UserError when the new key could not be written later, before there is one. */
export const checkStore = async (subject: Subject, store: Keys): Promise<void> => {
  const { profile, shared } = subject;
  const key = keyOf(subject);
  if (!store.find(key).some(({ profileName }) => profileName === keyHolderOf(profile))) {
    throw new UserError(
      `the two halves of the access key of profile ${shellWord(profile.name)} are not in the same file`,
      { hint: `write both into ${shared.files.credentials}` },
    );
  }
  await store.check(key);
};
