import fs from 'node:fs';
import { homedir } from 'node:os';
import { basename, isAbsolute, join } from 'node:path';
import { tell } from '../context.ts';
import type { Context, Environment } from '../context.ts';
import { UserError, exitCode } from '../errors.ts';
import { editFile } from '../files/edit.ts';
import { readFileIfAny } from '../files/read.ts';
import { removeStateFile, writeStateFile } from '../files/state-files.ts';
import { locateFiles } from '../files/locations.ts';
import { shells } from './names.ts';
import type { Shell } from './names.ts';
import { quoteFish, quotePosix } from './quoting.ts';
import { completionOf, packageRoot, scriptOf, sessionScriptOf } from './scripts.ts';
import { askYesNo, declined } from '../terminal/prompt.ts';
import { askOrFail } from '../terminal/question.ts';
import { shellWord } from '../text.ts';
import { version } from '../version.ts';

export type SetupOptions = {
  /** Undefined for the shell that `$SHELL` names. */
  readonly shell: Shell | undefined;
  readonly remove: boolean;
  readonly yes: boolean;
  /** Whether a question may be asked. */
  readonly input: boolean;
};

/** Where the program is, on which system: what the copies need to know to find it again. */
export type Installation = {
  readonly platform: string;
  /** The path of Node. */
  readonly node: string;
  /** The path of the program's entry. */
  readonly entry: string;
  /** The package's folder, with the scripts that are copied. */
  readonly packageRoot: string;
};

const thisInstallation = (): Installation => ({
  platform: process.platform,
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
  const shell = options.shell ?? shellOf(context.env);
  const plan = options.remove
    ? planRemoval(shell, context.env, installation)
    : planSetup(shell, context.env, installation);
  if (plan.steps.length === 0) {
    tell(context, options.remove ? `nothing of setup is left for ${shell}` : `${shell} is set up already`);
    return;
  }
  for (const line of describePlan(plan)) context.log(line);
  if (!options.yes) await confirm(options.input, context);
  for (const step of plan.steps) await apply(step, context.env);
  if (options.remove) removeEmptyFolders(plan.folder);
  tell(
    context,
    options.remove
      ? 'done'
      : `done; a new ${shell} has it, this one after: ${sourceLine(shell, plan.script)}`,
  );
};

const confirm = async (input: boolean, context: Context): Promise<void> => {
  const question = {
    need: 'setup asks before it changes anything',
    hint: 'say it beforehand: --yes',
    input,
    state: locateFiles(context.env).state,
  };
  if (!(await askOrFail(question, context, () => askYesNo('Go on?')))) throw declined();
};

/** One change to one file. */
export type Step =
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
export type Plan = {
  readonly steps: readonly Step[];
  /** The folder of the copies. */
  readonly folder: string;
  /** The copy of the shell's script. */
  readonly script: string;
};

/** What sets this shell up. Raises UserError for an rc file with half a block of ours. */
export const planSetup = (shell: Shell, env: Environment, installation: Installation): Plan => {
  const folder = copyFolder(env);
  const block = blockOf(shell, join(folder, scriptOf(shell)), env);
  const path = rcFile(shell, env, installation.platform);
  const edit = (bytes: Buffer) => withBlock(bytes, block, path);
  const before = readFileIfAny(path) ?? Buffer.alloc(0);
  const copies = copiesOf(installation).filter(
    ({ name, text }) => readFileIfAny(join(folder, name))?.toString() !== text,
  );
  return {
    folder,
    script: join(folder, scriptOf(shell)),
    steps: [
      ...copies.map(({ name, text }): Step => ({ kind: 'write', path: join(folder, name), text })),
      ...(edit(before).equals(before)
        ? []
        : [{ kind: 'edit', path, edit, lines: block, adds: true } as const]),
    ],
  };
};

/** What takes this shell's block out again, and the copies once no other shell needs them. Raises UserError. */
export const planRemoval = (shell: Shell, env: Environment, { platform }: Installation): Plan => {
  const folder = copyFolder(env);
  const path = rcFile(shell, env, platform);
  const others = shells.filter((other) => other !== shell && isSetUp(rcFile(other, env, platform)));
  const copies =
    others.length > 0
      ? []
      : copyNames.map((name) => join(folder, name)).filter((file) => fs.existsSync(file));
  const edit = (bytes: Buffer) => withoutBlock(bytes, path);
  const lines = blockOf(shell, join(folder, scriptOf(shell)), env);
  return {
    folder,
    script: join(folder, scriptOf(shell)),
    steps: [
      ...(isSetUp(path) ? [{ kind: 'edit', path, edit, lines, adds: false } as const] : []),
      ...copies.map((copy): Step => ({ kind: 'remove', path: copy })),
    ],
  };
};

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
    await editFile(step.path, step.edit, { state: locateFiles(env).state });
    if (!step.adds && readFileIfAny(step.path)?.length === 0) removeStateFile(step.path);
  }
};

const removeEmptyFolders = (folder: string): void => {
  for (const name of ['shell', 'completions', '.']) {
    const path = join(folder, name);
    if (fs.existsSync(path) && fs.readdirSync(path).length === 0) fs.rmdirSync(path);
  }
};

const shellOf = (env: Environment): Shell => {
  const name = basename(env['SHELL'] ?? '');
  const shell = shells.find((known) => known === name);
  if (shell !== undefined) return shell;
  throw new UserError(
    `setup needs to know the shell: SHELL is ${name === '' ? 'not set' : shellWord(name)}`,
    {
      hint: `name it: aws-iam-login setup ${shells.join('|')}`,
      exitCode: exitCode.usage,
    },
  );
};

