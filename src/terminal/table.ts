import type { Screen, Style } from './screen.ts';
import type { WidthOf } from './width.ts';

/** A text in a table, and its style. */
export type Cell = { readonly text: string; readonly style?: Style | undefined };

/** A column. `least`: to how many columns it may shrink; `leaves`: the columns of the screen from which on it is shown. */
export type Column = { readonly title: string; readonly least?: number; readonly leaves?: number };

/**
 * The rows as lines with aligned columns. On a screen columns that need more room are left out, then those that may
 * shrink are cut, with `…`; what does not fit all the same is cut at the edge.
 */
export const formatTable = (
  columns: readonly Column[],
  rows: ReadonlyArray<readonly Cell[]>,
  { columns: room, paint }: Screen,
  widthOf: WidthOf,
): string[] => {
  const all: ReadonlyArray<readonly Cell[]> = [
    columns.map(({ title }) => ({ text: title, style: 'dim' })),
    ...rows,
  ];
  const kept = columns.flatMap((column, index) => {
    const isEmpty = rows.every((row) => (row[index]?.text ?? '') === '');
    const isCrowded = room !== undefined && room < (column.leaves ?? 0);
    if (isEmpty || isCrowded) return [];
    let width = 0;
    for (const row of all) width = Math.max(width, widthOf(row[index]?.text ?? ''));
    return [{ index, width, least: column.least ?? width }];
  });
  const widths = shrink(kept, room === undefined ? undefined : room - 2 * (kept.length - 1));
  return all.map((row) => {
    let gap = 0;
    let line = '';
    let place = 0;
    for (const { index } of kept) {
      const width = widths[place] ?? 0;
      place += 1;
      const cell = row[index];
      const whole = cell?.text ?? '';
      const taken = widthOf(whole);
      const text = taken <= width ? whole : cut(whole, width, widthOf);
      if (text !== '') {
        line += ' '.repeat(gap) + (cell?.style === undefined ? text : paint(cell.style, text));
        gap = 0;
      }
      gap += width - (text === whole ? taken : widthOf(text)) + 2;
    }
    return line;
  });
};

type Wanted = { readonly width: number; readonly least: number };

const shrink = (wanted: readonly Wanted[], room: number | undefined): number[] => {
  let over = room === undefined ? 0 : wanted.reduce((sum, { width }) => sum + width, 0) - room;
  const widths = wanted.map(({ width, least }) => {
    const less = Math.min(Math.max(over, 0), Math.max(width - least, 0));
    over -= less;
    return width - less;
  });
  // what is left over is cut from the end
  for (let place = widths.length - 1; place >= 0 && over > 0; place -= 1) {
    const less = Math.min(over, widths[place] ?? 0);
    widths[place] = (widths[place] ?? 0) - less;
    over -= less;
  }
  return widths;
};

const cut = (text: string, width: number, widthOf: WidthOf): string => {
  let kept = '';
  let used = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += widthOf(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return width < 1 ? '' : `${kept}…`;
};
