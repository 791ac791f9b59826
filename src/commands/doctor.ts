import type { Context } from '../context.ts';
import { exitCode, usageError } from '../errors.ts';
import { examine } from '../doctor/doctor.ts';
import type { Line, Report } from '../doctor/doctor.ts';
import { stdoutScreen } from '../terminal/screen.ts';
import type { Screen, Style } from '../terminal/screen.ts';
import { widthFor } from '../terminal/width.ts';
import type { WidthOf } from '../terminal/width.ts';
import { shellWord, shown } from '../text.ts';
import { profileOf } from './given.ts';
import type { Given } from './given.ts';
import { toJson } from './profile-json.ts';

/** `doctor`: looks at everything that can be wrong; the exit code tells whether a problem was found. */
export const runDoctor = async (
  given: Given<'profile' | 'max-key-age' | 'offline' | 'json' | 'quiet'>,
  context: Context,
): Promise<number> => {
  const asked = given.text('max-key-age') ?? (context.env['AWS_IAM_LOGIN_MAX_KEY_AGE'] || undefined);
  const options = {
    profile: profileOf(given),
    maxKeyAge: asked === undefined ? defaultKeyAge : daysOf(asked),
    offline: given.flag('offline'),
  };
  const report = await examine(options, context);
  if (!given.flag('quiet'))
    context.print(
      given.flag('json')
        ? formatJson(report)
        : formatReport(
            report,
            stdoutScreen(context),
            await widthFor(report.lines.map(({ text }) => shown(text))),
          ),
    );
  return countOf('problem', report) === 0 ? exitCode.done : exitCode.failed;
};

const defaultKeyAge = 90;

const daysOf = (text: string): number => {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw usageError(`the highest age of a key is a number of days, not ${shellWord(text)}`, 'like 60 or 365');
};

const countOf = (level: Line['level'], { lines }: Report): number =>
  lines.filter((line) => line.level === level).length;

/** What `doctor --json` prints: docs/json.md. */
const formatJson = (report: Report): string =>
  toJson({
    Profile: report.profileName,
    AskedAws: report.askedAws,
    Problems: countOf('problem', report),
    Warnings: countOf('warning', report),
    Checks: report.lines.map((line) => ({
      Check: line.check,
      State: line.level,
      Text: shown(line.text),
      Mend: line.level === 'ok' ? undefined : shown(line.mend),
    })),
  });

const levels = ['ok', 'warning', 'problem'] as const;

const styles: Readonly<Record<Line['level'], Style>> = { ok: 'green', warning: 'yellow', problem: 'red' };

const indent = 9;

/** What `doctor` prints: the worst last, where a terminal shows it without scrolling, and how many there are. */
export const formatReport = (report: Report, screen: Screen, widthOf: WidthOf): string => {
  const lines = levels
    .flatMap((level) => report.lines.filter((line) => line.level === level))
    .flatMap((line) => formatLine(line, screen, widthOf));
  return [...lines, '', ...wrap(summaryOf(report), screen.columns, widthOf)]
    .map((line) => `${line}\n`)
    .join('');
};

const formatLine = (line: Line, { columns, paint }: Screen, widthOf: WidthOf): string[] => {
  const [first = '', ...others] = wrap(
    shown(line.text),
    columns === undefined ? undefined : columns - indent,
    widthOf,
  );
  const texts = [
    `${paint(styles[line.level], line.level.padEnd(indent))}${first}`,
    ...others.map((text) => ' '.repeat(indent) + text),
  ];
  if (line.level === 'ok') return texts;
  // whole, whatever its length: it is there to be copied
  return [...texts, `${' '.repeat(indent)}${paint('bold', shown(line.mend))}`];
};

const wrap = (text: string, columns: number | undefined, widthOf: WidthOf): string[] => {
  if (columns === undefined) return [text];
  const room = Math.max(columns, 20);
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(`${last} ${word}`) <= room) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
};

const summaryOf = (report: Report): string => {
  const [problems, warnings] = [countOf('problem', report), countOf('warning', report)];
  const words = [
    `${problems} ${problems === 1 ? 'problem' : 'problems'}`,
    `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`,
    `${countOf('ok', report)} ok`,
  ];
  return `${words.join(', ')}${report.askedAws ? '' : '; AWS was not asked'}`;
};
