import type { KeyMetadata } from '../aws/answers.ts';
import { userNameOfArn } from '../aws/arns.ts';
import { isUserError } from '../errors.ts';
import type { UserError } from '../errors.ts';
import { newKeyDates } from '../profiles/key-dates.ts';
import { keyIdOf, keyPlaceOf } from '../profiles/profile.ts';
import { reasonAgainst } from '../profiles/serial-number.ts';
import { readJournals } from '../rotation/journal.ts';
import { itemOf } from '../stores/keys.ts';
import { titleOf } from '../stores/names.ts';
import { notedKeys, notedStores } from '../stores/notes.ts';
import { listed, shellWord } from '../text.ts';
import { formatDays } from '../time.ts';
import { attempt, commandOf, ours, problem, warning } from './check.ts';
import type { Check, Finding, Scene } from './check.ts';

/** The checks of the access key: what is known here, and what AWS says. */
export const keyChecks: readonly Check[] = [
  {
    name: 'key-store',
    ok: ({ user }) => {
      const place = user && keyPlaceOf(user);
      return place === undefined
        ? 'the access key is in a file, in plain text; init --key-store moves it'
        : `the access key is in ${titleOf(place.store)} and in no file`;
    },
    look: findStored,
  },
  { name: 'rotation', ok: 'no rotation is unfinished', look: findRotations },
  {
    name: 'aws',
    ok: ({ aws }) => `AWS knows the access key: ${shellWord(String(aws?.arn))}`,
    look: findRefusal,
  },
  { name: 'clock', ok: 'the clock agrees with that of AWS', look: findSkew },
  {
    name: 'key-age',
    ok: (scene) => `the access key is ${describeAge(scene.now - (createdAt(scene) ?? 0))}`,
    look: findAge,
  },
  { name: 'keys', ok: 'the user has one access key', look: findKeys },
  { name: 'aws-devices', ok: 'AWS lists the MFA device of the profile', look: findDevices },
];

const idOf = (accessKeyId: string): string => `…${accessKeyId.slice(-4)}`;

// What a killed command has left in a store is known by its note; a profile or a rotation may still need it.
function findStored({ shared, profiles, user }: Scene): Finding[] | undefined {
  const { state } = shared.files;
  const found: Finding[] = [];
  const inRotation: Array<string | undefined> = [];
  const unreadJournals = attempt(() => {
    for (const { old, newId } of readJournals(state)) inRotation.push(old.accessKeyId, newId);
  });
  if (unreadJournals.length > 0) return undefined; // the check of rotations tells
  const unread = attempt(() => {
    const used = new Set([
      ...[...profiles.values()].flatMap((profile) => keyPlaceOf(profile)?.accessKeyId ?? []),
      ...inRotation,
    ]);
    for (const id of notedKeys(state).filter((each) => !used.has(each))) {
      for (const name of notedStores(state, id)) {
        found.push(
          warning(
            `${titleOf(name)} may have the access key ${idOf(id)}, which no profile has there`,
            mendStored(name, id, profiles),
          ),
        );
      }
    }
  });
  if (found.length + unread.length > 0) return [...found, ...unread];
  return user === undefined || keyIdOf(user) === undefined ? undefined : [];
}

// of a key that is in a file as well an interrupted move has left it
const mendStored = (store: string, id: string, profiles: Scene['profiles']): string => {
  const plain = [...profiles.values()].find((profile) => profile.settings.get('aws_access_key_id') === id);
  return plain === undefined
    ? `look whether it is needed: ${itemOf(store, id)}`
    : ours('init', plain.name, '--key-store file');
};

function findRotations({ shared }: Scene): Finding[] {
  const found: Finding[] = [];
  const unread = attempt(() => {
    for (const { profileName, arn, aborting } of readJournals(shared.files.state))
      found.push(
        problem(
          `a rotation of user ${userNameOfArn(arn)} (profile ${shellWord(profileName)}) is unfinished`,
          ours('rotate', profileName, aborting ? '--abort' : '--resume'),
        ),
      );
  });
  return [...found, ...unread];
}

function findRefusal({ aws, user }: Scene): Finding[] | undefined {
  if (aws === undefined || user === undefined) return undefined;
  const { arn } = aws;
  if (isUserError(arn)) return [problem(arn.message, commandOf(arn.hint) ?? 'check the network')];
  if (userNameOfArn(arn) !== undefined) return [];
  return [
    problem(
      `the access key of profile ${shellWord(user.name)} belongs to ${arn}, which is no IAM user`,
      'use the access key of an IAM user',
    ),
  ];
}

