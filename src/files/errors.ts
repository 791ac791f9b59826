import fs from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isUserError, systemCode, UserError } from '../errors.ts';
import { shellWord } from '../text.ts';

type Verb = 'lock' | 'read' | 'remove' | 'write';

/**
 * What to throw for a failed file operation: a UserError that says what could not be done with `path` (a symbolic
 * link's `target`), the likely reason and what helps. What is no system error (a bug, a UserError) comes back as it is.
 */
export const fileError = (error: unknown, verb: Verb, path: string, target: string = path): unknown => {
  const code = systemCode(error);
  // TimeoutError, ABORT_ERR and ERR_… are Node's own
  if (isUserError(error) || code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  const { reason, hint } = explain(code, target, error);
  return new UserError(`could not ${verb} ${path}: ${reason}`, { hint, cause: error });
};

/** The refusal of a file or folder that belongs to somebody else: most often sudo left it to root. */
export const foreignOwner = (path: string, uid: number): { reason: string; hint: string } => ({
  reason: `${path} belongs to ${uid === 0 ? 'root, likely because a command ran with sudo' : `user ${uid}`}`,
  hint: `sudo chown -R ${process.geteuid?.() ?? '"$(id -u)"'} ${shellWord(path)}`,
});

type Explanation = { reason: string; hint: string | undefined };

const explain = (code: string, path: string, error: unknown): Explanation =>
  code === 'EACCES' || code === 'EPERM'
    ? explainDenied(resolve(path))
    : (explanations(path)[code] ?? {
        reason: error instanceof Error ? error.message : code,
        hint: undefined,
      });

const explanations = (path: string): Record<string, Explanation> => {
  const folder = dirname(resolve(path));
  const space = `free some space: df -h ${shellWord(folder)}`;
  return {
    EISDIR: { reason: 'it is a folder, not a file', hint: elsewhere },
    ENOTDIR: { reason: 'a part of its path is a file, not a folder', hint: elsewhere },
    ENOENT: { reason: 'it is not there any more', hint: 'run the command again' },
    ELOOP: { reason: 'its symbolic links lead in a circle', hint: `ls -l ${shellWord(path)}` },
    ENAMETOOLONG: { reason: 'its name is too long', hint: elsewhere },
    EROFS: { reason: 'the file system is read-only', hint: elsewhere },
    ENOSPC: { reason: 'no space is left on the disk', hint: space },
    EDQUOT: { reason: 'the disk quota is used up', hint: space },
    EBUSY: {
      reason: 'it is a mount point, so it cannot be replaced in one step',
      hint: 'mount the folder that holds the file instead of the file',
    },
  };
};

const elsewhere = 'check HOME, AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE and AWS_IAM_LOGIN_HOME';

const explainDenied = (path: string): Explanation => {
  const culprit = findCulprit(path);
  const uid = ownerOf(culprit);
  if (uid === undefined || process.geteuid === undefined) {
    return { reason: 'permission denied', hint: elsewhere };
  }
  if (uid === process.geteuid()) {
    const rights = culprit === path ? 'u+rw' : 'u+rwx';
    return {
      reason: `permission denied by the mode of ${culprit}`,
      hint: `chmod ${rights} ${shellWord(culprit)}`,
    };
  }
  // only what lies in a folder of ours was ours: no advice to take over /etc
  return ownerOf(dirname(culprit)) === process.geteuid()
    ? foreignOwner(culprit, uid)
    : { reason: `permission denied by ${culprit}`, hint: elsewhere };
};

// the first folder from the root down that cannot be entered, else the file, else its folder
const findCulprit = (path: string): string => {
  const folders = ancestors(path);
  const closed = folders.find((folder) => !allows(folder, fs.constants.X_OK));
  if (closed !== undefined) return closed;
  if (fs.existsSync(path) && !allows(path, fs.constants.R_OK | fs.constants.W_OK)) return path;
  return dirname(path);
};

const ancestors = (path: string): string[] => {
  const folder = dirname(path);
  return folder === path ? [] : [...ancestors(folder), folder].filter((each) => fs.existsSync(each));
};

const allows = (path: string, access: number): boolean => {
  try {
    fs.accessSync(path, access);
    return true;
  } catch {
    return false;
  }
};

const ownerOf = (path: string): number | undefined => {
  try {
    return fs.statSync(path).uid;
  } catch {
    return undefined;
  }
};
