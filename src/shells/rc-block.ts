import type { Environment } from '../context.ts';
import { UserError } from '../errors.ts';
import { readFileIfAny } from '../files/read.ts';
import type { Shell } from './names.ts';
import { homeOf, rows } from './rows.ts';

const begin = '# >>> aws-iam-login >>>';
const end = '# <<< aws-iam-login <<<';
/** Notes in the block that the line above it had no newline, so that its removal restores that. */
const unended = '# (the line above has no newline of its own)';
/** Notes in the block that the file was not there before, so that it goes with the block. */
const made = '# (setup made this file)';

/** The lines that load this copy of the shell's script. */
export const blockOf = (shell: Shell, script: string, env: Environment): string[] => {
  const { source, ifReadable } = rows[shell];
  const word = scriptWord(shell, script, env);
  return [
    begin,
    `# to take it out: aws-iam-login setup ${shell} --remove`,
    ...ifReadable(word, source(word)),
    end,
  ];
};

// Relative to $HOME where that needs no quoting, for rc files that several machines share.
const scriptWord = (shell: Shell, script: string, env: Environment): string => {
  const home = `${homeOf(env)}/`;
  const rest = script.startsWith(home) ? script.slice(home.length) : '';
  return /^[\w./-]+$/.test(rest) ? `"$HOME/${rest}"` : rows[shell].quote(script);
};

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

/** Whether the file has our block. Raises UserError as `withBlock` does. */
export const hasBlock = (path: string): boolean =>
  findBlock(readFileIfAny(path) ?? Buffer.alloc(0), path) !== undefined;

/** Whether the file has our block and nothing else. Raises UserError as `withBlock` does. */
export const isOnlyBlock = (path: string): boolean =>
  hasBlock(path) && withoutBlock(readFileIfAny(path) ?? Buffer.alloc(0), path).length === 0;

/** Whether setup made the file for our block, and nothing else has come into it. Raises UserError as `withBlock` does. */
export const isMadeForBlock = (path: string): boolean =>
  isOnlyBlock(path) && textOf(readFileIfAny(path) ?? Buffer.alloc(0)).includes(made);

/**
 * The file with our block: where it was, else at the end; with a note in a block for a file that is not there yet.
 * All other bytes stay. Raises UserError for half a block.
 */
export const withBlock = (
  bytes: Buffer,
  [first = '', ...others]: readonly string[],
  path: string,
  isNewFile: boolean,
): Buffer => {
  const text = textOf(bytes);
  const found = findBlock(bytes, path);
  const isEnded = found === undefined ? text === '' || text.endsWith('\n') : !found.text.includes(unended);
  const isMade = found === undefined ? isNewFile : found.text.includes(made);
  const block = [first, ...(isEnded ? [] : [unended]), ...(isMade ? [made] : []), ...others];
  const lines = `${block.map((line) => textOf(Buffer.from(line))).join('\n')}\n`;
  if (found === undefined) return bytesOf(`${text}${isEnded ? '' : '\n'}${lines}`);
  return bytesOf(text.slice(0, found.start) + lines + text.slice(found.end));
};

/** The file as it would be without our block. Raises UserError for half a block. */
export const withoutBlock = (bytes: Buffer, path: string): Buffer => {
  const found = findBlock(bytes, path);
  if (found === undefined) return bytes;
  const text = textOf(bytes);
  const before = text.slice(0, found.start);
  const after = text.slice(found.end);
  return bytesOf((found.text.includes(unended) && after === '' ? before.replace(/\n$/, '') : before) + after);
};
