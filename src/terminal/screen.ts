import { styleText } from 'node:util';
import type { Context, Environment } from '../context.ts';

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red';

/** Puts a text into a style, where there are styles. */
export type Paint = (style: Style, text: string) => string;

/** Where text for people goes. */
export type Screen = {
  /** Undefined where lines may be as long as they are: a file, a pipe. */
  readonly columns: number | undefined;
  readonly paint: Paint;
};

/** Lines of any length without colour. */
export const plainScreen: Screen = { columns: undefined, paint: (_, text) => text };

/** The screen that stdout is. */
export const stdoutScreen = ({ env, toTerminal, columns }: Context): Screen =>
  toTerminal?.() === true ? { columns: columns?.() ?? 80, paint: paintOn(true, env) } : plainScreen;

/** How lines for people are painted on a terminal: who speaks of an error, and the word before a hint. */
export const linePainter = (env: Environment): ((text: string, kind: 'error' | undefined) => string) => {
  const paint = paintOn(true, env);
  return (text, kind) =>
    text
      .replace(/^ {2}hint:/, (word) => paint('bold', word))
      .replace(/^aws-iam-login:/, (word) => (kind === 'error' ? paint('red', paint('bold', word)) : word));
};

/** How text is painted: colour only on a terminal, never with `NO_COLOR` or `TERM=dumb`. */
const paintOn = (isTerminal: boolean, env: Environment): Paint =>
  isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
    ? // the decision is made: Node would make it again from the variables of the whole process
      (style, text) => styleText(style, text, { validateStream: false })
    : plainScreen.paint;
