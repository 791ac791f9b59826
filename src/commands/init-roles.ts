import { tell } from '../context.ts';
import type { Context } from '../context.ts';
import { UserError, exitCode, isUserError } from '../errors.ts';
import { checkEditable, editFile, findEditProblem } from '../files/edit.ts';
import { keyPlaceOf, readSharedFiles, sessionProfileName } from '../profiles/profile.ts';
import type { Profile, SharedFiles } from '../profiles/profile.ts';
import { bringRolesBack, pointRoles } from '../profiles/role-lines.ts';
import type { RoleEdit } from '../profiles/role-lines.ts';
import { sessionOwner } from '../profiles/role.ts';
import { titleOf } from '../stores/names.ts';
import { askYesNo, declined } from '../terminal/prompt.ts';
import { askOrFail, canAsk } from '../terminal/question.ts';
import { listed, shellWord, withShownPaths } from '../text.ts';

type OfferOptions = {
  readonly input: boolean;
  /** Changes the file without a question. */
  readonly yes?: boolean;
  /** Whether the user's key leaves the files: then also roles that need it there are pointed at the session. */
  readonly losesKey?: boolean;
};

export type RoleOptions = {
  /** Brings the old lines back. */
  readonly undo: boolean;
  /** Changes the file without a question. */
  readonly yes: boolean;
  readonly input: boolean;
};

/**
 * `init --roles`: points the roles of a user at the stored session, or brings their old lines back. Shows the change and
 * asks before it makes it. Raises UserError, with exit code 130 for a no.
 */
export const changeRoles = async (user: Profile, options: RoleOptions, context: Context): Promise<number> => {
  const shared = readSharedFiles(context.env);
  const plan = planOf(user, shared, options);
  tellLeft(plan, shared, context);
  if (plan.changes.length === 0) {
    if (plan.left.size === 0) tell(context, nothingToDo(user, options.undo));
    return plan.left.size === 0 ? exitCode.done : exitCode.failed;
  }
  checkEditable(shared.files.config, shared.files.state);
  const change = describeChange(user, plan, shared, options);
  if (options.yes) for (const line of change) context.log(line);
  else if (!(await confirm(change, shared, options.input, context)))
    throw declined(`aws-iam-login init ${shellWord(user.name)} --roles`);
  await apply(user, plan, shared, { undo: options.undo }, context);
  return exitCode.done;
};

/**
 * Offers to point the roles of a user at the stored session, where there are any and somebody can be asked; names the
 * command where nobody can. A no is fine.
 */
export const offerRoles = async (
  user: Profile,
  { input, yes = false, losesKey = false }: OfferOptions,
  context: Context,
): Promise<number> => {
  const shared = readSharedFiles(context.env);
  const plan = planIfAny(user, shared, losesKey);
  if (plan === undefined || plan.changes.length === 0) return exitCode.done;
  const command = `aws-iam-login init ${shellWord(user.name)} --roles`;
  if ((!yes && !canAsk(input)) || findEditProblem(shared.files.config, shared.files.state) !== undefined) {
    tell(context, `other ${whyChange(plan, losesKey)}`);
    context.log(`  hint: ${command} lets them use the session of ${shellWord(user.name)}`);
    return exitCode.done;
  }
  tellLeft(plan, shared, context);
  const change = describeChange(user, plan, shared, { undo: false, losesKey });
  if (yes) for (const line of change) context.log(line);
  if (yes || (await confirm(change, shared, input, context))) {
    await apply(user, plan, shared, { undo: false, losesKey }, context);
  } else {
    tell(context, `the config file stays as it is; ${command} asks again`);
  }
  return exitCode.done;
};

type Direction = { readonly undo: boolean; readonly losesKey?: boolean };

const planOf = (user: Profile, shared: SharedFiles, { undo, losesKey }: Direction): RoleEdit =>
  undo ? bringRolesBack(user, shared) : pointRoles(user, shared, losesKey);

// What is wrong with the config file is for --roles to complain of.
const planIfAny = (user: Profile, shared: SharedFiles, losesKey: boolean): RoleEdit | undefined => {
  try {
    return pointRoles(user, shared, losesKey);
  } catch (error) {
    if (isUserError(error)) return undefined;
    throw error;
  }
};

