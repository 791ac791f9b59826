import { spawn } from 'node:child_process';
import type { Environment } from '../context.ts';
import { systemCode } from '../errors.ts';

/** What a program has printed, and how it ended: its exit code, `missing`, `overdue`, or by a signal. */
export type HelperResult = {
  readonly stdout: string;
  readonly stderr: string;
  readonly ending: number | 'missing' | 'overdue' | 'killed';
};

export type HelperOptions = {
  readonly env: Environment;
  /** What it reads on stdin; without it, stdin is empty, or ours with `ownInput`. */
  readonly input?: string | undefined;
  /** Whether it may find the terminal on our stdin. It then gets Ctrl-C like we do. */
  readonly ownInput?: boolean;
  /** Milliseconds until it is ended, and until `onWait` is told of it. */
  readonly limit: number;
  readonly waitAfter: number;
  readonly onWait: () => void;
};

/**
 * Runs a program that answers on stdout, for so long at most: then it is ended, with all that it has started where it
 * has no terminal of ours. Secrets go through stdin and stdout only. Never rejects for what the program does.
 */
export const runHelper = (
  file: string,
  words: readonly string[],
  { env, input, ownInput = false, limit, waitAfter, onWait }: HelperOptions,
): Promise<HelperResult> =>
  new Promise((resolve, reject) => {
    const child = spawn(file, words, {
      env: { ...env },
      detached: !ownInput,
      stdio: [input === undefined ? (ownInput ? 'inherit' : 'ignore') : 'pipe', 'pipe', 'pipe'],
    });
    const texts = { stdout: '', stderr: '' };
    const timers = [setTimeout(onWait, Math.min(waitAfter, limit)), setTimeout(giveUp, limit)];
    const end = (ending: HelperResult['ending']): void => {
      for (const timer of timers) clearTimeout(timer);
      resolve({ ...texts, ending });
    };
    function giveUp(): void {
      endAll(child.pid, ownInput);
      child.stdout?.destroy();
      child.stderr?.destroy();
      end('overdue');
    }
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (texts.stdout += chunk));
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (texts.stderr += chunk));
    child.on('error', (error) => {
      if (systemCode(error) !== 'ENOENT') return reject(error);
      end('missing');
    });
    child.on('close', (code) => end(code ?? 'killed'));
    // a program that has ended reads nothing more
    child.stdin?.on('error', () => {}).end(input);
  });

const endAll = (pid: number | undefined, ownInput: boolean): void => {
  if (pid === undefined) return;
  try {
    process.kill(ownInput ? pid : -pid, 'SIGKILL');
  } catch {
    // it has ended just now
  }
};
