import type { ChildProcess } from 'node:child_process';
import type { Context, Environment } from '../context.ts';
import { UserError, messageOf, systemCode } from '../errors.ts';
import { shellWord } from '../text.ts';
import { findProgram } from './find-program.ts';

/** Why a browser that opened here would not be seen, as the end of a sentence; undefined where it would. */
export const reasonAgainstBrowser = (env: Environment, platform: string): string | undefined => {
  const has = (...names: readonly string[]): boolean => names.some((name) => env[name]);
  if (has('SSH_CONNECTION', 'SSH_TTY', 'SSH_CLIENT')) return 'over ssh';
  if (platform !== 'linux' || has('DISPLAY', 'WAYLAND_DISPLAY', 'WSL_DISTRO_NAME')) return undefined;
  return 'without a display';
};

/**
 * The program of a browser by the name that people give it: `chrome`, `firefox`, `edge` and `brave` are found under the
 * names that they have on this system, all else is a program (on macOS an application). Raises UserError when it is not
 * there, as far as the system tells beforehand.
 */
export const findBrowser = async (name: string, env: Environment, platform: string): Promise<string> => {
  const { apps } = await import('open');
  const known = { chrome: apps.chrome, firefox: apps.firefox, edge: apps.edge, brave: apps.brave };
  const names = [Object.entries(known).find(([each]) => each === name)?.[1] ?? name].flat();
  const found = platform === 'linux' ? names.find((each) => findProgram(each, env['PATH'])) : names[0];
  if (found !== undefined) return found;
  throw new UserError(`there is no browser ${shellWord(name)} here`, {
    hint: `--browser takes chrome, firefox, edge, brave or the name of a program${names.includes(name) ? '' : `; looked for ${names.join(', ')}`}`,
  });
};

/**
 * Opens a URL in a browser, the system's when none is named. Resolves to the reason when that failed at once; a browser
 * that runs on is left alone.
 */
export const openBrowser = async (
  url: string,
  browser: string | undefined,
  { sleep }: Pick<Context, 'sleep'>,
): Promise<string | undefined> => {
  const { default: open } = await import('open');
  let child: ChildProcess;
  try {
    child = await open(url, browser === undefined ? {} : { app: { name: browser } });
  } catch (error) {
    return messageOf(error);
  }
  const ended = new Promise<string | undefined>((resolve) => {
    child.on('error', (error) => resolve(systemCode(error) ?? error.message));
    child.on('exit', (code) => resolve(code === 0 ? undefined : `exit code ${code ?? 'unknown'}`));
  });
  return Promise.race([ended, sleep(patience).then(() => undefined)]);
};

// Milliseconds: what cannot open says so sooner.
const patience = 1000;