const namesOf = ({ changes }: RoleEdit): string[] => [...new Set(changes.map(({ profile }) => profile))];

/** Says which roles are left as they are. */
const tellLeft = ({ left }: RoleEdit, { files }: SharedFiles, context: Context): void => {
  const shown = [...left].slice(0, mostShown);
  for (const [name, reason] of shown)
    tell(context, `role ${shellWord(name)} is left as it is: ${files.config} ${reason}`);
  if (left.size > shown.length) tell(context, `${left.size - shown.length} more roles are left as they are`);
};

const mostShown = 20;

const whyChange = (plan: RoleEdit, losesKey: boolean | undefined): string =>
  `AWS tools ${losesKey === true ? 'need the key in the file' : 'ask for a code of their own'} for ${listed(namesOf(plan))}`;

const nothingToDo = ({ name }: Profile, undo: boolean): string =>
  undo
    ? `no line of a role of ${shellWord(name)} was changed: there is nothing to bring back`
    : `no role of ${shellWord(name)} names an mfa_serial: there is nothing to change`;

/** The change as it is shown: what it does, and the lines that go and come. */
const describeChange = (
  user: Profile,
  plan: RoleEdit,
  shared: SharedFiles,
  { undo, losesKey }: Direction,
): string[] => {
  const names = namesOf(plan);
  const session = `[${sessionProfileName(sessionOwner(user))}]`;
  const { config } = shared.files;
  const title = undo
    ? [`${config}: the old lines of ${listed(names)} come back:`]
    : [
        `Other ${whyChange(plan, losesKey)}.`,
        `With this change of ${config} they use the session, ${session}:`,
      ];
  const shown = plan.changes.slice(0, mostShown);
  const more = plan.changes.length - shown.length;
  return [
    ...title,
    ...shown.flatMap(({ header, lines }) => [
      `  ${header}`,
      ...lines.flatMap(({ removed, added }) => [
        ...removed.map((line) => `- ${line}`),
        ...added.map((line) => `+ ${line}`),
      ]),
    ]),
    ...(more > 0 ? [`  and ${more} more roles in the same way`] : []),
    ...(plan.cut.length > 0
      ? [
          `duration_seconds of ${listed(plan.cut)} goes, too: AWS lets a role that is assumed with a session live for 1 h`,
        ]
      : []),
  ];
};

const confirm = (
  change: readonly string[],
  { files }: SharedFiles,
  input: boolean,
  context: Context,
): Promise<boolean> => {
  const question = {
    need: 'init --roles asks before it changes anything',
    hint: 'say it beforehand: --yes',
    input,
    state: files.state,
  };
  return askOrFail(question, context, () =>
    askYesNo(withShownPaths([...change, 'Change the file?'].join('\n'), context.env['HOME'])),
  );
};

/** Makes the change that was shown, and no other one. Raises UserError when the file has changed meanwhile. */
const apply = async (
  user: Profile,
  plan: RoleEdit,
  { files }: SharedFiles,
  direction: Direction,
  context: Context,
): Promise<void> => {
  const { undo } = direction;
  const edit = (bytes: Buffer): Buffer => {
    const now = planOf(user, { ...readSharedFiles(context.env), configBytes: bytes }, direction);
    if (JSON.stringify(now.changes) === JSON.stringify(plan.changes)) return now.bytes;
    throw new UserError(`could not write ${files.config}: its roles have changed since they were shown`, {
      hint: 'run the command again',
    });
  };
  await editFile(files.config, edit, { state: files.state });
  const names = namesOf(plan);
  const name = shellWord(user.name);
  if (undo) {
    const place = keyPlaceOf(user);
    const effect =
      place === undefined ? 'ask for a code' : `find no key in ${name}, it is in ${titleOf(place.store)}`;
    return tell(context, `${listed(names)} as before: other AWS tools ${effect}`);
  }
  const session = sessionProfileName(sessionOwner(user));
  tell(context, `every AWS tool now uses [${session}] for ${listed(names)}`);
  context.log(`  hint: aws-iam-login init ${name} --roles --undo brings the old lines back`);
};
