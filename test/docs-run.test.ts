import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { useScene, type Scene } from './support/fixture.ts';
import { root } from './support/package.ts';
import { type Block, codeBlocks, codeSpans } from './support/pages.ts';
import { keyLines, run, runCommand, writeCredentials } from './support/program.ts';
import { openShell, runShell } from './support/shells.ts';

// Every command line of README.md and docs is run here, in a home like that of the quick start, or listed below with
// the reason. Programs that nobody has at hand are stand-ins that look at what they are given.

/** What is not run here, by the beginning of the block, and where it is shown. */
const elsewhere: ReadonlyArray<readonly [string, string]> = [
  ['npm install && npm start', 'test/tour.bats'],
  ['npm install && npm install --global', 'test/installed.test.ts'],
  ['aws-iam-login setup --remove ', 'test/installed.test.ts'],
  ['aws-iam-login setup ', 'test/setup.bats'],
  ['aws-iam-login: 1/6 list', 'test/rotate.test.ts'],
  ['# ~/.aws/credentials\n', 'test/new-user.test.ts'],
  ['# ~/.aws/config\n[profile default-live]', 'test/recipe.test.ts'],
  ['aws-iam-login init default --key-store ', 'test/key-store.test.ts'],
  ['[default]\nmfa_serial', 'test/key-store.test.ts'],
  ['# starship.toml', 'nowhere: starship is not installed'],
];

const blocks = codeBlocks();

const isElsewhere = ({ text }: Block): boolean => elsewhere.some(([start]) => `${text}\n`.startsWith(start));

/** The only block that begins so. */
const blockOf = (start: string): Block => {
  const [found, ...more] = blocks.filter(({ text }) => text.startsWith(start));
  if (found === undefined || more.length > 0)
    throw new Error(`${more.length} other blocks begin with ${start}`);
  return found;
};

const special = {
  config: blockOf('# ~/.aws/config\n[default]'),
  role: blockOf('# ~/.aws/config\n[profile admin]'),
  diff: blockOf(' [profile admin]'),
  policy: blockOf('{\n  "Version"'),
  zsh: blockOf('# zsh, and powerlevel10k'),
  bash: blockOf('# bash 5'),
  fish: blockOf('# fish: call it'),
  envrc: blockOf('# .envrc'),
  cron: blockOf('# crontab'),
  ci: blockOf('printf %s "$MFA_SECRET"'),
  make: blockOf('deploy:'),
  code: blockOf('{\n  "terminal.integrated'),
} as const;

const scripts = blocks.filter(
  (block) => block.language === 'sh' && !isElsewhere(block) && !Object.values(special).includes(block),
);

/** As docker, which gives its containers only what it was told to. */
const docker = `#!/bin/bash
given=("HOME=$HOME" "PATH=$PATH" "AWS_ENDPOINT_URL=$AWS_ENDPOINT_URL")
[[ $1 == run && $2 == --rm ]] || exit 64
shift 2
while [[ $1 == -* ]]; do
  case $1 in
    -e) [[ -z \${!2+is} ]] || given+=("$2=\${!2}") ;;
    --env-file) while IFS= read -r line; do given+=("$line"); done <"$2" ;;
    *) exit 64 ;;
  esac
  shift 2
done
[[ $* == 'amazon/aws-cli sts get-caller-identity' ]] || exit 64
exec env -i "\${given[@]}" who-am-i`;

/** Programs that give a code only to those who ask in the right way. */
const codePrograms = {
  ykman: '[ "$*" = "oath accounts code --single aws" ]',
  pass: '[ "$*" = "otp aws/jane" ]',
  op: '[ "$*" = "item get aws --otp" ]',
  bw: '[ "$*" = "get totp aws" ]',
  zenity: '[ $# = 3 ] && [ "$1 $2" = "--entry --title=AWS" ] && [ "$3" = "--text=MFA code of jane" ]',
  osascript: `[ $# = 2 ] && [ "$1" = -e ] && [ "$2" = 'text returned of (display dialog "MFA code of jane" default answer "")' ]`,
} as const;

