import type { Environment } from '../context.ts';

export type ShellResult = {
  readonly stdout: string;
  /** How it failed, as the end of a sentence that begins with its name; undefined when it did not. */
  readonly failure: string | undefined;
};

/**
 * Runs a command of the profile with `/bin/sh`, its stdin empty and its stderr on ours, for a minute at most. Never
 * rejects. A command counts as running as long as one of its processes holds its stdout.
 */
export const runShellCommand = async (
  command: string,
  env: Environment,
  limitMilliseconds = 60_000,
): Promise<ShellResult> => {
  // loaded here, since it takes as long as a tenth of the whole program
  const { execa } = await import('execa');
  const begin = () =>
    execa('/bin/sh', ['-c', command], {
      env,
      extendEnv: false,
      stdin: 'ignore',
      stderr: 'inherit',
      reject: false,
      // with NODE_DEBUG=execa, or *, it would write what the command prints, a key or a code, to stderr
      verbose: 'none',
      maxBuffer: 1_000_000,
    });
  let child: ReturnType<typeof begin>;
  try {
    child = begin();
  } catch {
    // a zero byte, or a folder that is gone; what is thrown holds the command, and that may hold a secret
    return { stdout: '', failure: 'could not be started' };
  }
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMilliseconds);
  });
  const result = await Promise.race([child, overdue]);
  clearTimeout(timer);
  if (result === undefined) {
    // execa's own time limit would wait for the processes that the shell has left behind
    child.kill('SIGKILL');
    child.stdout.destroy();
    return { stdout: '', failure: `did not end within ${Math.round(limitMilliseconds / 1000)} s` };
  }
  return { stdout: result.stdout, failure: result.failed ? failureOf(result) : undefined };
};

const failureOf = ({ exitCode, signal }: { exitCode?: number; signal?: string }): string =>
  exitCode === undefined ? `ended by ${signal ?? 'an error'}` : `ended with exit code ${exitCode}`;

/** The environment without the credentials of AWS. */
export const withoutCredentials = (env: Environment): Environment =>
  Object.fromEntries(
    Object.entries(env).filter(
      ([name]) =>
        !['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_SECURITY_TOKEN'].includes(
          name,
        ),
    ),
  );
