import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { faultEnvironment } from './faults.ts';
import type { Scene } from './fixture.ts';
import { isRoot, nobody } from './processes.ts';
import { keyLines, program, sessionLines, wrongCodes, writeCredentials } from './program.ts';

/** Something that is wrong before `aws-iam-login env` runs, and what the user gets. */
export type Failure = {
  readonly name: string;
  /** Makes it wrong; may return variables. */
  readonly prepare?: (scene: Scene) => Record<string, string | undefined> | void;
  /** What follows `env`; default a right code. */
  readonly words?: (scene: Scene) => readonly string[];
  readonly exitCode: 1 | 2 | 3;
  readonly message: RegExp;
  readonly hint?: RegExp;
  /** How many requests AWS gets; default none. */
  readonly requests?: number;
  /** It depends on the process: on its terminal, its user, or its file system. */
  readonly ofProcess?: boolean;
};

const withCode = ({ phone }: Scene): string[] => ['--token-code', phone.code()];

const withoutCode = (): string[] => [];

/** The words after `env`. */
export const wordsOf = (failure: Failure, scene: Scene): readonly string[] =>
  (failure.words ?? withCode)(scene);

const rewrite =
  (change: (text: string, scene: Scene) => string) =>
  (scene: Scene): void =>
    writeCredentials(scene.home, change(fs.readFileSync(scene.home.credentials, 'utf8'), scene));

const fault = (kind: 'InternalFailure' | 'cut' | 'drop' | 'empty' | 'html' | 'redirect') => (scene: Scene) =>
  scene.aws.fault('*', kind, { times: 100 });

/** As a user who is not root: variables for the program, which then lies in the home. */
export const asNobody = ({ home }: Scene, owned: readonly string[] = []): Record<string, string> => {
  fs.chmodSync(home.folder, 0o755);
  if (!isRoot()) return {};
  for (const path of ['', '.aws', '.aws/credentials', ...owned]) {
    fs.chownSync(join(home.folder, path), nobody, nobody);
  }
  fs.cpSync(dirname(program), join(home.folder, 'dist'), { recursive: true });
  fs.rmSync(join(home.folder, 'bin', 'aws-iam-login'));
  fs.symlinkSync('../dist/aws-iam-login.cjs', join(home.folder, 'bin', 'aws-iam-login'));
  // The clone may lie where only root may look.
  const preload = join(home.folder, 'run-as.cjs');
  fs.copyFileSync(fileURLToPath(new URL('run-as.cjs', import.meta.url)), preload);
  return { NODE_OPTIONS: `--require=${preload}`, RUN_AS: String(nobody) };
};

const usage: readonly [string, RegExp, RegExp][] = [
  ['--duration 14m', /^--duration must be a time from 15m to 36h, not 14m$/, /12h/],
  ['--duration 37h', /^--duration must be a time from 15m to 36h/, /12h/],
  ['--duration soon', /^--duration must be a time from 15m to 36h, not soon$/, /12h/],
  ['--duration=-1h', /^--duration must be a time/, /12h/],
  ['--duration=', /duration/, /./],
  ['--min-ttl 12h', /^--min-ttl must be shorter than --duration$/, /./],
  ['--min-ttl x', /^--min-ttl must be a time/, /5m|12h/],
  ['--format xml', /format.*xml/i, /./],
  ['--as keyz', /keyz/, /./],
  ['--token-code 12345', /^a token code is six digits$/, /./],
  ['--token-code', /token-code/, /./],
  ['--region eu_west', /^eu_west is no region$/, /eu-west-1/],
  ['--serial-number short', /^short is no serial number of an MFA device$/, /GAHT/],
  ['--tokn-code 123456', /tokn-code/, /token-code|--help/],
  ['--token-code 123456 --token-code 654321', /^--token-code is given twice$/, /./],
  ['default work', /^one word too many|work/, /./],
  ['default --profile work', /^two profiles are named: default and work$/, /./],
  ['default -- ls', /^only exec takes a command after --$/, /./],
];