let scene: Scene;
useScene((made) => {
  scene = made;
  const { aws, home, jane, phone } = made;
  aws.createRole({ name: 'admin', account: '444455556666', trusts: [jane.arn], requireMfa: true });
  fs.writeFileSync(home.config, special.config.text);
  const profile = `${keyLines(jane)}mfa_serial = ${phone.serialNumber}\nusername = jane\nmfa_process = mfa-code\n`;
  writeCredentials(home, ['default', 'work', 'x'].map((name) => `[${name}]\n${profile}`).join(''));
  const write = (name: string, text: string): void =>
    fs.writeFileSync(join(home.folder, 'bin', name), text, { mode: 0o755 });
  const whoAmI = `'${process.execPath}' '${join(root, 'build', 'who-am-i.cjs')}'`;
  write('who-am-i', `#!/bin/sh\nexec ${whoAmI} "$@"\n`);
  write(
    'aws',
    `#!/bin/sh\n[ "$1" = --profile ] && set -- "$3 $4" "$1" "$2" || set -- "$*"\ncase $1 in 's3 ls' | 'sts get-caller-identity') ;; *) exit 64 ;; esac\nshift\nexec ${whoAmI} "$@"\n`,
  );
  write(
    'terraform',
    `#!/bin/sh\ncase $* in apply | plan) exec who-am-i \${AWS_PROFILE:+--profile "$AWS_PROFILE"} ;; esac\nexit 64\n`,
  );
  write('python3', `#!/bin/sh\n[ "$*" = job.py ] && exec who-am-i --profile "$AWS_PROFILE"\nexit 64\n`);
  write('backup', `#!/bin/sh\nexec ${whoAmI}\n`);
  write('docker', docker);
  const code = `exec curl --silent --fail --noproxy '*' --get --data-urlencode 'serialNumber=${phone.serialNumber}' ${aws.url}/_local/code`;
  write('mfa-code', `#!/bin/sh\n${code}\n`);
  for (const [name, check] of Object.entries(codePrograms)) {
    write(name, `#!/bin/sh\n${check} || exit 64\n${code}\n`);
  }
});

const hooked = (script: string): string => `. ${join(root, 'shell', 'aws-iam-login.bash')}\n${script}`;

test('every block of code is run, or listed with the place that shows it', () => {
  const runs = new Set([...scripts, ...Object.values(special)]);
  const rest = blocks.filter(
    (block) => !runs.has(block) && !isElsewhere(block) && !block.language.startsWith('json schema='),
  );
  expect(rest).toEqual([]);
  const stale = elsewhere.filter(([start]) => !blocks.some(({ text }) => `${text}\n`.startsWith(start)));
  expect(stale).toEqual([]);
  const places = elsewhere.map(([, place]) => place).filter((place) => place.startsWith('test/'));
  expect(places.filter((place) => !fs.existsSync(join(root, place)))).toEqual([]);
});

