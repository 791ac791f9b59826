import fs from 'node:fs';
import os from 'node:os';

/**
 * Where a process id means something: only within one boot and one process namespace, since containers share homes and
 * host names.
 */
export const hostId = (): string => {
  host ??= [os.hostname(), readProc('/proc/sys/kernel/random/boot_id'), readProc('/proc/self/ns/pid')]
    .join(' ')
    .trim();
  return host;
};

let host: string | undefined;

/**
 * Whether a process has ended (a zombie only waits for its parent), and when it was born, in clock ticks since boot: the
 * state and, 19 fields later, the start in proc(5). Undefined where there is no /proc.
 */
export const processInfo = (pid: number): { ended: boolean; born: string } | undefined => {
  const stat = readProc(`/proc/${pid}/stat`);
  const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const born = fields[18];
  return born === undefined ? undefined : { ended: 'ZX'.includes(state), born };
};

const readProc = (path: string): string => {
  try {
    return path.includes('/ns/') ? fs.readlinkSync(path) : fs.readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
};