const stampName = 'stamp';
const copyNames = [
  ...shells.flatMap((shell) => [scriptOf(shell), sessionScriptOf(shell), completionOf(shell)]),
  stampName,
];

/**
 * The files of the copy folder. Its scripts are those of the package; the stamp tells them, line by line, their
 * version, and where Node and the program were. It comes last, so that it never tells of copies that are not there.
 */
const copiesOf = ({ packageRoot: root, node, entry }: Installation): Array<{ name: string; text: string }> =>
  copyNames.map((name) => ({
    name,
    text: name === stampName ? `${version}\n${node}\n${entry}\n` : fs.readFileSync(join(root, name), 'utf8'),
  }));

const copyFolder = (env: Environment): string =>
  join(xdgFolder(env, 'XDG_DATA_HOME', join('.local', 'share')), 'aws-iam-login');

/** The file that every interactive shell of this kind reads. */
const rcFile = (shell: Shell, env: Environment, platform: string): string => {
  if (shell === 'bash') return join(homeOf(env), platform === 'darwin' ? '.bash_profile' : '.bashrc');
  if (shell === 'zsh') return join(env['ZDOTDIR'] || homeOf(env), '.zshrc');
  return join(xdgFolder(env, 'XDG_CONFIG_HOME', '.config'), 'fish', 'conf.d', 'aws-iam-login.fish');
};

// The XDG specification has relative paths ignored.
const xdgFolder = (env: Environment, variable: string, otherwise: string): string => {
  const folder = env[variable] ?? '';
  return isAbsolute(folder) ? folder : join(homeOf(env), otherwise);
};

const homeOf = (env: Environment): string => env['HOME'] || homedir();

const begin = '# >>> aws-iam-login >>>';
const end = '# <<< aws-iam-login <<<';
/** Notes in the block that the line above it had no newline, so that its removal restores that. */
const unended = '# (the line above has no newline of its own)';

const blockOf = (shell: Shell, script: string, env: Environment): string[] => {
  const word = scriptWord(shell, script, env);
  return [
    begin,
    `# written by 'aws-iam-login setup ${shell}'; 'aws-iam-login setup ${shell} --remove' takes it out`,
    shell === 'fish' ? `if test -r ${word}` : `if [ -r ${word} ]; then`,
    `  ${shell === 'fish' ? 'source' : '.'} ${word}`,
    shell === 'fish' ? 'end' : 'fi',
    end,
  ];
};

// Relative to $HOME where that needs no quoting, for rc files that several machines share.
const scriptWord = (shell: Shell, script: string, env: Environment): string => {
  const home = `${homeOf(env)}/`;
  const rest = script.startsWith(home) ? script.slice(home.length) : '';
  if (/^[\w./-]+$/.test(rest)) return `"$HOME/${rest}"`;
  return shell === 'fish' ? quoteFish(script) : quotePosix(script);
};

const sourceLine = (shell: Shell, script: string): string =>
  shell === 'fish' ? `source ${quoteFish(script)}` : `. ${quotePosix(script)}`;

// Bytes are handled as latin1, where each is one character: whatever encoding the file has stays as it is.
const textOf = (bytes: Buffer): string => bytes.toString('latin1');
const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

type Block = { readonly start: number; readonly end: number; readonly text: string };

/** Our block with its last newline, undefined without one. Raises UserError when it has lost its end. */
const findBlock = (bytes: Buffer, path: string): Block | undefined => {
  const text = textOf(bytes);
  const match = new RegExp(`^${begin}\\r?\\n`, 'm').exec(text);
  if (match === null) return undefined;
  const last = new RegExp(`^${end}\\r?(?:\\n|$(?![\\s\\S]))`, 'm').exec(text.slice(match.index));
  if (last === null) {
    throw new UserError(`${path} holds the first line of our block, but not the last one: ${end}`, {
      hint: 'take the rest of the block out by hand, then run setup again',
    });
  }
  const stop = match.index + last.index + last[0].length;
  return { start: match.index, end: stop, text: text.slice(match.index, stop) };
};

const isSetUp = (path: string): boolean =>
  findBlock(readFileIfAny(path) ?? Buffer.alloc(0), path) !== undefined;

/** The file with our block: where it was, else at the end. All other bytes stay. */
const withBlock = (bytes: Buffer, block: readonly string[], path: string): Buffer => {
  const text = textOf(bytes);
  const found = findBlock(bytes, path);
  const isEnded = found === undefined ? text === '' || text.endsWith('\n') : !found.text.includes(unended);
  const [first = '', ...others] = block;
  const lines = `${(isEnded ? block : [first, unended, ...others]).map((line) => textOf(Buffer.from(line))).join('\n')}\n`;
  if (found === undefined) return bytesOf(`${text}${isEnded ? '' : '\n'}${lines}`);
  return bytesOf(text.slice(0, found.start) + lines + text.slice(found.end));
};

/** The file as it would be without our block. */
const withoutBlock = (bytes: Buffer, path: string): Buffer => {
  const found = findBlock(bytes, path);
  if (found === undefined) return bytes;
  const text = textOf(bytes);
  const before = text.slice(0, found.start);
  const after = text.slice(found.end);
  return bytesOf((found.text.includes(unended) && after === '' ? before.replace(/\n$/, '') : before) + after);
};
