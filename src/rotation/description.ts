import { accountOfArn, userNameOfArn } from '../aws/arns.ts';
import { titleOf } from '../stores/names.ts';
import { shellWord } from '../text.ts';
import type { Journal, Phase } from './journal.ts';
import type { KeyHolder } from './key-holders.ts';
import type { RotateResult, RotationStatus, Standing } from './outcome.ts';

/** The status as lines for people. */
export const describeStatus = (status: RotationStatus, now: number): string[] => {
  const name = shellWord(status.profileName);
  if (status.state === 'none') return [`no rotation of profile ${name} is unfinished`];
  const { journal, pid } = status;
  return [
    `rotation of user ${userNameOfArn(journal.arn)}, profile ${shellWord(journal.profileName)}, begun ${formatAge(now - journal.startedAt)}${journal.aborting ? ', now being undone' : ''}`,
    whatIsDone[journal.phase](
      shortId(journal.old.accessKeyId),
      shortId(journal.newId ?? ''),
      keeperOf(journal),
    ),
    pid === undefined
      ? `aws-iam-login rotate ${name} --resume goes on, aws-iam-login rotate ${name} --abort goes back`
      : `process ${pid} is at work on it`,
  ];
};

/** What stands now in an unfinished rotation, as one sentence for whoever has interrupted it; '' before there is a key. */
export const describeStanding = ({ journal, oldKey }: Standing): string => {
  if (journal === undefined) return '';
  const oldId = shortId(journal.old.accessKeyId);
  const newId = shortId(journal.newId ?? '');
  if (journal.phase === 'creating') {
    return `${oldId} is active and in the files; whether a new key was made is not known`;
  }
  if (journal.aborting) {
    return oldKey === 'active'
      ? `two keys are active: ${oldId}, which is to stay, and ${newId}, which is to go`
      : `${oldId} is to be activated and put back; ${newId} is to go`;
  }
  if (journal.phase === 'created') {
    return journal.written.length === 0
      ? `two keys are active: ${oldId}, in the files, and ${newId}, kept in ${keeperOf(journal)} until it is written`
      : `two keys are active: ${newId}, in ${journal.written.join(' and ')}, and ${oldId}, in the files that wait for ${newId}`;
  }
  return {
    active: `two keys are active: ${newId}, in the files, and ${oldId}`,
    inactive: `two keys are left: ${newId} is active and in the files, ${oldId} is inactive`,
    deleted: `${newId} is active and in the files; ${oldId} is deleted`,
    unknown: `${newId} is active and in the files; ${oldId} is ${journal.phase === 'stored' ? 'active or already inactive' : 'inactive or already deleted'}`,
  }[oldKey];
};

/** What rotate says when it is done. */
export const describeRotation = ({ state, userName, accessKeyId, holders, other }: RotateResult): string => {
  const where = holders.length === 0 ? 'in no profile' : `in ${describeHolders(holders)}`;
  const active = `access key ${shortId(accessKeyId)} of user ${userName} is active, ${where}`;
  if (state === 'already-rotated') return `another process has rotated the key: ${active}`;
  return other === undefined ? active : `${active}; ${shortId(other.accessKeyId)} is ${other.status}`;
};

/** The command that works on a profile's rotation. */
export const resumeCommand = (profileName: string): string =>
  `aws-iam-login rotate ${shellWord(profileName)}`;

/** What rotate says with `--json`: whole ids, for scripts. */
export const formatRotation = (result: RotateResult): string => {
  const { state, account, userName, accessKeyId, holders, other } = result;
  return toJson({
    State: state,
    Account: account,
    UserName: userName,
    AccessKeyId: accessKeyId,
    Profiles: holders.map(({ place, profileName, store }) => ({
      Profile: profileName,
      File: place,
      KeyStore: store,
    })),
    ...(other === undefined
      ? {}
      : { OtherAccessKey: { AccessKeyId: other.accessKeyId, Status: other.status } }),
  });
};

/** What rotate says with `--status --json`. */
export const formatStatus = (status: RotationStatus): string => {
  if (status.state === 'none') return toJson({ State: 'none', Profile: status.profileName });
  const { profileName, journal, pid } = status;
  return toJson({
    State: 'unfinished',
    Profile: profileName,
    UserName: userNameOfArn(journal.arn),
    Account: accountOfArn(journal.arn),
    Phase: journal.phase,
    Aborting: journal.aborting,
    Started: new Date(journal.startedAt).toISOString(),
    OldAccessKeyId: journal.old.accessKeyId,
    NewAccessKeyId: journal.newId,
    ProcessId: pid,
  });
};

const toJson = (value: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify(value, undefined, 2)}\n`;

const whatIsDone: Readonly<Record<Phase, (oldId: string, newId: string, keeper: string) => string>> = {
  creating: (oldId) =>
    `${oldId} is active and in the files; a new key was asked for, and its answer is not known`,
  created: (oldId, newId, keeper) =>
    `${newId} is made and kept in ${keeper}; ${oldId} is active, and in the files that wait for ${newId}`,
  stored: (oldId, newId) => `${newId} is in the files; ${oldId} is about to be deactivated`,
  deactivated: (oldId, newId) => `${newId} is in the files; ${oldId} is inactive and about to be deleted`,
  deleting: (oldId, newId) =>
    `${newId} is in the files; ${oldId} is inactive, and its deletion may have begun`,
};

/** What keeps the secrets of a rotation until it is over. */
export const keeperOf = ({ keyStore }: Pick<Journal, 'keyStore'>): string =>
  keyStore === undefined ? 'the journal' : titleOf(keyStore);

/** Profiles and where they are: `[default] and [work] of ~/.aws/credentials`, with the key store that keeps their key. */
export const describeHolders = (holders: readonly KeyHolder[]): string => {
  const names = new Map<string, string[]>();
  for (const { profileName, place, store } of holders) {
    const where = store === undefined ? place : `${place} (kept in ${titleOf(store)})`;
    names.set(where, [...(names.get(where) ?? []), `[${shellWord(profileName)}]`]);
  }
  return [...names].map(([where, profiles]) => `${profiles.join(', ')} of ${where}`).join(' and ');
};

/** A key id as it is shown: its last four characters. */
export const shortId = (accessKeyId: string): string => `…${accessKeyId.slice(-4)}`;

/** How long ago, for people: `3 minutes ago`; in milliseconds. */
export const formatAge = (milliseconds: number): string => {
  const minutes = Math.floor(milliseconds / 60_000);
  if (minutes < 1) return 'just now';
  const [count, unit] =
    minutes < 120
      ? [minutes, 'minute']
      : minutes < 48 * 60
        ? [Math.floor(minutes / 60), 'hour']
        : [Math.floor(minutes / (24 * 60)), 'day'];
  return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
};