describe('in a shell with the hook', () => {
  test.each(scripts.map(({ page, text }) => ({ page, text })))('$page: $text', async ({ text }) => {
    const ended = await runShell(scene.home, 'bash', hooked(`set -e\n${text}`));
    expect(ended).toEqual({ ...ended, exitCode: 0 });
    // whoever is asked who calls has been given the role or the user
    const isRole = /\badmin\b/.test(text);
    const caller = isRole ? 'arn:aws:sts::444455556666:assumed-role/admin/jane\n' : `${scene.jane.arn}\n`;
    const asksWho = /^(?!aws-iam-login login).*\b(?:terraform|docker|python3|aws sts)\b/m.test(text);
    expect(ended.stdout).toBe(asksWho ? caller : ended.stdout);
  });

  const spans = codeSpans().filter(
    (span) => /(?:^|["(])aws-iam-login /.test(span) && !/[<[…]/.test(span) && !/^pipx? /.test(span),
  );

  test.each(spans)('%s is a command line that the program takes', async (span) => {
    // what is neither for a shell nor for the hook costs a tenth in this process
    const [, words] = /^aws-iam-login ((?!use|exec)[\w= -]+)$/.exec(span) ?? [];
    const isFish = span.endsWith('| source');
    const { exitCode, stderr } =
      words === undefined
        ? await runShell(scene.home, isFish ? 'fish' : 'bash', isFish ? span : hooked(span))
        : await run(scene.home, words.split(' '), { env: { SHELL: '/bin/bash' } });
    expect({ exitCode, stderr }).toEqual({ exitCode: expect.not.toBeOneOf([2, 126, 127]), stderr });
  });
});

test('roles: the role profile is that of the quick start', () => {
  const [, ...lines] = special.role.text.split('\n');
  expect(special.config.text).toContain(lines.join('\n'));
});

/** The lines of the diff that begin with one of these marks. */
const side = (marks: string): string =>
  special.diff.text
    .split('\n')
    .flatMap((line) => (marks.includes(line.charAt(0)) ? [`${line.slice(1)}\n`] : []))
    .join('');

test('roles: init --roles makes the change that is shown, and --undo takes it back', async () => {
  const { home } = scene;
  fs.writeFileSync(home.config, side(' -'));
  expect(await run(home, ['init', '--roles', '--yes'])).toMatchObject({ exitCode: 0 });
  expect(fs.readFileSync(home.config, 'utf8')).toBe(side(' +'));
  expect(await run(home, ['init', '--roles', '--undo', '--yes'])).toMatchObject({ exitCode: 0 });
  expect(fs.readFileSync(home.config, 'utf8')).toBe(side(' -'));
});

test('permissions: policy prints the policy that is shown', async () => {
  const { stdout } = await run(scene.home, ['policy']);
  expect(JSON.parse(stdout)).toEqual(JSON.parse(special.policy.text));
});

test.each([
  ['bash', 'aws_iam_login_left', 'work 59m '],
  ['zsh', 'aws_iam_login_left; printf %s "$REPLY"', 'work 59m'],
  ['fish', 'aws_iam_login_left', 'work 59m'],
] as const)(
  'prompt themes: the segment of %s shows name and time, and executes nothing',
  async (shell, call, shown) => {
    const show = (end: string) =>
      runShell(scene.home, shell, `${special[shell].text}\n${call}`, {
        env: { AWS_IAM_LOGIN_PROFILE: 'work', AWS_IAM_LOGIN_EXPIRES_AT: end },
      });
    expect(await show(String(Math.floor(Date.now() / 1000) + 3599))).toMatchObject({
      stdout: shown,
      stderr: '',
    });
    const attack = 'x[$(echo executed >&2)]';
    expect(await show(attack)).toMatchObject({ stdout: '', stderr: '' });
  },
);

describe('cookbook', () => {
  test('direnv loads the .envrc', async () => {
    const { home, jane } = scene;
    fs.writeFileSync(join(home.folder, '.envrc'), special.envrc.text);
    await runCommand(home, 'direnv', ['allow', home.folder]);
    const ended = await runCommand(home, 'direnv', [
      'exec',
      home.folder,
      'aws',
      '--profile',
      'work-sts',
      's3',
      'ls',
    ]);
    expect(ended).toMatchObject({ exitCode: 0, stdout: `${jane.arn}\n` });
    const { stdout } = await runCommand(home, 'direnv', ['exec', home.folder, 'printenv', 'AWS_PROFILE']);
    expect(stdout).toBe('work-sts\n');
  });

  test('the job of cron runs while the session lives, and says why it does not', async () => {
    const { home, jane, phone } = scene;
    const [, line = ''] = special.cron.text.split('\n');
    const [, times, command = ''] = /^((?:\S+ +){5})(.*)$/.exec(line) ?? [];
    expect(times?.trim().split(/ +/)).toHaveLength(5);
    const job = command.replace('aws-iam-login', join(home.folder, 'bin', 'aws-iam-login'));
    const cron = () => runCommand(home, 'env', ['-i', ...fixed, 'PATH=/usr/bin:/bin', '/bin/sh', '-c', job]);
    const fixed = [`HOME=${home.folder}`, `AWS_ENDPOINT_URL=${home.env['AWS_ENDPOINT_URL'] ?? ''}`];
    await run(home, ['login', 'work']);
    expect(await cron()).toMatchObject({ exitCode: 0, stdout: `${jane.arn}\n` });
    writeCredentials(home, `[work]\n${keyLines(jane)}mfa_serial = ${phone.serialNumber}\n`);
    const { exitCode, stderr } = await cron();
    expect({ exitCode, stderr }).toEqual({
      exitCode: 125,
      stderr: expect.stringContaining('a token code for'),
    });
  });

  test('a CI job gets its code from the secret of the device', async () => {
    const { home, jane, phone } = scene;
    fs.writeFileSync(join(home.folder, 'deploy'), '#!/bin/sh\nexec who-am-i\n', { mode: 0o755 });
    const env = { MFA_SECRET: phone.seed };
    const ended = await runShell(home, 'bash', `set -e\n${special.ci.text}`, { env });
    expect(ended).toMatchObject({ exitCode: 0, stdout: `${jane.arn}\n` });
  });

  test('make deploys with the role', async () => {
    const { home } = scene;
    fs.writeFileSync(join(home.folder, 'Makefile'), `${special.make.text}\n`);
    const { exitCode, stdout } = await runCommand(home, 'make', ['--silent', 'deploy']);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: 'arn:aws:sts::444455556666:assumed-role/admin/jane\n',
    });
  });

  test('a terminal of VS Code takes up the session', async () => {
    const { home } = scene;
    const settings: Readonly<Record<string, Readonly<Record<string, string>>>> = JSON.parse(
      special.code.text,
    );
    await run(home, ['login', 'work']);
    for (const system of ['linux', 'osx']) {
      const shell = await openShell(home, 'bash', settings[`terminal.integrated.env.${system}`]);
      await shell.until(/R0>$/);
      await shell.type(`. "$(aws-iam-login hook bash --path)"; echo "is $AWS_IAM_LOGIN_PROFILE"`);
      await shell.press('Enter');
      expect(await shell.until(/^is \w*$/m)).toMatch(/^is work$/m);
    }
  });

  const lines = codeSpans().filter((span) => span.startsWith('mfa_process = '));

  test('every program that gives codes is tried', () => {
    expect(lines.map((line) => line.split(' ')[2] ?? '').toSorted()).toEqual(
      Object.keys(codePrograms).toSorted(),
    );
  });

  test.each(lines)('%s', async (line) => {
    const { home, jane, phone } = scene;
    writeCredentials(home, `[default]\n${keyLines(jane)}mfa_serial = ${phone.serialNumber}\n${line}\n`);
    expect(await run(home, ['login'])).toMatchObject({ exitCode: 0 });
  });
});
