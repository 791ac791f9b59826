import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { startLocalAws } from './local-aws/server.ts';
import type { LocalAws } from './local-aws/server.ts';

/** A throw-away home with its own AWS: everything that the tour and the user's shell in it need. */
type Stage = {
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  readonly serialNumber: string;
  readonly code: () => string;
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The first look at the product: the main job against a local AWS, then, on a terminal, a shell to try it in. */
const tour = async (): Promise<number> => {
  const aws = await startLocalAws();
  const home = mkdtempSync(join(tmpdir(), 'aws-iam-login-tour.'));
  const clean = (): void => rmSync(home, { recursive: true, force: true });
  process.on('exit', clean);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
  // Ctrl-C belongs to what runs in the foreground.
  process.on('SIGINT', () => {});

  const stage = setStage(aws, home);
  const isDone = await showMainJob(stage);
  if (isDone && process.stdin.isTTY && process.stdout.isTTY) await enterShell(stage);
  await aws.close();
  return isDone ? 0 : 1;
};

const setStage = (aws: LocalAws, home: string): Stage => {
  const user = aws.createUser({ name: 'jane' });
  const device = aws.addMfaDevice(user);
  for (const name of ['reader', 'admin']) aws.createRole({ name, requireMfa: true });
  const bin = join(home, 'bin');
  mkdirSync(bin);
  mkdirSync(join(home, '.aws'), { mode: 0o700 });
  const key = `aws_access_key_id = ${user.accessKeyId}\naws_secret_access_key = ${user.secretAccessKey}\n`;
  writeFileSync(join(home, '.aws', 'credentials'), `# the access key of an IAM user\n[default]\n${key}`, {
    mode: 0o600,
  });
  writeFileSync(join(home, '.aws', 'config'), configOf(user.account), { mode: 0o600 });
  writeProgram(bin, 'aws-iam-login', `exec ${quote(join(root, 'shell', 'aws-iam-login.sh'))} "$@"`);
  const whoAmI = `exec ${quote(process.execPath)} ${quote(join(root, 'build', 'who-am-i.cjs'))} "$@"`;
  writeProgram(bin, 'who-am-i', whoAmI);
  const control = `${aws.url}/_local/code?serial=${encodeURIComponent(device.serialNumber)}&user=jane`;
  writeProgram(
    bin,
    'mfa-code',
    `exec ${quote(process.execPath)} -e 'fetch(process.argv[1]).then(a => a.text()).then(t => process.stdout.write(t))' ${quote(control)}`,
  );
  writeProgram(bin, 'expire-session', expireSession);
  // Where fish finds this folder, it does not go through all manual pages in the background.
  mkdirSync(join(home, '.local', 'share', 'fish', 'generated_completions'), { recursive: true });
  for (const [name, text] of Object.entries(rcFiles)) {
    mkdirSync(dirname(join(home, name)), { recursive: true });
    writeFileSync(join(home, name), text);
  }
  return {
    home,
    env: environmentOf(home, bin, aws.url),
    serialNumber: device.serialNumber,
    code: () => device.code(),
  };
};

const configOf = (account: string): string =>
  [
    '[default]',
    'region = eu-west-1',
    '',
    ...['reader', 'admin'].flatMap((name) => [
      `[profile ${name}]`,
      `role_arn = arn:aws:iam::${account}:role/${name}`,
      'source_profile = default-sts',
      '',
    ]),
  ].join('\n');

const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

const writeProgram = (folder: string, name: string, text: string): void => {
  writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(folder, name), 0o755);
};

// Nothing of the user's own AWS settings, proxies and shell files gets in.
const environmentOf = (home: string, bin: string, url: string): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined ||
      /^(AWS_|XDG_|npm_|ZDOTDIR$|BASH_ENV$|ENV$|NODE_OPTIONS$|(?:https?|all|no)_proxy$)/i.test(name)
        ? []
        : [[name, value]],
    ),
  ),
  HOME: home,
  ZDOTDIR: home,
  XDG_CONFIG_HOME: join(home, '.config'),
  XDG_DATA_HOME: join(home, '.local', 'share'),
  PATH: `${bin}${delimiter}${process.env['PATH'] ?? '/usr/bin:/bin'}`,
  AWS_ENDPOINT_URL: url,
  AWS_ENDPOINT_URL_SIGNIN: url,
  AWS_EC2_METADATA_DISABLED: 'true',
});