/** What bad input gets, one by one. */
export const failures: readonly Failure[] = [
  ...usage.map(([words, message, hint]): Failure => ({
    name: `env ${words}`,
    words: () => words.split(' '),
    exitCode: 2,
    message,
    hint,
  })),
  {
    name: 'an unknown profile',
    words: () => ['defualt'],
    exitCode: 1,
    message: /^profile defualt is neither in ~\/\.aws\/credentials nor in ~\/\.aws\/config$/,
    hint: /^did you mean default\?$/,
  },
  {
    name: 'a home without profiles',
    prepare: ({ home }) => fs.rmSync(home.credentials),
    exitCode: 1,
    message: /^there is no profile in .*credentials or .*config$/,
    hint: /aws_access_key_id/,
  },
  {
    name: 'a missing home',
    prepare: ({ home }) => ({ HOME: join(home.folder, 'nobody', 'here') }),
    exitCode: 1,
    message: /^there is no profile in ~\/\.aws\/credentials or /,
    hint: /./,
  },
  {
    name: 'a profile without keys',
    prepare: rewrite((text) => text.replace(/aws_.*\n/g, '')),
    exitCode: 1,
    message: /^profile default has no access key$/,
    hint: /aws_access_key_id and aws_secret_access_key in .*credentials/,
  },
  {
    name: 'a key id without its secret',
    prepare: rewrite((text) => text.replace(/aws_secret.*\n/, '')),
    exitCode: 1,
    message: /^profile default has half an access key: aws_secret_access_key is missing$/,
    hint: /^add aws_secret_access_key in /,
  },
  {
    name: 'a secret without its key id',
    prepare: rewrite((text) => text.replace(/aws_access.*\n/, '')),
    exitCode: 1,
    message: /^profile default has half an access key: aws_access_key_id is missing$/,
    hint: /^add aws_access_key_id in /,
  },
  {
    name: 'a profile without mfa_serial where nobody can give a code',
    prepare: rewrite((text) => text.replace(/mfa_serial.*\n/, '')),
    words: withoutCode,
    ofProcess: true,
    exitCode: 1,
    message: /^profile default has no mfa_serial$/,
    hint: /^run: aws-iam-login init default$/,
  },
  ...(
    [
      [
        'an SSO profile',
        'sso_session = work',
        /^profile other is an SSO profile, which/,
        /^run: aws sso login/,
      ],
      [
        'a profile of aws login',
        'login_session = x',
        /^profile other is a profile of `aws login`,/,
        /aws login/,
      ],
      [
        'a credential_process that was never initialised',
        'credential_process = false',
        /^profile other gets its credentials from another program \(credential_process\)/,
        /aws --profile other .*aws-iam-login init other$/,
      ],
    ] as const
  ).map(([name, line, message, hint]): Failure => ({
    name,
    prepare: ({ home }) => fs.writeFileSync(home.config, `[profile other]\n${line}\n`),
    words: ({ phone }) => ['other', '--token-code', phone.code()],
    exitCode: 1,
    message,
    hint,
  })),
  {
    name: 'a security key as mfa_serial',
    prepare: rewrite((text) => text.replace(':mfa/', ':u2f/user/jane/')),
    exitCode: 1,
    message: /^the MFA device arn:.* cannot serve: a security key or passkey has no codes/,
    hint: /^the AWS CLI's own sign-in takes security keys .*: aws login --profile NEW-NAME; or .*aws-iam-login init default --force$/,
  },
  {
    name: 'nonsense as mfa_serial',
    prepare: rewrite((text) => text.replace(/mfa_serial.*/, 'mfa_serial = my phone')),
    exitCode: 1,
    message: /^'my phone' is no serial number of an MFA device$/,
    hint: /^run: aws-iam-login init default --force$/,
  },
  {
    name: 'a wrong code',
    words: ({ phone }) => ['--token-code', wrongCodes(phone, 1)[0] ?? ''],
    exitCode: 1,
    message: /^AWS rejected the token code: mistyped, used before, or of another device$/,
    hint: /^the next code comes in \d+ s$/,
    requests: 1,
  },
  {
    name: 'a wrong serial number',
    prepare: rewrite((text) => text.replace(':mfa/phone', ':mfa/lost-phone')),
    exitCode: 1,
    message: /^AWS does not know the MFA device arn:aws:iam::123456789012:mfa\/lost-phone of this user$/,
    hint: /^run: aws-iam-login init default --force$/,
    requests: 1,
  },
  {
    name: "another account's serial number",
    prepare: rewrite((text) => text.replace('::123456789012:', '::210987654321:')),
    exitCode: 1,
    message: /is of account 210987654321, but the access key of profile default is of account 123456789012$/,
    hint: /^run: aws-iam-login init default --force$/,
  },
  {
    name: 'an inactive key',
    prepare: ({ aws, jane }) => aws.setKeyStatus(jane.accessKeyId, 'Inactive'),
    exitCode: 1,
    message:
      /^AWS does not know the access key …\w{4} in us-east-1 \(partition aws\): it is inactive, deleted/,
    hint: /IAM console/,
    requests: 1,
  },
  {
    name: 'a wrong secret',
    prepare: rewrite((text) =>
      text.replace(/(?<=secret_access_key = ).*/, 'wrongSecret/wrongSecret+wrongSecret0000'),
    ),
    exitCode: 1,
    message: /^the secret access key does not belong to the access key …\w{4}$/,
    hint: /aws_secret_access_key/,
    requests: 1,
  },
  {
    name: 'an unreachable endpoint',
    prepare: () => ({ AWS_ENDPOINT_URL: 'http://127.0.0.1:9' }),
    exitCode: 1,
    message: /^could not reach http:\/\/127\.0\.0\.1:9: the connection was refused$/,
    hint: /network/,
  },
  {
    name: 'an endpoint whose name nobody knows',
    prepare: () => ({ AWS_ENDPOINT_URL: 'https://sts.invalid' }),
    exitCode: 1,
    message: /^could not reach https:\/\/sts\.invalid: its name /,
    hint: /network/,
  },
  {
    name: 'an endpoint without a scheme',
    prepare: () => ({ AWS_ENDPOINT_URL: '127.0.0.1:8080' }),
    exitCode: 1,
    message: /^AWS_ENDPOINT_URL is no http or https URL$/,
    hint: /https:\/\//,
  },
  {
    name: 'an endpoint that speaks no TLS',
    prepare: ({ aws }) => ({ AWS_ENDPOINT_URL: aws.url.replace('http:', 'https:') }),
    exitCode: 1,
    message: /^could not reach https:.*: it does not speak TLS$/,
    hint: /network/,
  },
  {
    name: 'an endpoint of something else',
    prepare: ({ aws }) => ({ AWS_ENDPOINT_URL: `${aws.url}/elsewhere` }),
    exitCode: 1,
    message: /elsewhere (answered something that is no answer of AWS|refused)/,
  },
  ...(['html', 'redirect', 'empty'] as const).map((kind): Failure => ({
    name: `a captive portal (${kind})`,
    prepare: fault(kind),
    exitCode: 1,
    message: /^http:.* answered something that is no answer of AWS: a captive portal, /,
    hint: /sign in to the network/,
    requests: 1,
  })),
  ...(['drop', 'cut'] as const).map((kind): Failure => ({
    name: `a connection that breaks (${kind})`,
    prepare: fault(kind),
    exitCode: 1,
    message: /^http:.* did not answer: the connection was closed$/,
    hint: /try again/,
    requests: 1,
  })),
  {
    name: 'trouble inside AWS',
    prepare: fault('InternalFailure'),
    exitCode: 1,
    message: /^http:.* has trouble inside: InternalFailure$/,
    hint: /^try again/,
    requests: 1,
  },
  {
    name: 'a read-only disk',
    ofProcess: true,
    prepare: ({ home }) => faultEnvironment({ under: home.state, op: 'mkdirSync', action: 'EROFS' }),
    exitCode: 1,
    message: /^could not write .*: the file system is read-only$/,
    hint: /AWS_SHARED_CREDENTIALS_FILE/,
  },
  {
    name: 'a full disk',
    ofProcess: true,
    prepare: ({ home }) =>
      faultEnvironment({ under: join(home.folder, '.aws'), op: 'writeSync', action: 'ENOSPC' }),
    exitCode: 1,
    message: /^could not write .*: no space is left on the disk$/,
    hint: /df -h/,
  },
  {
    name: 'a folder that may not be written',
    ofProcess: true,
    prepare: (scene) => {
      const env = asNobody(scene);
      fs.chmodSync(dirname(scene.home.credentials), 0o500);
      return env;
    },
    exitCode: 1,
    message: /^could not write .*: permission denied by the mode of .*\/\.aws$/,
    hint: /^chmod u\+rwx ~\/\.aws$/,
  },
  {
    name: 'an unreadable file',
    ofProcess: true,
    prepare: (scene) => {
      const env = asNobody(scene);
      fs.chmodSync(scene.home.credentials, 0);
      return env;
    },
    exitCode: 1,
    message: /^could not read .*: permission denied by the mode of .*credentials$/,
    hint: /^chmod u\+rw ~\/\.aws\/credentials$/,
  },
  {
    name: 'a folder in place of the file',
    prepare: ({ home }) => {
      fs.rmSync(home.credentials);
      fs.mkdirSync(home.credentials);
    },
    exitCode: 1,
    message: /^could not read .*credentials: it is a folder, not a file$/,
    hint: /./,
  },
  {
    name: 'a malformed file',
    prepare: rewrite((text) => `${text}\n[broken\nkey = value\n`),
    exitCode: 1,
    message: /credentials line 7: /,
    hint: /mend that line/,
  },
  {
    name: 'a section that is there twice',
    prepare: rewrite((text, { jane }) => `${text}[default]\n${keyLines(jane)}`),
    exitCode: 1,
    message: /credentials line 6: /,
    hint: /mend that line/,
  },
  {
    name: 'a long-term key in [default-sts]',
    prepare: rewrite((text, { jane }) => `${text}[default-sts]\n${keyLines(jane)}`),
    exitCode: 1,
    message: /^\[default-sts\] in .*credentials holds a long-term access key and is not overwritten$/,
    hint: /^rename that profile/,
  },
  ...['role_arn = arn:aws:iam::123456789012:role/a', 'credential_process = true'].map((line): Failure => ({
    name: `${line.split(' ')[0]} in [profile default-sts]`,
    prepare: ({ home }) => fs.writeFileSync(home.config, `[profile default-sts]\n${line}\n`),
    exitCode: 1,
    message: /^profile default-sts has a \w+, which AWS tools would use instead of the session$/,
    hint: /^rename that profile in .*config/,
  })),
  {
    name: 'a source profile that holds a session',
    prepare: (scene) => {
      const session = scene.aws.mintSession(scene.jane);
      const device = `mfa_serial = ${scene.phone.serialNumber}\n`;
      writeCredentials(scene.home, `[default]\n${sessionLines(session, session.expiration)}${device}`);
    },
    exitCode: 1,
    message: /^profile default holds a session, not a long-term access key$/,
    hint: /AKIA/,
  },
  {
    name: 'no terminal',
    ofProcess: true,
    words: withoutCode,
    exitCode: 3,
    message: /^a token code for arn:.* is needed, and there is no terminal to ask on$/,
    hint: /--token-code.*mfa_process/,
  },
  {
    name: '--no-input',
    words: () => ['--no-input'],
    exitCode: 3,
    message: /^a token code for arn:.* is needed, and --no-input forbids to ask$/,
    hint: /--token-code.*mfa_process/,
  },
  {
    name: 'files that sudo left to root',
    ofProcess: true,
    prepare: (scene) => {
      const env = asNobody(scene);
      if (isRoot()) fs.chownSync(scene.home.credentials, 0, 0);
      fs.chmodSync(scene.home.credentials, isRoot() ? 0o644 : 0o400);
      return env;
    },
    exitCode: 1,
    message: isRoot()
      ? /^could not write .*credentials: .* belongs to root, likely because a command ran with sudo$/
      : /^could not write .*credentials: permission denied by the mode of /,
    hint: /^(sudo chown -R|chmod) /,
  },
  {
    name: 'a state folder that sudo left to root',
    ofProcess: true,
    prepare: (scene) => {
      const env = asNobody(scene);
      fs.mkdirSync(scene.home.state, { mode: isRoot() ? 0o700 : 0 });
      return env;
    },
    exitCode: 1,
    message: isRoot()
      ? /^could not write .*aws-iam-login.*: .* belongs to root, likely because a command ran with sudo$/
      : /permission denied/,
    hint: /^(sudo chown -R|chmod) /,
  },
  {
    name: 'an AWS_CA_BUNDLE that is not there',
    prepare: () => ({ AWS_CA_BUNDLE: '/does/not/exist.pem' }),
    exitCode: 1,
    message: /^AWS_CA_BUNDLE names \/does\/not\/exist\.pem, which cannot be read/,
    hint: /AWS_CA_BUNDLE/,
  },
];
