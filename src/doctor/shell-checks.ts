import fs from 'node:fs';
import { join } from 'node:path';
import { copiesOf, copyFolder } from '../shells/copies.ts';
import { callingShell, parentName } from '../shells/calling-shell.ts';
import { hasBlock } from '../shells/rc-block.ts';
import { rows } from '../shells/rows.ts';
import { shells } from '../shells/names.ts';
import { packageRoot } from '../shells/scripts.ts';
import { isUserError } from '../errors.ts';
import { findProgram } from '../terminal/find-program.ts';
import { shellWord } from '../text.ts';
import { version } from '../version.ts';
import { attempt, toldPath, warning } from './check.ts';
import type { Check, Finding, Scene } from './check.ts';

/** The checks of the hook, of its copies and of Node. */
export const shellChecks: readonly Check[] = [
  { name: 'hook', ok: (scene) => `the hook is loaded in this shell${isOff(scene)}`, look: findHook },
  { name: 'copies', ok: `hook and completion are of this version, ${version}`, look: findCopies },
  { name: 'node', ok: ({ nodeVersion }) => `Node ${nodeVersion} is maintained`, look: findNode },
];

const isOff = ({ env }: Scene): string =>
  env['AWS_IAM_LOGIN_HOOK'] === 'off' ? ' (AWS_IAM_LOGIN_HOOK=off: the prompt does nothing)' : '';

// The hook's function tells its version in the environment of what it runs; the package's own script has none.
function findHook(scene: Scene): Finding[] {
  const loaded = scene.env['AWS_IAM_LOGIN_HOOK_VERSION'];
  if (loaded === version || loaded === '') return [];
  if (loaded !== undefined)
    return [
      warning(
        `the hook in this shell is of version ${shellWord(loaded)}, the program of ${version}`,
        'aws-iam-login setup, then open a new shell',
      ),
    ];
  const rcFiles = shells.flatMap((shell) =>
    rows[shell].rcFiles(scene.env, scene.platform).map((path) => ({ shell, path })),
  );
  const broken = rcFiles.flatMap(({ path }) => attempt(() => void hasBlock(path)));
  if (broken.length > 0) return broken;
  const setUp = [...new Set(rcFiles.filter(({ path }) => hasBlock(path)).map(({ shell }) => shell))];
  if (setUp.length === 0)
    return [warning('the hook is not installed: no renewal at the prompt, no use', 'aws-iam-login setup')];
  const shell = shellOf(scene);
  return shell !== undefined && setUp.includes(shell)
    ? [warning('this shell has not loaded the hook', rows[shell].restart(scene.platform))]
    : [
        warning(
          `the hook is installed for ${setUp.join(' and ')}, and this shell is another one`,
          'aws-iam-login setup',
        ),
      ];
}

const shellOf = ({ env }: Scene) => {
  try {
    return callingShell(parentName(), env);
  } catch (error) {
    if (isUserError(error)) return undefined;
    throw error;
  }
};

function findCopies(scene: Scene): Finding[] | undefined {
  const folder = copyFolder(scene.env);
  const [copied = '', node = '', entry = ''] = (textOf(join(folder, 'stamp')) ?? '').split('\n');
  if (copied === '') return undefined;
  const where = toldPath(folder, scene);
  const named = /^[\w.+-]{1,32}$/.test(copied) ? `version ${copied}` : 'an unknown version';
  if (copied !== version)
    return [
      warning(
        `hook and completion in ${where} are of ${named}, the program of ${version}`,
        'aws-iam-login setup',
      ),
    ];
  const origin = { packageRoot, node, entry };
  const changed = copiesOf(origin).filter(({ name, text }) => textOf(join(folder, name)) !== text);
  if (changed.length > 0)
    return [warning(`hook and completion in ${where} are not those of the program`, 'aws-iam-login setup')];
  const gone = [node, entry].find((path) => !fs.existsSync(path));
  const isOnPath = findProgram('aws-iam-login', scene.env['PATH']) !== undefined;
  return gone === undefined || isOnPath
    ? []
    : [warning(`the hook in ${where} looks for ${shellWord(gone)}, which is gone`, 'aws-iam-login setup')];
}

const textOf = (path: string): string | undefined => {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

// The day after which nobody mends a version of Node any more.
const endOfLife: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  21: '2024-06-01',
  22: '2027-04-30',
  23: '2025-06-01',
  24: '2028-04-30',
  25: '2026-06-01',
  26: '2029-04-30',
};

// From when on the AWS SDK, and with it what is released after that day, needs Node 22.
const newFloor = '2027-01-01';

function findNode({ nodeVersion, now }: Scene): Finding[] {
  const major = Number(nodeVersion.split('.')[0]);
  const end = endOfLife[major];
  const isOver = end !== undefined && now > Date.parse(end);
  if (!isOver && major >= 22) return [];
  const floor =
    major < 22 ? `; what is released from ${newFloor} on needs Node 22, this version keeps working` : '';
  return [
    warning(
      `Node ${nodeVersion} ${isOver ? `has had no security updates since ${end}` : 'is old'}${floor}`,
      'install Node 24',
    ),
  ];
}
