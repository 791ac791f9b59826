import fs from 'node:fs';
import { join } from 'node:path';
import { tell } from '../context.ts';
import type { Context, Environment } from '../context.ts';
import { editFile } from '../files/edit.ts';
import { readFileIfAny } from '../files/read.ts';
import { removeStateFile, writeStateFile } from '../files/state-files.ts';
import { locateFiles } from '../files/locations.ts';
import { shells } from './names.ts';
import type { Shell } from './names.ts';
import { callingShell, parentName } from './calling-shell.ts';
import { copiesOf, copyFolder, copyNames } from './copies.ts';
import type { Origin } from './copies.ts';
import { blockOf, hasBlock, isMadeForBlock, isOnlyBlock, withBlock, withoutBlock } from './rc-block.ts';
import { rows } from './rows.ts';
import { packageRoot } from './scripts.ts';
import { askYesNo, declined } from '../terminal/prompt.ts';
import { askOrFail } from '../terminal/question.ts';

export type SetupOptions = {
  /** Undefined for the shell that called the program. */
  readonly shell: Shell | undefined;
  readonly remove: boolean;
  readonly yes: boolean;
  /** Whether a question may be asked. */
  readonly input: boolean;
  /** What else is done after the same question, and the lines that announce it; none where there is nothing to do. */
  readonly more?: { readonly lines: readonly string[]; readonly apply: () => Promise<void> } | undefined;
};

/** Where the program is, on which system, and who called it. */
export type Installation = Origin & {
  readonly platform: string;
  /** The name of the parent process. */
  readonly parent: string;
};

const thisInstallation = (): Installation => ({
  platform: process.platform,
  parent: parentName(),
  node: process.execPath,
  entry: join(packageRoot, 'dist', 'aws-iam-login.cjs'),
  packageRoot,
});

/**
 * Installs or removes the hook and the completion of a shell: copies in a folder of our own, and a block in the
 * shell's rc file. Shows the changes and asks before it makes them. Raises UserError: exit code 130 when declined.
 */
export const setup = async (
  options: SetupOptions,
  context: Context,
  installation: Installation = thisInstallation(),
): Promise<void> => {
  const shell = options.shell ?? callingShell(installation.parent, context.env);
  const plan = options.remove
    ? planRemoval(shell, context.env, installation)
    : planSetup(shell, context.env, installation);
  const { more } = options;
  if (plan.steps.length === 0 && more === undefined) {
    const isThere = `${shell} is set up already; in one that was open before: ${rows[shell].restart(installation.platform)}`;
    tell(context, options.remove ? `nothing of setup is left for ${shell}` : isThere);
  } else {
    for (const line of [...describePlan(plan), ...(more?.lines ?? [])]) context.log(line);
    if (!options.yes) await confirm(options.input, context);
    for (const step of plan.steps) await apply(step, context.env);
    await more?.apply();
    if (options.remove) removeEmptyFolders(plan.folder);
    const { restart } = rows[shell];
    tell(context, options.remove ? 'done' : `done; open a new shell, or: ${restart(installation.platform)}`);
  }
  if (!options.remove) noteHiddenFile(shell, context, installation);
};

// What setup itself has created on macOS: a file of nothing but our block, which login shells read instead of the
// user's own.
const noteHiddenFile = (shell: Shell, context: Context, { platform }: Installation): void => {
  const [first, ...others] = rows[shell].rcFiles(context.env, platform);
  const hidden = isOnlyBlock(first) ? others.find((path) => fs.existsSync(path)) : undefined;
  if (hidden === undefined) return;
  tell(context, `${first} holds nothing but our block, and login shells do not read ${hidden} because of it`);
  context.log(`  hint: aws-iam-login setup ${shell} --remove && aws-iam-login setup ${shell}`);
};

const confirm = async (input: boolean, context: Context): Promise<void> => {
  const question = {
    need: 'setup asks before it changes anything',
    hint: 'say it beforehand: --yes',
    input,
    state: locateFiles(context.env).state,
  };
  if (!(await askOrFail(question, context, () => askYesNo('Go on?')))) throw declined('aws-iam-login setup');
};

