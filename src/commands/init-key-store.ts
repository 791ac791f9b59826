import { findOtherCredentials } from '../aws/other-credentials.ts';
import { tell } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCode } from '../errors.ts';
import { findProfile, placeSettings, readSharedFiles } from '../profiles/profile.ts';
import type { Profile } from '../profiles/profile.ts';
import { describeHolders, shortId } from '../rotation/description.ts';
import type { KeyHolder } from '../rotation/key-holders.ts';
import { move, planMove } from '../rotation/key-move.ts';
import type { KeyMove } from '../rotation/key-move.ts';
import { storeNamed } from '../stores/keys.ts';
import { titleOf } from '../stores/names.ts';
import { askYesNo, declined } from '../terminal/prompt.ts';
import { askOrFail } from '../terminal/question.ts';
import { listed, shellWord, shown, shownPath, withShownPaths } from '../text.ts';
import { offerRoles } from './init-roles.ts';

export type MoveOptions = { readonly yes: boolean; readonly input: boolean };

/**
 * `init --key-store`: moves the key of a profile, and of every profile that shares it, into a key store or back. Roles
 * that would break are offered the session first. Raises UserError, with exit code 130 for a no.
 */
export const moveKeyOf = async (
  user: Profile,
  place: string,
  options: MoveOptions,
  context: Context,
): Promise<number> => {
  const to = place === 'file' ? undefined : place;
  const found = await planMove(user, to, options, context);
  if (found.holders.length === 0 && found.left.length === 0) {
    const id = shortId(found.key.accessKeyId);
    tell(context, `the access key ${id} is in ${describeHolders(found.all)} already`);
    return exitCode.done;
  }
  if (to !== undefined) await prepare(found, options, context);
  const change = describeMove(found, context);
  if (options.yes) for (const line of change) context.log(line);
  else await confirm(change, found, options, context);
  const holders = await move(found, options, context);
  tellMoved(user, found, holders, context);
  return exitCode.done;
};

/** Offers what would break without the key in the file its way to the session, and names what tools go on to. */
const prepare = async ({ holders }: KeyMove, options: MoveOptions, context: Context): Promise<void> => {
  const others = findOtherCredentials(context.env);
  const names = [...new Set(holders.map(({ profileName }) => profileName))];
  for (const name of names) {
    const user = findProfile(name, readSharedFiles(context.env));
    if (user !== undefined) await offerRoles(user, { ...options, losesKey: true }, context);
  }
  for (const other of await others)
    tell(context, `AWS tools that find no key in ${listed(names)} go on to ${other}`);
};

/** The change as it is shown: where the key goes, and the lines that go and come, without the secret. */
const describeMove = ({ key, to, holders, left }: KeyMove, { env }: Context): string[] => {
  const id = shortId(key.accessKeyId);
  const plain = ['aws_access_key_id', 'aws_secret_access_key'];
  const placed = [
    `${placeSettings.store} = ${to ?? ''}`,
    `${placeSettings.accessKeyId} = ${key.accessKeyId}`,
  ];
  const lines = holders.flatMap(({ profileName, place, store }) => [
    `  [${shown(profileName)}] of ${shownPath(place, env['HOME'])}`,
    ...(store === undefined ? plain : Object.values(placeSettings)).map((line) => `- ${line}`),
    ...(to === undefined ? plain : placed).map((line) => `+ ${line}`),
  ]);
  const from = left.map(titleOf).join(' and ');
  if (to === undefined)
    return [
      holders.length === 0
        ? `The access key ${id} is in the file, and leaves ${from}:`
        : `The access key ${id} leaves ${from} for the file, where it can be read:`,
      ...lines,
    ];
  const plainly = holders.filter(({ store }) => store === undefined);
  const title = `The access key ${id} ${from === '' ? 'goes' : `leaves ${from} and goes`} into ${titleOf(to)} (${storeNamed(to).describeItem(key.accessKeyId)}):`;
  if (plainly.length === 0) return [title, ...lines];
  const sessions = plainly.map(({ profileName }) => `[${shown(profileName)}-sts]`);
  return [
    title,
    ...lines,
    `AWS tools that name ${listed(plainly.map(({ profileName }) => profileName))} find no key there any more; they work with ${[...new Set(sessions)].join(', ')}.`,
  ];
};

const confirm = async (
  change: readonly string[],
  { shared }: KeyMove,
  { input }: MoveOptions,
  context: Context,
): Promise<void> => {
  const question = {
    need: 'init --key-store asks before it moves a key',
    hint: 'say it beforehand: --yes',
    input,
    state: shared.files.state,
  };
  const isYes = await askOrFail(question, context, () =>
    askYesNo(withShownPaths([...change, 'Move it?'].join('\n'), context.env['HOME'])),
  );
  if (!isYes) throw declined('the same command');
};

const tellMoved = (
  user: Profile,
  { key, to, holders: before }: KeyMove,
  holders: readonly KeyHolder[],
  context: Context,
): void => {
  const id = shortId(key.accessKeyId);
  const name = shellWord(user.name);
  if (to === undefined) {
    tell(context, `the access key ${id} is in ${describeHolders(holders)}, and in no key store any more`);
    return;
  }
  const wasPlain = before.filter(({ store }) => store === undefined);
  const files = [...new Set(wasPlain.map(({ place }) => place))];
  const gone = files.length === 0 ? '' : `, and no more in ${files.join(' and ')}`;
  tell(context, `the access key ${id} of ${name} is in ${titleOf(to)}${gone}`);
  if (files.length === 0) return;
  context.log(
    `  hint: aws-iam-login rotate ${name} replaces it by one that no file and no backup has ever held`,
  );
};
