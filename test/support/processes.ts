import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** A new empty folder that every user can enter. */
export const newFolder = (): string => {
  const folder = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'aws-iam-login-test-')));
  fs.chmodSync(folder, 0o755);
  return folder;
};

/** Bundles edit-child.ts into `folder`; returns the script. */
export const bundleChild = async (folder: string): Promise<string> => {
  const script = join(folder, 'edit-child.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('edit-child.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: script,
    logLevel: 'warning',
  });
  return script;
};

export type Ended = { readonly code: number | null; readonly signal: string | null; readonly output: string };

export type Child = {
  readonly pid: number;
  /** Waits for a line on the child's stdout. Rejects when the child ends without it. */
  readonly says: (line: string) => Promise<void>;
  readonly tell: () => void;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<Ended>;
};

export type ChildOptions = { readonly env?: Record<string, string>; readonly unprivileged?: boolean };

/** Starts the child script. `unprivileged`: where we are root, as a user that is not. */
export const startChild = (script: string, words: readonly string[], options: ChildOptions = {}): Child => {
  const child = spawn(process.execPath, [script, ...words], {
    env: {
      PATH: process.env['PATH'],
      ...(options.unprivileged === true && isRoot() ? { RUN_AS: String(nobody) } : {}),
      ...options.env,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const listener of listeners) listener();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, output: lines.join('\n') }));
  });
  const says = async (line: string): Promise<void> => {
    const heard = new Promise<true>((resolve) => {
      const listener = (): void => {
        if (lines.includes(line)) resolve(true);
      };
      listeners.add(listener);
      listener();
    });
    const first = await Promise.race([heard, ended]);
    if (first !== true && !lines.includes(line)) {
      throw new Error(`the child ended without saying ${line}: ${lines.join('\n')}`);
    }
  };
  return {
    pid: child.pid ?? 0,
    says,
    tell: () => void child.stdin.write('\n'),
    kill: (signal) => void child.kill(signal),
    ended,
  };
};

/** The user and group id of `nobody`. */
export const nobody = 65534;

export const isRoot = (): boolean => process.geteuid?.() === 0;

/** All files and folders below `folder`, relative, sorted. */
export const listTree = (folder: string): string[] =>
  fs.readdirSync(folder, { recursive: true }).map(String).sort();

/** Calls `isSo` whenever something happens in `folder`, until it is so. */
export const untilFolder = (folder: string, isSo: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const watcher = fs.watch(folder, look);
    function look(): void {
      if (!isSo()) return;
      watcher.close();
      resolve();
    }
    look();
  });
