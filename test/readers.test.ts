import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { LocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { useScene } from './support/fixture.ts';
import { type Home, keyLines, run, sectionOf, writeCredentials } from './support/program.ts';
import { findReaders, talkativeOf } from './support/readers.ts';

const readers = await findReaders();

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;

useScene((scene) => {
  ({ aws, home, jane, phone } = scene);
});

test('the JavaScript SDK, an AWS CLI and boto3 are on this machine', () => {
  const names = readers.map(({ name }) => name.split(' ').slice(0, 2).join(' '));
  expect(names).toEqual(expect.arrayContaining(['the JavaScript', 'AWS CLI', 'boto3 of']));
});

describe.each(readers.map((reader): [string, typeof reader] => [reader.name, reader]))(
  '%s',
  (_name, reader) => {
    test.each([
      ['default', '\n', ''],
      [
        'me@corp.dev+eu/1:a',
        '\r\n',
        '# a comment\n\n[other]\nregion = us-west-1\ns3 =\n  max_queue_size = 5\n',
      ],
    ])('reads what login has written last for %s, with line ends %j', async (name, lineEnd, start) => {
      const text = `${start}[${name}]\n${keyLines(jane)}mfa_serial = ${phone.serialNumber}\nregion = eu-west-1`;
      writeCredentials(home, text.replaceAll('\n', lineEnd));
      for (let times = 0; times < 2; times += 1) {
        const login = await run(home, ['login', '-p', name, '--token-code', phone.code()]);
        expect(login).toMatchObject({ exitCode: 0 });
      }
      const written = sectionOf(home, `${name}-sts`);
      expect(written['aws_session_token']).toMatch(/^[\w+/=]{100,}$/);
      expect(await reader.read(home, `${name}-sts`)).toEqual({
        accessKeyId: written['aws_access_key_id'],
        secretAccessKey: written['aws_secret_access_key'],
        sessionToken: written['aws_session_token'],
        region: 'eu-west-1',
      });
    });
  },
);

const talkative = await talkativeOf(readers);

test('the JavaScript SDK honours AWS_ENDPOINT_URL', () => {
  expect(talkative.map(({ name }) => name)).toContain('the JavaScript SDK');
});

describe.each(talkative.map((reader): [string, typeof reader] => [reader.name, reader]))(
  '%s with source_profile = default-sts',
  (_name, reader) => {
    test('uses two roles one after the other with no further code', async () => {
      const roles = ['admin', 'audit'].map((name) => aws.createRole({ name, requireMfa: true }));
      const sections = roles.map(
        ({ name, arn }) =>
          `[profile ${name}]\nrole_arn = ${arn}\nsource_profile = default-sts\nregion = us-east-1\nrole_session_name = me\n`,
      );
      fs.writeFileSync(home.config, sections.join('\n'));
      await expect(reader.whoAmI(home, 'admin')).rejects.toThrow(/default-sts|credentials/i);
      expect(await run(home, ['login', '--token-code', phone.code()])).toMatchObject({ exitCode: 0 });
      for (const { name } of roles) {
        expect(await reader.whoAmI(home, name)).toBe(`arn:aws:sts::123456789012:assumed-role/${name}/me`);
      }
      expect(aws.count('GetSessionToken')).toBe(1);
      expect(aws.calls.filter(({ action }) => action === 'AssumeRole').map(({ status }) => status)).toEqual([
        200, 200,
      ]);
    });
  },
);
