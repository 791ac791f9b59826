import fs from 'node:fs';
import type { LocalAws } from '../local-aws/server.ts';
import type { DeviceHandle, UserHandle } from '../local-aws/world.ts';
import type { Home } from './program.ts';

/** Five roles in three accounts: one behind another, one with an external id, one with an MFA device, two by the session. */
export const roleNames = ['base', 'chained', 'external', 'device', 'plain'] as const;

type Person = { readonly jane: UserHandle; readonly phone: DeviceHandle };

/** Makes the roles in AWS, and their profiles in the config file. Returns who each is with a session of ours. */
export const addFiveRoles = (
  aws: LocalAws,
  home: Home,
  { jane, phone }: Person,
  { externalNeedsMfa = true } = {},
): Record<(typeof roleNames)[number], string> => {
  const [own, second, third] = [jane.account, '444455556666', '777788889999'];
  const role = (
    name: string,
    account: string,
    source: string,
    lines = '',
    more: Partial<Parameters<LocalAws['createRole']>[0]> = {},
  ): string => {
    const { arn } = aws.createRole({ name, account, trusts: [own], requireMfa: true, ...more });
    fs.appendFileSync(
      home.config,
      `[profile ${name}]\nrole_arn = ${arn}\nsource_profile = ${source}\nregion = eu-west-1\n${lines}\n`,
    );
    return arn;
  };
  const base = role('base', own, 'default-sts');
  role('chained', second, 'base', '', { trusts: [base], requireMfa: false });
  role('external', second, 'default', 'external_id = ours/1\n', {
    externalId: 'ours/1',
    requireMfa: externalNeedsMfa,
  });
  role('device', third, 'default', `mfa_serial = ${phone.serialNumber}\n`);
  role('plain', third, 'default-sts', 'role_session_name = jane@work\n');
  return {
    base: `arn:aws:sts::${own}:assumed-role/base/jane`,
    chained: `arn:aws:sts::${second}:assumed-role/chained/jane`,
    external: `arn:aws:sts::${second}:assumed-role/external/jane`,
    device: `arn:aws:sts::${third}:assumed-role/device/jane`,
    plain: `arn:aws:sts::${third}:assumed-role/plain/jane@work`,
  };
};
