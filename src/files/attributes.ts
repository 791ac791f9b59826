import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../errors.ts';

// A rename puts a new file in the place of the old one, and node:fs knows neither access control lists (ACLs) nor
// extended attributes. A file's mode alone says too little: where there is an ACL, its group bits are the list's mask,
// so that a new file of the same mode would give the group what the mask allowed to somebody else.

/** Where to look for the system's own tools, and whose they are. */
export type Machine = { readonly platform: NodeJS.Platform; readonly folders: readonly string[] };

const thisMachine: Machine = {
  platform: process.platform,
  // by folder, never by PATH: these run while a credentials file is being written
  folders: ['/usr/bin', '/bin', '/usr/local/bin', '/run/current-system/sw/bin'],
};

/**
 * Gives `temporary`, an empty file of ours beside `target`, the ACL and the extended attributes of `target`, and takes
 * away what it has inherited from the folder; `mode` is the target's. On macOS it also gets the target's content.
 * Raises UserError when they cannot be kept. A plain file costs one process where the tools are (packages attr and
 * acl, or macOS), none elsewhere as long as its mode gives nothing to a group.
 */
export const keepAttributes = (
  target: string,
  temporary: string,
  mode: number,
  machine: Machine = thisMachine,
): void => {
  if (machine.platform === 'win32') return;
  const find = (name: string): string | undefined =>
    machine.folders.map((folder) => join(folder, name)).find((path) => fs.existsSync(path));
  if (machine.platform === 'darwin') return copyAll(find('cp'), target, temporary);
  const getfattr = find('getfattr');
  const setfattr = find('setfattr');
  const getfacl = find('getfacl');
  const setfacl = find('setfacl');
  if (getfattr !== undefined && setfattr !== undefined) {
    equalize(target, temporary, attributeTools(getfattr, setfattr));
  } else if (getfacl !== undefined && setfacl !== undefined) {
    equalize(target, temporary, aclTools(getfacl, setfacl));
  } else if ((mode & 0o070) !== 0) {
    refuseAcl(find('ls'), target, temporary);
  }
};

/** What a file has beyond its mode, by name. */
type Extras = ReadonlyMap<string, string>;

type Tools = {
  /** What the two files have, in one process. */
  readonly read: (target: string, temporary: string) => { readonly wanted: Extras; readonly present: Extras };
  /** Gives the temporary file what is wanted instead of what is present. */
  readonly replace: (temporary: string, wanted: Extras, present: Extras) => void;
};

const equalize = (target: string, temporary: string, tools: Tools): void => {
  const { wanted, present } = tools.read(target, temporary);
  if (isEqual(wanted, present)) return;
  tools.replace(temporary, wanted, present);
  const now = tools.read(target, temporary);
  if (!isEqual(now.wanted, now.present)) throw notKept(target, 'the file system does not take them');
};

const isEqual = (a: Extras, b: Extras): boolean =>
  a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);

// getfattr shows an ACL too, as system.posix_acl_access.
const attributeTools = (getfattr: string, setfattr: string): Tools => ({
  read: (target, temporary) => {
    const words = ['--absolute-names', '-d', '-m', '-', '-e', 'hex', '--', target, temporary];
    return byFile(runTool(getfattr, words, target), (line) => {
      const [, name = '', value = ''] = /^([^=]+)=?(.*)$/.exec(line) ?? [];
      return isOfContent(name) ? undefined : [name, value];
    });
  },
  replace: (temporary, wanted, present) => {
    for (const name of present.keys())
      if (!wanted.has(name)) runTool(setfattr, ['-x', name, '--', temporary], temporary);
    const lines = [...wanted]
      .filter(([name, value]) => present.get(name) !== value)
      .map(([name, value]) => (value === '' ? name : `${name}=${value}`));
    const text = [`# file: ${escapeName(basename(temporary))}`, ...lines, ''].join('\n');
    // by stdin: values may be anything
    runTool(setfattr, ['--restore=-'], temporary, { cwd: dirname(temporary), input: text });
  },
});

/** Hashes and signatures of the content, which are another file's now. */
const isOfContent = (name: string): boolean => name === 'security.ima' || name === 'security.evm';

const aclTools = (getfacl: string, setfacl: string): Tools => ({
  read: (target, temporary) =>
    byFile(runTool(getfacl, ['-psnE', '--', target, temporary], target), (line): [string, string] => [
      line.slice(0, line.lastIndexOf(':')),
      line.slice(line.lastIndexOf(':')),
    ]),
  replace: (temporary, wanted) => {
    const text = [...wanted].map(([name, value]) => `${name}${value}\n`).join('');
    const words = wanted.size === 0 ? ['-b'] : ['-n', '--set-file=-'];
    runTool(setfacl, [...words, '--', temporary], temporary, { input: text });
  },
});

/** The lines that a tool prints for each of the two files; it prints nothing for a plain one. */
const byFile = (
  output: string,
  parse: (line: string) => [string, string] | undefined,
): { wanted: Extras; present: Extras } => {
  const wanted = new Map<string, string>();
  const present = new Map<string, string>();
  let extras = wanted;
  for (const line of output.split('\n')) {
    if (line.startsWith('# file: '))
      extras = /\.aws-iam-login\.\d+\.[0-9a-f]{8}\.tmp$/.test(line) ? present : wanted;
    const entry = line === '' || line.startsWith('#') ? undefined : parse(line);
    if (entry !== undefined) extras.set(...entry);
  }
  return { wanted, present };
};

// getfattr(1): what is not printable, and what has a meaning there, in octal.
const escapeName = (name: string): string =>
  [...Buffer.from(name)]
    .map((byte) =>
      byte > 0x20 && byte < 0x7f && byte !== 0x5c && byte !== 0x3d
        ? String.fromCharCode(byte)
        : `\\${byte.toString(8).padStart(3, '0')}`,
    )
    .join('');

// cp of macOS keeps ACLs, attributes and flags; there is no way to ask for them without a process either.
const copyAll = (cp: string | undefined, target: string, temporary: string): void => {
  if (cp === undefined) throw notKept(target, 'there is no cp on this machine');
  runTool(cp, ['-p', '--', target, temporary], target);
};

const refuseAcl = (ls: string | undefined, target: string, temporary: string): void => {
  if (ls === undefined) return;
  const listed = runTool(ls, ['-ld', '--', target, temporary], target);
  if (!/^[-rwxsStT]{10}\+/m.test(listed)) return;
  throw new UserError(
    `could not write ${target}: it or its folder has an access control list, and getfacl and setfacl are missing`,
    { hint: 'install the packages acl and attr' },
  );
};

const runTool = (
  tool: string,
  words: readonly string[],
  target: string,
  options: { cwd?: string; input?: string } = {},
): string => {
  const { status, stdout, stderr, error } = spawnSync(tool, words, {
    ...options,
    env: { LC_ALL: 'C' },
    encoding: 'utf8',
    timeout: 10_000,
  });
  const complaints = (stderr ?? '').split('\n').filter((line) => line !== '');
  // a file system without attributes has none to lose
  if (status === 0 || (complaints.length > 0 && complaints.every((line) => notSupported.test(line))))
    return stdout;
  throw notKept(target, `${basename(tool)} failed`, error ?? new Error(complaints.join('\n')));
};

const notSupported = /: Operation not supported$/;

const notKept = (target: string, reason: string, cause?: unknown): UserError =>
  new UserError(
    `could not write ${target}: its access control list or extended attributes could not be kept (${reason})`,
    { hint: 'compare: getfacl and getfattr -d -m - on the file and its folder', cause },
  );