/** One change to one file. */
type Step =
  | { readonly kind: 'write'; readonly path: string; readonly text: string }
  | { readonly kind: 'remove'; readonly path: string }
  | {
      readonly kind: 'edit';
      readonly path: string;
      readonly edit: (bytes: Buffer) => Buffer;
      /** The lines that come or go. */
      readonly lines: readonly string[];
      readonly adds: boolean;
    };

/** What is to be done, in this order; nothing when all is there already. */
type Plan = {
  readonly steps: readonly Step[];
  /** The folder of the copies. */
  readonly folder: string;
};

/** What sets this shell up. Raises UserError for an rc file with half a block of ours. */
const planSetup = (shell: Shell, env: Environment, installation: Installation): Plan => {
  const folder = copyFolder(env);
  const lines = blockOf(shell, join(folder, rows[shell].script), env);
  const paths = rows[shell].rcFiles(env, installation.platform);
  const path = paths.find((candidate) => fs.existsSync(candidate)) ?? paths[0];
  // a link to nowhere is there, too, and is the user's
  const isNewFile = fs.lstatSync(path, { throwIfNoEntry: false }) === undefined;
  const edit = (bytes: Buffer) => withBlock(bytes, lines, path, isNewFile);
  const before = readFileIfAny(path) ?? Buffer.alloc(0);
  const copies = copiesOf(installation).filter(
    ({ name, text }) => readFileIfAny(join(folder, name))?.toString() !== text,
  );
  return {
    folder,
    steps: [
      ...copies.map(({ name, text }): Step => ({ kind: 'write', path: join(folder, name), text })),
      ...(edit(before).equals(before) ? [] : [{ kind: 'edit', path, edit, lines, adds: true } as const]),
      ...removals(
        paths.filter((other) => other !== path),
        lines,
      ),
    ],
  };
};

/** What takes this shell's block out again, and the copies once no other shell needs them. Raises UserError. */
const planRemoval = (shell: Shell, env: Environment, { platform }: Installation): Plan => {
  const folder = copyFolder(env);
  const isNeeded = shells.some(
    (other) => other !== shell && rows[other].rcFiles(env, platform).some((path) => hasBlock(path)),
  );
  const copies = isNeeded
    ? []
    : copyNames.map((name) => join(folder, name)).filter((file) => fs.existsSync(file));
  const lines = blockOf(shell, join(folder, rows[shell].script), env);
  return {
    folder,
    steps: [
      ...removals(rows[shell].rcFiles(env, platform), lines),
      ...copies.map((copy): Step => ({ kind: 'remove', path: copy })),
    ],
  };
};

/** Takes the block out of those of the files that have it. */
const removals = (paths: readonly string[], lines: readonly string[]): Step[] =>
  paths
    .filter((path) => hasBlock(path))
    .map((path) => ({
      kind: 'edit',
      path,
      edit: (bytes) => withoutBlock(bytes, path),
      lines,
      adds: false,
    }));

const describePlan = ({ steps, folder }: Plan): string[] => {
  const files = steps.flatMap((step) => (step.kind === 'edit' ? [] : [step]));
  const verb = files.some(({ kind }) => kind === 'write')
    ? 'copy hook and completion to'
    : 'remove the copies in';
  return [
    ...(files.length > 0 ? [`${verb} ${folder}`] : []),
    ...steps.flatMap((step) =>
      step.kind === 'edit'
        ? [
            step.adds ? `add to ${step.path}` : `take out of ${step.path}`,
            ...step.lines.map((line) => `  ${line}`),
          ]
        : [],
    ),
  ];
};

const apply = async (step: Step, env: Environment): Promise<void> => {
  if (step.kind === 'write') {
    writeStateFile(step.path, step.text);
  } else if (step.kind === 'remove') {
    removeStateFile(step.path);
  } else {
    const goesToo = !step.adds && isMadeForBlock(step.path);
    await editFile(step.path, step.edit, { state: locateFiles(env).state });
    if (goesToo && readFileIfAny(step.path)?.length === 0) removeStateFile(step.path);
  }
};

const removeEmptyFolders = (folder: string): void => {
  for (const name of ['shell', 'completions', '.']) {
    const path = join(folder, name);
    if (fs.existsSync(path) && fs.readdirSync(path).length === 0) fs.rmdirSync(path);
  }
};
