import { userNameOfArn } from '../aws/endpoints.ts';
import type { Context } from '../context.ts';
import { UserError, isUserError } from '../errors.ts';
import { checkEditable } from '../files/edit.ts';
import { findProblems } from '../ini/ini.ts';
import { getProfile, longTermKeyOf, readSharedFiles, resolveProfileName } from '../profiles/profile.ts';
import type { AccessKey, Profile, SharedFiles } from '../profiles/profile.ts';
import { shellWord } from '../text.ts';
import { readJournals } from './journal.ts';
import type { Journal } from './journal.ts';
import { findKeyHolders, replaceKey } from './key-holders.ts';
import type { KeyHolder } from './key-holders.ts';
import type { RotateOptions } from './rotation.ts';
import { connectAs } from './signer.ts';

export type Subject = { readonly profile: Profile; readonly key: AccessKey; readonly shared: SharedFiles };

export const rotationOf = (arn: string): string => `rotation of ${arn}`;

export const readProfile = (
  options: { readonly profile?: string | undefined },
  context: Context,
): Subject => {
  const shared = readSharedFiles(context.env);
  const profile = getProfile(resolveProfileName(options.profile, context.env, shared), shared);
  const key = longTermKeyOf(profile);
  if (key === undefined) throw notOurs(profile, shared);
  return { profile, key, shared };
};

const notOurs = (profile: Profile, shared: SharedFiles): UserError => {
  const where = `profile ${shellWord(profile.name)}`;
  const source = profile.keys.get('source_profile');
  if (profile.keys.has('credential_process')) {
    return new UserError(
      `the access key of ${where} comes from its credential_process, where a new one cannot be stored from here`,
      { hint: 'rotate the key where that program keeps it' },
    );
  }
  if (profile.keys.has('role_arn') && source !== undefined) {
    return new UserError(`${where} is a role and has no access key of its own`, {
      hint: `run: aws-iam-login rotate ${shellWord(resolveProfileName(source, {}, shared))}`,
    });
  }
  return new UserError(`${where} has no access key to rotate`, {
    hint: `name a profile with aws_access_key_id in ${profile.files.credentials}`,
  });
};

// By the keys, and where the file holds neither of them any more by the profile.
export const findJournal = ({ profile, key, shared }: Subject): Journal | undefined => {
  const journals = readJournals(shared.files.state);
  return (
    journals.find(({ old, newId }) => [old.accessKeyId, newId].includes(key.accessKeyId)) ??
    journals.find(
      ({ profileName, credentials }) =>
        profileName === profile.name && credentials === shared.files.credentials,
    )
  );
};

/** The ARN of the user whose key the profile holds, as AWS tells it. Raises UserError for what is no IAM user. */
export const identify = async (start: Subject, options: RotateOptions, context: Context): Promise<string> => {
  for (let subject = start; ;) {
    try {
      const aws = connectAs(subject.key, subject.profile, options, context);
      return userArn((await aws.getCallerIdentity()).arn, subject.profile);
    } catch (error) {
      if (!isUserError(error) || error.failureCode !== 'InvalidClientTokenId') throw error;
      // another rotation may have replaced the key since it was read
      const now = readProfile(options, context);
      if (now.key.accessKeyId === subject.key.accessKeyId) throw error;
      subject = now;
    }
  }
};

const userArn = (arn: string, profile: Profile): string => {
  if (userNameOfArn(arn) !== undefined) return arn;
  const where = `the key of profile ${shellWord(profile.name)}`;
  if (arn.endsWith(':root')) {
    throw new UserError(`${where} is a root key, which AWS advises to delete, not to rotate`, {
      hint: 'delete it in the console (Security credentials), and use the access key of an IAM user',
    });
  }
  throw new UserError(`${where} belongs to ${arn}, which is no IAM user`, {
    hint: 'rotate the access key of an IAM user',
  });
};

// The lock was not enough: state folders can be shared by sets of files, and each has other profiles to write to.
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
export const checkFiles = ({ profile, key, shared }: Subject): void => {
  const holders = findKeyHolders(key, shared);
  if (!holders.some(({ profileName }) => profileName === profile.name)) {
    throw new UserError(
      `the two halves of the access key of profile ${shellWord(profile.name)} are not in the same file`,
      { hint: `write both into ${shared.files.credentials}` },
    );
  }
  for (const { kind, path } of uniqueFiles(holders)) {
    const bytes = (kind === 'credentials' ? shared.credentialsBytes : shared.configBytes) ?? Buffer.alloc(0);
    const problem = findProblems(bytes).find((each) => each.kind === 'syntax');
    if (problem !== undefined) {
      throw new UserError(`${path} line ${problem.line}: ${problem.message}`, {
        hint: 'AWS tools refuse this file too: mend that line',
      });
    }
    // an edit of the same length as the real one, for files too odd to be edited
    replaceKey(bytes, kind, key, { accessKeyId: 'AKIA0000000000000000', secretAccessKey: '0'.repeat(40) });
    checkEditable(path, shared.files.state);
  }
};

const uniqueFiles = (holders: readonly KeyHolder[]): KeyHolder[] =>
  holders.filter(({ path }, index) => holders.findIndex((holder) => holder.path === path) === index);
