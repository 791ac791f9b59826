import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { spawn } from 'node:child_process';

/** One line of the benchmark: a figure, and the limit of the design where it has one. */
export type Row = {
  readonly what: string;
  readonly figure: string;
  /** What is held against the limit, in the limit's unit. */
  readonly value?: number;
  readonly limit?: number;
  readonly unit?: string;
  readonly note?: string;
};

/** The rows as a table with a verdict in each that has a limit. */
export const tableOf = (rows: readonly Row[]): string => {
  const lines = rows.map((row) => [row.what, row.figure, limitOf(row), verdictOf(row), row.note ?? '']);
  const all = [['what', 'figure', 'limit', 'verdict', ''], ...lines];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  return all
    .map((line) =>
      line
        .map((cell, column) =>
          column === 1 ? cell.padStart(widths[1] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
};

const limitOf = ({ limit, unit = '' }: Row): string => (limit === undefined ? '' : `≤ ${limit}${unit}`);

const verdictOf = ({ value, limit, unit = '' }: Row): string => {
  if (limit === undefined) return '';
  if (value === undefined || Number.isNaN(value)) return 'not measured';
  return value <= limit ? 'ok' : `over by ${Number((value - limit).toPrecision(2))}${unit}`;
};

/** Wall time of a whole process in milliseconds. Raises an error when it ends with another code. */
export const timeOf = (
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  codes: readonly number[] = [0],
): Promise<number> => {
  const [program = '', ...words] = command;
  const start = performance.now();
  const child = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  child.stdout.resume();
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      codes.includes(code ?? -1)
        ? resolve(performance.now() - start)
        : reject(new Error(`${command.join(' ')} ended with ${String(code)}`)),
    );
  });
};

/** The times of several actions, each taken so often in turns that a burst of other work meets all of them. */
export const inTurns = async (
  runs: number,
  actions: ReadonlyArray<() => Promise<number>>,
): Promise<number[][]> => {
  const rounds: number[][] = [];
  for (let round = -1; round < runs; round += 1) {
    const times: number[] = [];
    for (const action of actions) times.push(await action());
    if (round >= 0) rounds.push(times);
  }
  return actions.map((_, place) => rounds.map((times) => times[place] ?? Number.NaN));
};

/** The middle one. */
export const median = (numbers: readonly number[]): number => {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
};

/** Where a program is on PATH, undefined where it is not. */
export const whereIs = (program: string): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
