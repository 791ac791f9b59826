import { UserError, exitCode } from './errors.ts';
import { shellWord } from './text.ts';

const unitSeconds: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, '': 1 };

/**
 * Seconds of a duration such as `12h`, `1h30m`, `900` or `900s`. Raises UserError (usage) for anything else, and for
 * what is outside `[least, most]` (seconds).
 */
export const parseDuration = (text: string, option: string, least: number, most: number): number => {
  const parts = /^(?:\d{1,7}[hms])+$|^\d{1,7}$/i.test(text)
    ? [...text.toLowerCase().matchAll(/(\d+)([hms]?)/g)]
    : [];
  const seconds = parts.reduce(
    (sum, [, number, unit]) => sum + Number(number) * (unitSeconds[unit ?? ''] ?? 1),
    0,
  );
  if (parts.length > 0 && seconds >= least && seconds <= most) return seconds;
  throw new UserError(
    `--${option} must be a time from ${formatDuration(least)} to ${formatDuration(most)}, not ${shellWord(text)}`,
    {
      hint: `write it like 12h, 90m or 3600 (seconds)`,
      exitCode: exitCode.usage,
    },
  );
};

/** A duration in the form that parseDuration takes. */
export const formatDuration = (seconds: number): string => {
  if (seconds !== 0 && seconds % 3600 === 0) return `${seconds / 3600}h`;
  return seconds !== 0 && seconds % 60 === 0 ? `${seconds / 60}m` : `${seconds}s`;
};

/** How old something is, for people: `today`, `1 day`, `93 days`; in milliseconds. */
export const formatDays = (milliseconds: number): string => {
  const days = Math.floor(milliseconds / 86_400_000);
  if (days < 1) return 'today';
  return days === 1 ? '1 day' : `${days} days`;
};
