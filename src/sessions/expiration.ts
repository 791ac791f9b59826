/**
 * Whether at least `minTtl` seconds are left until the expiration (seconds since the epoch); `now` in milliseconds, of
 * which whole seconds count, as for the launcher.
 */
export const isLive = (
  { expiration }: { readonly expiration: number },
  now: number,
  minTtl: number,
): boolean => expiration - Math.floor(now / 1000) >= minTtl;

/**
 * Seconds since the epoch, of every form of expiration found in the wild: ISO 8601 with a space or `T`, with `Z`
 * or an offset; a naive one is UTC. Undefined for anything else.
 */
export const parseExpiration = (text: string): number | undefined => {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?\s?(Z|UTC|[+-]\d\d:?\d\d)?$/i.exec(
    text.trim(),
  );
  if (match === null) return undefined;
  const [, date, time, zone = 'Z'] = match;
  const offset = '+-'.includes(zone.charAt(0)) ? `${zone.slice(0, 3)}:${zone.slice(-2)}` : 'Z';
  const milliseconds = Date.parse(`${date}T${time}${offset}`);
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
};

/** The expiration as `[<profile>-sts]` holds it: `2022-07-25 19:00:00+00:00`; seconds since the epoch. */
export const formatExpiration = (expiration: number): string =>
  `${isoSeconds(expiration).slice(0, -1).replace('T', ' ')}+00:00`;

/** The expiration as AWS's tools take it: `2026-01-02T03:04:05Z`; seconds since the epoch. */
export const isoSeconds = (expiration: number): string => {
  // Not toISOString, which costs a cold process ten times as much.
  const date = new Date(expiration * 1000);
  const day = `${date.getUTCFullYear()}-${two(date.getUTCMonth() + 1)}-${two(date.getUTCDate())}`;
  return `${day}T${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}Z`;
};

const two = (number: number): string => (number < 10 ? `0${number}` : String(number));

/** A remaining time for people, to the nearest minute: `12 h`, `1 h 5 min`, `30 s`; in seconds. */
export const formatRemaining = (seconds: number): string => {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const parts = [hours > 0 ? `${hours} h` : '', minutes % 60 > 0 ? `${minutes % 60} min` : ''];
  return parts.filter((part) => part !== '').join(' ');
};

/** An end for people, in local time: `21:40 (12 h)`, with the day when it is not today; seconds since the epoch. */
export const formatEnd = (expiration: number, now: number): string => {
  const end = new Date(expiration * 1000);
  const day =
    end.toDateString() === new Date(now).toDateString() ? '' : `${end.toDateString().slice(0, 10)} `;
  return `${day}${two(end.getHours())}:${two(end.getMinutes())} (${formatRemaining(expiration - now / 1000)})`;
};
