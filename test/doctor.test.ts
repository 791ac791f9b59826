import fs from 'node:fs';
import { join } from 'node:path';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { formatReport } from '../src/commands/doctor.ts';
import { examine } from '../src/doctor/doctor.ts';
import { newKeyDates } from '../src/profiles/key-dates.ts';
import { plainScreen } from '../src/terminal/screen.ts';
import type { LocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { doctorOf, line } from './support/doctor.ts';
import { useScene } from './support/fixture.ts';
import { type Home, keyLines, run, runProcess, snapshot, writeCredentials } from './support/program.ts';

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;

/** What is printed may hold none of these. */
let secrets: string[];

useScene((scene) => {
  ({ aws, home, jane, phone } = scene);
  secrets = [jane.secretAccessKey, 'pssst', 'hush'];
  fs.writeFileSync(home.config, '[default]\nregion = eu-west-1\n');
});

const { findings, found, offline } = doctorOf(
  () => home,
  () => secrets,
);

const addProfile = (text: string): void => fs.appendFileSync(home.config, `${text}\n`);
const addSection = (text: string): void => fs.appendFileSync(home.credentials, `${text}\n`);

const role = (name: string): string => `arn:aws:iam::444455556666:role/${name}`;

describe('doctor', () => {
  test('finds nothing where all is well, and asks AWS for no more than it needs', async () => {
    aws.forgetCalls();
    expect(await findings()).toEqual([]);
    expect(aws.calls.map(({ action }) => action).toSorted()).toEqual([
      'GetCallerIdentity',
      'ListAccessKeys',
      'ListMFADevices',
    ]);
    expect(newKeyDates(home.state)(jane.accessKeyId)).toBeGreaterThan(Date.now() - 600_000);
  });

  test('--offline asks AWS nothing', async () => {
    aws.forgetCalls();
    const { stdout, exitCode } = await run(home, ['doctor', '--offline']);
    expect([exitCode, aws.count()]).toEqual([0, 0]);
    expect(stdout).toMatch(/^0 problems, \d warnings?, \d+ ok; AWS was not asked$/m);
  });

  test('changes no file of AWS’s', async () => {
    const files = snapshot(home);
    await findings();
    expect(snapshot(home)).toEqual(files);
  });

  test('prints a line for each check, the worst last, and what mends it below', async () => {
    fs.chmodSync(home.credentials, 0o644);
    const { stdout, exitCode } = await run(home, ['doctor', '--offline']);
    expect(exitCode).toBe(1);
    const levels = [...stdout.matchAll(/^(ok|warning|problem) /gm)].map(([, level]) => level);
    expect(levels).toEqual(
      levels.toSorted((a = '', b = '') => 'ok warning problem'.indexOf(a) - 'ok warning problem'.indexOf(b)),
    );
    expect(stdout).toMatch(
      /^problem {2}other users can read ~\/\.aws\/credentials \(mode 0644\)\n {9}chmod 600 ~\/\.aws\/credentials\n\n1 problem, /m,
    );
    expect(await run(home, ['doctor', '--offline', '--quiet'])).toMatchObject({ exitCode: 1, stdout: '' });
  });

  test.each([40, 80])('fits %i columns, but for what is to be copied', async (columns) => {
    addProfile('[profile default]\nregion = x\n[default]\n');
    const context = {
      env: { ...home.env, AWS_PROFILE: 'x', AWS_ACCESS_KEY_ID: 'AKIAX' },
      now: Date.now,
      sleep: async () => {},
      log: () => {},
      print: () => {},
    };
    const report = await examine({ profile: 'default', maxKeyAge: 90, offline: true }, context);
    const mends = report.lines.flatMap((each) => (each.level === 'ok' ? [] : [`         ${each.mend}`]));
    const lines = formatReport(report, { ...plainScreen, columns }, stringWidth).split('\n');
    expect(lines).toEqual(expect.arrayContaining(mends));
    const isLong = (text: string): boolean => stringWidth(text) > columns && !/\S{32}/.test(text);
    expect(lines.filter((text) => isLong(text) && !mends.includes(text))).toEqual([]);
  });

  test('of a profile that is not there names the nearest one', async () => {
    expect(await found('profile', ['defalt'])).toMatchObject([
      line('problem', /^profile defalt is neither in/, 'did you mean default?'),
    ]);
  });

  test('goes on where a file cannot be read', async () => {
    fs.rmSync(home.config);
    fs.mkdirSync(home.config);
    expect(await offline('files')).toMatchObject([line('problem', /could not read .*config/, /./)]);
    fs.rmdirSync(home.config);
    fs.rmSync(home.credentials);
    expect(await offline('files')).toMatchObject([
      line('problem', /there is no profile in ~/, 'aws configure'),
    ]);
  });
});

describe('doctor finds in the files', () => {
  test.each([
    ['credentials', 0o640, 'read ~/.aws/credentials (mode 0640)', 'chmod 600 ~/.aws/credentials'],
    ['credentials', 0o602, 'change ~/.aws/credentials (mode 0602)', 'chmod 600 ~/.aws/credentials'],
    ['config', 0o666, 'change ~/.aws/config (mode 0666)', 'chmod go-w ~/.aws/config'],
    ['.', 0o777, 'change ~/.aws (mode 0777)', 'chmod go-w ~/.aws'],
  ])('%s with mode %o', async (name, mode, text, mend) => {
    fs.chmodSync(join(home.folder, '.aws', name), mode);
    expect(await offline('permissions')).toMatchObject([line('problem', `other users can ${text}`, mend)]);
  });

  test('a config file with a key that others can read, and none without', async () => {
    fs.chmodSync(home.config, 0o644);
    expect(await offline('permissions')).toEqual([]);
    addProfile('aws_secret_access_key = pssst');
    expect(await offline('permissions')).toMatchObject([
      line('problem', /read ~\/\.aws\/config/, /chmod 600/),
    ]);
  });

  test('notes of ours that others can look into', async () => {
    fs.mkdirSync(home.state, { mode: 0o755 });
    expect(await offline('permissions')).toMatchObject([
      line('problem', /mode 0755/, 'chmod 700 ~/.aws/aws-iam-login'),
    ]);
  });

  test('what AWS’s tools refuse, with the line, duplicate sections too', async () => {
    addProfile('[profile a]\n[profile a]\nregion\nregion\nregion\n');
    addSection('[default]');
    const lines = await offline('syntax');
    expect(lines).toMatchObject([
      line(
        'problem',
        '~/.aws/credentials line 6: the section [default] a second time; AWS CLI and boto3 refuse the file',
        '${EDITOR:-vi} +6 ~/.aws/credentials',
      ),
      line('problem', /config line 4: the section \[profile a\] a second time/, /\+4 ~\/\.aws\/config$/),
      line('problem', /config line 5: neither a section nor a key/, /\+5/),
      line('problem', /config line 6:/, /\+6/),
      line('problem', /config line 7: .*/, /\+7/),
    ]);
  });

  test('where AWS’s parsers read another thing', async () => {
    addSection('region = eu-west-1 # home');
    expect(await offline('parsers')).toMatchObject([
      line('warning', /^~\/\.aws\/credentials: line 6: /, '${EDITOR:-vi} +6 ~/.aws/credentials'),
    ]);
  });

  test('aws_security_token, worse where it is another one', async () => {
    addSection('[a]\naws_security_token = hush\n[b]\naws_session_token = hush1\naws_security_token = hush2');
    expect(await offline('legacy-token')).toMatchObject([
      line('warning', /^profile a has an aws_security_token, which boto3 takes first/, /^remove the line/),
      line(
        'problem',
        /^profile b .* another one than aws_session_token/,
        'remove the line aws_security_token of profile b',
      ),
    ]);
  });

  test('a key beside a credential_process', async () => {
    addProfile('credential_process = pass show pssst');
    expect(await offline('sources')).toMatchObject([
      line('warning', 'aws_access_key_id wins over credential_process in default', /./),
    ]);
  });

  test('a file that cannot be replaced, and a folder in its place', async () => {
    fs.rmSync(home.credentials);
    fs.symlinkSync('/dev/null', home.credentials);
    addProfile('aws_access_key_id = AKIAX');
    expect(await offline('writing')).toMatchObject([
      line(
        'problem',
        /^could not write \/dev\/null: it is a device or a pipe, not a file/,
        /^check AWS_SHARED/,
      ),
    ]);
    fs.rmSync(home.credentials);
    fs.mkdirSync(home.credentials);
    expect(await offline('files')).toMatchObject([line('problem', /it is a folder/, /./)]);
  });
});

const setDevice = (serialNumber: string): void =>
  writeCredentials(home, `[default]\n${keyLines(jane)}mfa_serial = ${serialNumber}\n`);

describe('doctor finds in the profile', () => {
  test('an MFA device of another account, of the wrong kind, and none', async () => {
    setDevice('arn:aws:iam::999999999999:mfa/jane');
    expect(await offline('mfa-device')).toMatchObject([
      line(
        'problem',
        /of account 999999999999, and its access key of 123456789012/,
        'aws-iam-login init default --force',
      ),
    ]);
    setDevice('arn:aws:iam::123456789012:u2f/user/jane/key-ABC');
    expect(await offline('mfa-device')).toMatchObject([
      line('problem', /a security key or passkey has no codes/, /aws login/),
    ]);
    setDevice('');
    expect(await offline('mfa-device')).toMatchObject([
      line('warning', 'profile default names no MFA device', 'aws-iam-login init default'),
    ]);
  });

  test('half a key, and a session profile that is taken', async () => {
    addSection('[half]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n[half-sts]\naws_access_key_id = AKIAX\n');
    const lines = await findings(['half', '--offline']);
    expect(lines).toMatchObject([
      { Check: 'access-key', State: 'problem', Text: expect.stringContaining('half an access key') },
      { Check: 'mfa-device' },
      {
        Check: 'session-profile',
        State: 'problem',
        Text: expect.stringContaining('holds a long-term access key'),
      },
      { Check: 'region', State: 'warning', Mend: 'aws configure set region eu-west-1 --profile half' },
    ]);
  });

  test('roles that lead nowhere, that ask for codes of their own, and no role of SSO', async () => {
    addProfile(
      [
        `[profile lost]\nrole_arn = ${role('a')}\nsource_profile = gone`,
        `[profile ring]\nrole_arn = ${role('b')}\nsource_profile = ring2`,
        `[profile ring2]\nrole_arn = ${role('b')}\nsource_profile = ring`,
        `[profile asks]\nrole_arn = ${role('c')}\nsource_profile = default\nmfa_serial = ${phone.serialNumber}`,
        `[profile asks2]\nrole_arn = ${role('c')}\nsource_profile = default-sts\nmfa_serial = ${phone.serialNumber}`,
        '[profile corp]\nsso_session = corp',
        `[profile fine]\nrole_arn = ${role('d')}\nsource_profile = corp\nmfa_serial = ${phone.serialNumber}`,
        `[profile machine]\nrole_arn = ${role('e')}\ncredential_source = Ec2InstanceMetadata`,
      ].join('\n'),
    );
    expect(await findings(['--offline'])).toMatchObject([
      line('problem', /^source_profile gone of profile lost is neither in/, /./),
      line('problem', /go round in a loop: ring → ring2 → ring/, /./),
      line('problem', /go round in a loop: ring2 → ring → ring2/, /./),
      line(
        'warning',
        'other AWS tools ask for a code of their own for asks, asks2',
        'aws-iam-login init default --roles',
      ),
    ]);
  });

  test('an SSO profile to be what it is', async () => {
    addProfile('[profile corp]\nsso_session = corp\nregion = eu-west-1\n');
    aws.forgetCalls();
    expect(await findings(['corp'])).toEqual([]);
    expect(aws.count()).toBe(0);
  });
});

test.each(['', '0', 'x', '-1', '1.5'])('--max-key-age %j is a wrong command line', async (days) => {
  expect(await run(home, ['doctor', `--max-key-age=${days}`])).toMatchObject({ exitCode: 2 });
});

test('the built program finds nothing wrong, either', async () => {
  const { exitCode, stdout } = await runProcess(home, ['doctor']);
  expect(stdout).toMatch(/^0 problems, /m);
  expect(exitCode).toBe(0);
});

const each = (make: (n: number) => string): string =>
  Array.from({ length: 1000 }, (_, n) => make(n)).join('\n');

test('1,000 profiles with roles are looked at in one pass', async () => {
  addSection(each((n) => `[u${n}]\n${keyLines(jane)}`));
  addProfile(each((n) => `[profile r${n}]\nrole_arn = ${role('r')}\nsource_profile = u${n}`));
  expect(await findings(['--offline'])).toEqual([]);
});