// `expire` makes the session over, in the file and in this shell, as tomorrow would.
const rcFiles: Readonly<Record<string, string>> = {
  '.bashrc': `PS1='tour \\w \\$ '
eval "$(aws-iam-login hook bash)"
expire() { expire-session && export AWS_IAM_LOGIN_EXPIRES_AT=1577836800 AWS_IAM_LOGIN_RENEW_AT=1577836800; }
`,
  '.zshrc': `PS1='tour %~ %# '
autoload -Uz compinit && compinit -u -D
eval "$(aws-iam-login hook zsh)"
expire() { expire-session && export AWS_IAM_LOGIN_EXPIRES_AT=1577836800 AWS_IAM_LOGIN_RENEW_AT=1577836800; }
`,
  '.config/fish/config.fish': `function fish_greeting; end
aws-iam-login hook fish | source
function expire
    expire-session
    and set -gx AWS_IAM_LOGIN_EXPIRES_AT 1577836800
    and set -gx AWS_IAM_LOGIN_RENEW_AT 1577836800
end
`,
};

const expireSession = `umask 077
file=$HOME/.aws/credentials
sed 's/^expiration = .*/expiration = 2020-01-01 00:00:00+00:00/' "$file" >"$file.expired" && mv "$file.expired" "$file"`;

const bold = (text: string): string =>
  process.stdout.isTTY && process.env['NO_COLOR'] === undefined ? `\u001B[1m${text}\u001B[0m` : text;

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const showMainJob = async (stage: Stage): Promise<boolean> => {
  say(bold('aws-iam-login: the main job, against a local AWS on this machine'));
  say('The home folder is a throw-away one. Nothing of your own AWS files is read or changed.\n');
  say('You have an access key in ~/.aws/credentials, and an MFA device. Find out the rest:');
  const first = await show('aws-iam-login default init', stage);
  say('\nOnce a day, a code of the MFA device turns key and code into a session, stored as [default-sts]:');
  const second = await show(`aws-iam-login default --token-code ${stage.code()}`, stage);
  say('\nPut it into the shell, and ask AWS who you are now:');
  const third = await show('eval "$(aws-iam-login env default)" && who-am-i', stage);
  say(
    '\nWith the shell hook loaded, one word does that, and the prompt renews the session when it has expired:',
  );
  const use = 'eval "$(aws-iam-login hook bash)" && aws-iam-login use default && who-am-i';
  const hooked = await show(use, stage, 'bash');
  say('\nRoles with source_profile = default-sts need no further code:');
  const fourth = await show('who-am-i --profile reader && who-am-i --profile admin', stage);
  return [first, second, third, hooked, fourth].every((code) => code === 0);
};

const show = async (command: string, stage: Stage, shell = '/bin/sh'): Promise<number> => {
  say(bold(`$ ${command}`));
  const { exitCode } = await execa(shell, ['-c', command], {
    env: stage.env,
    extendEnv: false,
    cwd: stage.home,
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
    reject: false,
  });
  if (exitCode !== 0) say(`(exit code ${exitCode ?? 'unknown'})`);
  return exitCode ?? 1;
};

const knownShells: Readonly<Record<string, readonly string[]>> = { bash: ['-i'], zsh: ['-i'], fish: ['-i'] };

const enterShell = async (stage: Stage): Promise<void> => {
  const own = process.env['SHELL'] ?? '';
  const shell = Object.hasOwn(knownShells, basename(own)) ? own : 'bash';
  say(bold(`\nNow it is your turn, in ${basename(shell)} with the prompt hook and completion loaded:`));
  say(`  mfa-code                                   the code that the MFA device shows now
  aws-iam-login use default                  this shell gets the session
  aws-iam-login <Tab>                        commands and profiles
  expire                                     the session is over: the prompt asks for a code
  who-am-i [--profile reader]                who you are for AWS
  aws-iam-login --help
  exit                                       leaves and removes everything\n`);
  await execa(shell, knownShells[basename(shell)] ?? [], {
    env: { ...stage.env, SHELL: shell },
    extendEnv: false,
    cwd: stage.home,
    stdio: 'inherit',
    reject: false,
  });
};

process.exitCode = await tour();
