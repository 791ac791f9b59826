import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Which file operation fails, and how: see fault-fs.cjs. */
export type Fault = {
  readonly under: string;
  readonly action: string;
  readonly at?: number;
  readonly op?: string;
  readonly log?: string;
};

type Faults = { arm: (fault: Fault) => void; disarm: () => number };

const preload = fileURLToPath(new URL('fault-fs.cjs', import.meta.url));

/** Runs `work` in this process with the fault; returns how many operations counted, and what was thrown. */
export const withFault = async (
  fault: Fault,
  work: () => unknown,
): Promise<{ count: number; error: unknown }> => {
  const faults: Faults = createRequire(import.meta.url)(preload);
  faults.arm(fault);
  let error: unknown;
  try {
    await work();
  } catch (thrown) {
    error = thrown;
  }
  return { count: faults.disarm(), error };
};

/** The variables that bring the fault into another process. */
export const faultEnvironment = ({ under, action, at, op, log }: Fault): Record<string, string> => ({
  NODE_OPTIONS: `--require=${preload}`,
  FAULT_FS_UNDER: under,
  FAULT_FS_ACTION: action,
  FAULT_FS_AT: at === undefined ? '' : String(at),
  FAULT_FS_OP: op ?? '',
  FAULT_FS_LOG: log ?? '',
});
