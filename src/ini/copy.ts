import { linesOf } from './lines.ts';
import { parseAsBoto } from './parse-as-boto.ts';
import { botoName } from './section-name.ts';

/**
 * The config file with one more profile at its end, which has the wanted settings of another one, line by line, blocks
 * included. The new name must be a plain one that no profile has.
 */
export const copyProfile = (
  bytes: Buffer,
  from: string,
  to: string,
  isWanted: (setting: string) => boolean,
): Buffer => {
  const lines = linesOf(bytes);
  const settings = parseAsBoto(lines)
    .sections.filter(({ name }) => botoName(name, 'config') === from)
    .flatMap((section) => section.settings)
    .filter(({ name }) => isWanted(name));
  // [default] and [profile default] are one profile, and one section must not set a thing twice
  const last = new Map(settings.map((setting) => [setting.name, setting]));
  const copied = [...last.values()]
    .flatMap(({ pieces: [first, ...others] }) => [first, ...others.filter(({ text }) => text !== '')])
    .flatMap(({ index }) => {
      const { start, end, newline } = lines[index] ?? { start: 0, end: 0, newline: '' };
      return [bytes.subarray(start, end - newline.length), Buffer.from('\n')];
    });
  return Buffer.concat([bytes, Buffer.from(`\n\n[profile ${to}]\n`), ...copied]);
};
