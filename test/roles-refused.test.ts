import { describe, expect, test, vi } from 'vitest';
import { ownProcessProfile } from '../src/profiles/own-process.ts';
import { getProfile, readSharedFiles } from '../src/profiles/profile.ts';
import { resolveRoleChain } from '../src/profiles/role-chain.ts';
import { snapshot } from './support/program.ts';
import {
  aws,
  home,
  phone,
  useRoles,
  newRole,
  writeConfig,
  storeMfaSession,
  get,
  failureOf,
} from './support/roles.ts';
import { atSize } from './support/size.ts';

vi.setConfig({ testTimeout: atSize(60_000, 600_000) });

useRoles();

describe('what is wrong with a role is one sentence before AWS is asked:', () => {
  const arn = 'arn:aws:iam::444455556666:role/x';
  const role = (name: string, source: string, more = ''): string =>
    `[profile ${name}]\nrole_arn = ${arn}\nsource_profile = ${source}\n${more}`;

  test.each([
    [
      'a loop',
      role('a', 'b') + role('b', 'c') + role('c', 'a'),
      'the source profiles go round in a loop: a → b → c → a',
    ],
    ['a loop behind it', role('a', 'b') + role('b', 'c') + role('c', 'b-sts'), 'in a loop: b → c → b'],
    ['itself without a key', role('a', 'a'), 'in a loop: a → a'],
    ['a missing source', role('a', 'defualt'), 'source_profile defualt of profile a is neither in '],
    ['no source', `[profile a]\nrole_arn = ${arn}\n`, 'profile a is a role without a source_profile'],
    [
      'credential_source',
      `[profile a]\nrole_arn = ${arn}\ncredential_source = Ec2InstanceMetadata\n`,
      'profile a is a role of this machine (credential_source = Ec2InstanceMetadata), which needs no MFA session',
    ],
    [
      'web identity',
      `[profile a]\nrole_arn = ${arn}\nweb_identity_token_file = /token\n`,
      'profile a is a role for a web identity token',
    ],
    [
      'SSO in the middle',
      `${role('a', 'b')}${role('b', 'sso')}[profile sso]\nsso_session = work\n`,
      'source_profile sso of profile b is an SSO profile',
    ],
    [
      'a source without a key',
      `${role('a', 'b')}[profile b]\nregion = x\n`,
      'source_profile b of profile a has no access key',
    ],
    [
      'a session as source',
      `${role('a', 'b')}[profile b]\naws_access_key_id = ASIAX\naws_secret_access_key = s\naws_session_token = t\n`,
      'source_profile b of profile a holds a session of another program',
    ],
    [
      'a role ARN with a typo',
      role('a', 'default').replace('iam::4', 'iam:4'),
      'role_arn of profile a is no ARN of a role: ',
    ],
    [
      'an ARN of a user',
      role('a', 'default').replace(':role/', ':user/'),
      'role_arn of profile a is no ARN of a role: ',
    ],
    ['an empty ARN', role('a', 'default').replace(arn, ''), "role_arn of profile a is no ARN of a role: ''"],
    [
      'a role of another partition',
      role('a', 'default').replace('arn:aws:', 'arn:aws-cn:'),
      'the role of profile a is of partition aws-cn, and the user of profile default of aws: no session reaches',
    ],
    [
      'a wrong duration',
      role('a', 'default', 'duration_seconds = 60\n'),
      'duration_seconds of profile a must be 900 to 43200: 60',
    ],
    [
      'a wrong external id',
      role('a', 'default', 'external_id = é\n'),
      'profile a has a external_id that AWS does not take',
    ],
    [
      'a wrong session name',
      role('a', 'default', 'role_session_name = a b\n'),
      'role_session_name that AWS does not take',
    ],
  ])('%s', async (_name, config, message) => {
    writeConfig(config);
    const before = snapshot(home);
    const error = await failureOf(get('a', { tokenCode: phone.code() }));
    expect(error.message).toContain(message);
    expect(error.hint).toBeTruthy();
    expect(error.exitCode).toBe(1);
    expect(snapshot(home)).toEqual(before);
    expect(aws.count()).toBe(0);
  });

  test('SSO names the command that helps, for the profile that is wanted', async () => {
    writeConfig(
      `${role('a', 'b')}${role('b', 'sso')}[profile sso]\nsso_start_url = https://x.awsapps.com/start\n`,
    );
    expect((await failureOf(get('a'))).hint).toBe(
      'run: aws sso login --profile sso, then: aws --profile a …',
    );
  });

  test.each([
    [10, 'source_profile r10 of profile r9 is neither in '],
    [1000, 'the source profiles of profile r0 go on for more than 20 roles'],
    [10_000, 'the source profiles of profile r0 go on for more than 20 roles'],
  ])('a chain of %i roles that ends nowhere', (length, message) => {
    writeConfig(Array.from({ length }, (_, index) => role(`r${index}`, `r${index + 1}`)).join(''));
    const shared = readSharedFiles(home.env);
    expect(() => resolveRoleChain(getProfile('r0', shared), shared)).toThrow(message);
  });
});

test('a role that may not be assumed names the three causes, and a wrong external id as a fourth', async () => {
  storeMfaSession();
  const closed = newRole('closed', { trusts: ['999999999999'] });
  const other = newRole('other', { externalId: 'right' });
  writeConfig(
    `[profile closed]\nrole_arn = ${closed}\nsource_profile = default\n[profile other]\nrole_arn = ${other}\nsource_profile = default\nexternal_id = wrong\n`,
  );
  const before = snapshot(home);
  const refused = await failureOf(get('closed'));
  expect(refused.message).toMatch(
    /could not assume .*closed: its trust policy does not .*, your own policy .*, or there is no role/,
  );
  expect((await failureOf(get('other'))).message).toContain('its trust policy (or its external id)');
  expect(snapshot(home)).toEqual(before);
});

describe('a credential_process', () => {
  test.each([
    ['aws-iam-login credential-process', 'default'],
    ['aws-iam-login credential-process work', 'work'],
    ['aws-iam-login work credential-process --min-ttl 20m', 'work'],
    ['aws-iam-login credential-process --quiet -p work', 'work'],
    ['aws-iam-login env --format process work', 'work'],
    ['aws-iam-login env --format=process --profile=work', 'work'],
    ['\'/opt/my tools/aws-iam-login\' credential-process "my profile"', 'my profile'],
    ['env AWS_CONFIG_FILE=/c /usr/bin/node /x/dist/aws-iam-login.cjs credential-process work', 'work'],
    ['aws-iam-login env work', undefined],
    ['aws-vault export aws-iam-login credential-process', undefined],
    ['cat key.json', undefined],
    ['my-aws-iam-login credential-process x', undefined],
    ['', undefined],
  ])('%s asks us for %s', (command, profile) => {
    expect(ownProcessProfile(command)).toBe(profile);
  });
});
