import { tell } from '../context.ts';
import type { Context } from '../context.ts';
import { usageError } from '../errors.ts';
import { getProfile, readSharedFiles } from '../profiles/profile.ts';
import { describeInit, init, userNamed } from '../sessions/initialise.ts';
import { profileOf } from './given.ts';
import type { Given } from './given.ts';
import { moveKeyOf } from './init-key-store.ts';
import { changeRoles, offerRoles } from './init-roles.ts';

type InitOption =
  | 'profile'
  | 'serial-number'
  | 'region'
  | 'no-input'
  | 'force'
  | 'roles'
  | 'undo'
  | 'yes'
  | 'key-store'
  | 'quiet';

/**
 * `init`: writes the user's name and MFA device into the profile, and points its roles at the session: on demand with
 * `--roles`, else it offers that where somebody can be asked. With `--key-store` it then moves the key.
 */
export const runInit = async (given: Given<InitOption>, context: Context): Promise<number> => {
  const [roles, undo, yes] = [given.flag('roles'), given.flag('undo'), given.flag('yes')];
  const place = given.text('key-store');
  if (place !== undefined && roles) throw usageError('--key-store and --roles do not go together');
  if (undo && !roles) throw usageError('--undo goes with --roles');
  if (yes && !roles && place === undefined) throw usageError('--yes goes with --roles and --key-store');
  const named = profileOf(given);
  const asked = { undo, yes, input: !given.flag('no-input') };
  const shared = readSharedFiles(context.env);
  const words = [
    ...(roles ? ['--roles'] : []),
    ...(undo ? ['--undo'] : []),
    ...(place === undefined ? [] : [`--key-store ${place}`]),
  ];
  const user = userNamed(named, shared, context, { command: ['init', ...words].join(' '), ofRole: roles });
  if (undo) return changeRoles(user, asked, context);
  const result = await init(
    {
      profile: roles ? user.name : named,
      serialNumber: given.text('serial-number'),
      region: given.text('region'),
      input: asked.input,
      force: given.flag('force'),
    },
    context,
  );
  if (result.asked || (!roles && place === undefined)) tell(context, describeInit(result));
  const initialised = getProfile(user.name, readSharedFiles(context.env));
  if (place !== undefined) return moveKeyOf(initialised, place, asked, context);
  if (roles) return changeRoles(initialised, asked, context);
  return offerRoles(initialised, { input: asked.input && !given.flag('quiet') }, context);
};
