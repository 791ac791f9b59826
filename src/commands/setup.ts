import type { Context } from '../context.ts';
import { exitCode } from '../errors.ts';
import { setup } from '../shells/setup.ts';
import { shellOf } from './given.ts';
import type { Given } from './given.ts';

/** `setup`: installs hook and completion for a shell, or takes them out again. */
export const runSetup = async (
  given: Given<'remove' | 'yes' | 'no-input'>,
  context: Context,
): Promise<number> => {
  const { flag } = given;
  await setup(
    { shell: shellOf(given), remove: flag('remove'), yes: flag('yes'), input: !flag('no-input') },
    context,
  );
  return exitCode.done;
};