// Seconds. AWS refuses what is signed with a clock that is off by 15 minutes, some services by 5; codes by 30 s.
const skewLimits = { warning: 30, problem: 300 };

function findSkew({ aws, platform }: Scene): Finding[] | undefined {
  if (aws?.clockAhead === undefined) return undefined;
  const seconds = Math.round(Math.abs(aws.clockAhead) / 1000);
  if (seconds < skewLimits.warning) return [];
  const text = `the clock of this machine is ${seconds} s ${aws.clockAhead > 0 ? 'behind' : 'ahead of'} that of AWS`;
  const mend = platform === 'darwin' ? 'sudo sntp -sS time.apple.com' : 'sudo timedatectl set-ntp true';
  return [seconds < skewLimits.problem ? warning(text, mend) : problem(text, mend)];
}

/** When the key of the user was made, as AWS says, else as it was noted; milliseconds since the epoch. */
const createdAt = ({ aws, user, shared }: Scene): number | undefined => {
  const id = aws?.accessKeyId ?? (user && keyIdOf(user));
  const keys = listOf(aws?.keys);
  const date = keys.find(({ accessKeyId }) => accessKeyId === id)?.createDate?.getTime();
  return date ?? newKeyDates(shared.files.state)(id);
};

const listOf = <Item>(list: readonly Item[] | UserError | undefined): readonly Item[] =>
  list === undefined || isUserError(list) ? [] : list;

const describeAge = (milliseconds: number): string => {
  const age = formatDays(milliseconds);
  return age === 'today' ? 'of today' : `${age} old`;
};

function findAge(scene: Scene): Finding[] | undefined {
  const { user, now, maxKeyAge } = scene;
  const date = user && createdAt(scene);
  if (user === undefined || date === undefined) return undefined;
  return now - date <= maxKeyAge * 86_400_000
    ? []
    : [
        warning(
          `the access key of profile ${shellWord(user.name)} is ${formatDays(now - date)} old, and ${maxKeyAge} is the limit`,
          ours('rotate', user.name),
        ),
      ];
}

function findKeys({ aws, user }: Scene): Finding[] | undefined {
  if (aws === undefined || user === undefined || isUserError(aws.arn)) return undefined;
  if (isUserError(aws.keys)) return [denied(aws.keys, 'the access keys', user.name)];
  const others = aws.keys.filter(({ accessKeyId }) => accessKeyId !== aws.accessKeyId);
  return others.map((other) => describeOther(other, user.name, userNameOfArn(aws.arn.toString()) ?? ''));
}

const describeOther = (
  { accessKeyId, status }: KeyMetadata,
  profileName: string,
  userName: string,
): Finding =>
  warning(
    status === 'Active'
      ? `the user has a second active access key, ${idOf(accessKeyId)}: is it in use elsewhere?`
      : `an old access key, ${idOf(accessKeyId)} (${status.toLowerCase()}), takes the place that the next rotation needs`,
    status === 'Active'
      ? ours('rotate', profileName, '--delete-other')
      : `aws iam delete-access-key --user-name ${shellWord(userName)} --access-key-id ${accessKeyId} --profile ${shellWord(`${profileName}-sts`)}`,
  );

function findDevices({ aws, user }: Scene): Finding[] | undefined {
  if (aws === undefined || user === undefined || isUserError(aws.arn)) return undefined;
  if (isUserError(aws.serialNumbers)) return [denied(aws.serialNumbers, 'the MFA devices', user.name)];
  const devices = aws.serialNumbers;
  const fit = devices.filter((serialNumber) => reasonAgainst(serialNumber) === undefined);
  const [first] = devices;
  if (fit.length === 0)
    return [
      problem(
        first === undefined
          ? 'the user has no MFA device'
          : `the user has no MFA device with codes: ${reasonAgainst(first)}`,
        'add an authenticator app in the IAM console',
      ),
    ];
  const serialNumber = user.settings.get('mfa_serial');
  return !serialNumber || devices.includes(serialNumber)
    ? []
    : [
        problem(
          `the user has no MFA device ${shellWord(serialNumber)}, but ${listed(fit)}`,
          ours('init', user.name, '--force'),
        ),
      ];
}

const denied = (error: UserError, what: string, profileName: string): Finding =>
  error.failureCode === 'AccessDenied'
    ? warning(
        `AWS does not let this key list ${what}: the policy may want MFA, or give no such permission`,
        `${ours('login', profileName)}, then doctor again; else: aws-iam-login policy`,
      )
    : warning(`AWS did not list ${what}: ${error.message}`, commandOf(error.hint) ?? 'try again');
