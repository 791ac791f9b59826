import { tell } from '../context.ts';
import type { Context } from '../context.ts';
import { exitCode, usageError } from '../errors.ts';
import { describeRotation, describeStatus, formatRotation, formatStatus } from '../rotation/description.ts';
import { rotate } from '../rotation/rotate.ts';
import type { RotateOptions } from '../rotation/rotation.ts';
import { readRotationStatus } from '../rotation/status.ts';
import { profileOf } from './given.ts';
import type { Given } from './given.ts';

type RotateOption =
  | 'profile'
  | 'token-code'
  | 'serial-number'
  | 'region'
  | 'status'
  | 'resume'
  | 'abort'
  | 'delete-other'
  | 'keep-old'
  | 'yes'
  | 'json'
  | 'no-input'
  | 'quiet';

/** `rotate`: replaces the access key, or says with `--status` what an unfinished rotation has done. */
export const runRotate = async (given: Given<RotateOption>, context: Context): Promise<number> => {
  const asked = rotateOptionsOf(given, context);
  const json = given.flag('json');
  if (given.flag('status')) {
    const status = readRotationStatus(asked, context);
    if (json) context.print(formatStatus(status));
    else for (const line of describeStatus(status, context.now())) tell(context, line);
    return exitCode.done;
  }
  const result = await rotate(asked, context);
  tell(context, describeRotation(result));
  if (json) context.print(formatRotation(result));
  return exitCode.done;
};

const rotateOptionsOf = (given: Given<RotateOption>, context: Context): RotateOptions => {
  const [mode = 'rotate', ...more] = (['status', 'resume', 'abort'] as const).filter(given.flag);
  if (more.length > 0) throw usageError(`--${mode} and --${more.join(' and --')} do not go together`);
  const profile = profileOf(given);
  return {
    profile,
    isNamed: profile !== undefined,
    mode: mode === 'status' ? 'rotate' : mode,
    tokenCode: given.text('token-code'),
    serialNumber: given.text('serial-number'),
    region: given.text('region'),
    deleteOther: given.flag('delete-other'),
    keepOld: given.flag('keep-old'),
    yes: given.flag('yes'),
    input: !given.flag('no-input'),
    progress: given.flag('quiet') ? () => {} : progressLine(context),
  };
};

/** Shows a text in one line that changes; where stderr is no terminal, a line every ten seconds. */
const progressLine = (context: Context): ((text: string) => void) => {
  let last = context.now();
  let isShown = false;
  return (text) => {
    if (process.stderr.isTTY) {
      if (isShown || text !== '') process.stderr.write('\r\u001B[K');
      if (text !== '') tell({ log: (line) => process.stderr.write(line) }, text);
      isShown = text !== '';
    } else if (text !== '' && context.now() - last >= 10_000) {
      tell(context, text);
      last = context.now();
    }
  };
};
