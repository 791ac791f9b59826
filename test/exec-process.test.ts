import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import { ownProcessProfile } from '../src/profiles/own-process.ts';
import type { LocalAws } from './local-aws/server.ts';
import type { SessionHandle, UserHandle } from './local-aws/world.ts';
import { findBoto, outliveSessions, useBoto } from './support/boto.ts';
import { useScene } from './support/fixture.ts';
import { listTree } from './support/processes.ts';
import {
  type Home,
  runCommand,
  runProcess,
  sectionOf,
  sessionLines,
  start,
  until,
} from './support/program.ts';
import { atSize } from './support/size.ts';
import { openTerminal } from './support/terminal.ts';

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let session: SessionHandle;

useScene((scene) => {
  ({ aws, home, jane } = scene);
  session = aws.mintSession(jane, { mfa: true, seconds: 40_000 });
  fs.appendFileSync(home.credentials, `[default-sts]\n${sessionLines(session, session.expiration)}`);
});

const support = (name: string): string => fileURLToPath(new URL(`support/${name}`, import.meta.url));

const addConfig = (text: string): void => fs.appendFileSync(home.config, text);

const addRole = (name: string, lines = ''): void => {
  const { arn } = aws.createRole({ name, account: '444455556666', trusts: [jane.account], requireMfa: true });
  addConfig(`[profile ${name}]\nrole_arn = ${arn}\nsource_profile = default\n${lines}`);
};

/** The files of commands that run now. */
const privateFiles = (): string[] => {
  const folder = join(home.state, 'exec');
  return fs.existsSync(folder) ? listTree(folder).filter((path) => path.endsWith('config')) : [];
};

/** What a command finds that `exec --as process` runs: its variables, and the profile that they name. */
const look = async (words: readonly string[], env: Record<string, string> = {}) => {
  const script = `env -0; printf '\\n@@\\n'; cat "$AWS_CONFIG_FILE"; set -- "$AWS_CONFIG_FILE" "$(dirname "$AWS_CONFIG_FILE")"; stat -c %a "$@" >modes 2>/dev/null || stat -f %Lp "$@" >modes`;
  const { exitCode, stdout, stderr } = await runProcess(
    home,
    [...words, '--as', 'process', '--', 'sh', '-c', script],
    {
      env,
    },
  );
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  const [variables = '', config = ''] = stdout.split('\n@@\n');
  const found = Object.fromEntries(variables.split('\0').map((line) => line.split(/=(.*)/s).slice(0, 2)));
  const profile = config.split(`[profile ${found['AWS_PROFILE']}]\n`)[1]?.split('\n[')[0] ?? '';
  return { variables: found, config, lines: profile.split('\n').filter((line) => line !== '') };
};

describe('the command', () => {
  test('finds a copy of the config file with one more profile, for itself alone', async () => {
    const text =
      '# mine\n[default]\naws_iam_login_key_store = pass\naws_iam_login_access_key_id = AKIAIOSFODNN7EXAMPLE\nregion = eu-west-1\ns3 =\n  addressing_style = path\n  max_queue_size = 5\noutput = text\n[profile other]\nregion = x\n';
    fs.writeFileSync(home.config, text);
    const { variables, config, lines } = await look(['exec', 'default']);
    expect(config.startsWith(text)).toBe(true);
    expect(lines.slice(0, -1)).toEqual([
      'region = eu-west-1',
      's3 =',
      '  addressing_style = path',
      '  max_queue_size = 5',
      'output = text',
    ]);
    expect(lines.at(-1)).toMatch(/^credential_process = \/\S*env .* credential-process --profile=default$/);
    expect(ownProcessProfile(lines.at(-1)?.split(' = ')[1] ?? '')).toBe('default');
    expect(variables['AWS_CONFIG_FILE']?.startsWith(join(home.state, 'exec'))).toBe(true);
    expect(fs.readFileSync(join(home.folder, 'modes'), 'utf8')).toBe('600\n700\n');
    expect(fs.existsSync(variables['AWS_CONFIG_FILE'] ?? '')).toBe(false);
    expect(fs.readFileSync(home.config, 'utf8')).toBe(text);
  });

  test('finds no variable that would win over the profile', async () => {
    const { variables } = await look(['exec', 'default', '--region', 'eu-west-3'], {
      AWS_ACCESS_KEY_ID: 'AKIAOTHER',
      AWS_SECRET_ACCESS_KEY: 'x',
      AWS_SESSION_TOKEN: 'x',
      AWS_SECURITY_TOKEN: 'x',
      AWS_CREDENTIAL_EXPIRATION: '2020-01-01T00:00:00Z',
      AWS_DEFAULT_PROFILE: 'other',
      AWS_WEB_IDENTITY_TOKEN_FILE: '/x',
      AWS_ROLE_ARN: 'x',
      AWS_REGION: 'us-west-2',
      AWS_IAM_LOGIN_EXPIRES_AT: '5',
      AWS_IAM_LOGIN_AS: 'keys',
    });
    const names = Object.keys(variables).filter((name) => name.startsWith('AWS_'));
    expect(names.filter((name) => !/^AWS_(?:EC2|PAGER|ENDPOINT)/.test(name)).toSorted()).toEqual([
      'AWS_CONFIG_FILE',
      'AWS_DEFAULT_REGION',
      'AWS_IAM_LOGIN_PROFILE',
      'AWS_PROFILE',
      'AWS_REGION',
      'AWS_SDK_LOAD_CONFIG',
    ]);
    expect(variables).toMatchObject({ AWS_REGION: 'eu-west-3', AWS_IAM_LOGIN_PROFILE: 'default' });
  });

  test('finds a profile whose name no other has, with all settings but those about credentials', async () => {
    addRole(
      'admin',
      `external_id = 12\nmfa_serial = arn:aws:iam::123456789012:mfa/x\nrole_session_name = me\nduration_seconds = 900\nregion = eu-north-1\ncli_pager =\n`,
    );
    addConfig('[profile admin-process]\nregion = a\n[profile admin-process-2]\nregion = b');
    fs.appendFileSync(home.credentials, '[admin]\noutput = json\n[admin-process-3]\nregion = c\n');
    const { variables, lines } = await look(['exec', 'admin', '--min-ttl=2m']);
    expect(variables['AWS_PROFILE']).toBe('admin-process-4');
    expect(lines.slice(0, -1).toSorted()).toEqual(['cli_pager =', 'output = json', 'region = eu-north-1']);
    expect(lines.at(-1)).toMatch(/ credential-process --profile=admin --min-ttl=2m$/);
    expect(aws.calls.map(({ action }) => action)).toEqual(['AssumeRole']);
  });

  test('ends with its own exit code, and nothing of ours stays', async () => {
    for (const [script, exitCode] of [
      ['exit 7', 7],
      ['kill -9 $$', 137],
    ] as const) {
      expect(await runProcess(home, ['exec', '--as', 'process', '--', 'sh', '-c', script])).toMatchObject({
        exitCode,
      });
    }
    expect(await runProcess(home, ['exec', '--as', 'process', '--', 'no-such-command'])).toMatchObject({
      exitCode: 127,
    });
    expect(listTree(join(home.state, 'exec'))).toEqual([]);
  });

  test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)(
    'that gets %s may end, and then its file goes',
    async (signal) => {
      const script = `trap 'cat "$AWS_CONFIG_FILE" >saved; exit 9' ${signal.slice(3)}; echo ready >&2; while :; do sleep 0.05; done`;
      const { child, ended, says } = start(home, ['exec', '--as', 'process', '--', 'sh', '-c', script]);
      await says('ready');
      child.kill(signal);
      expect(await ended).toMatchObject({ exitCode: 9 });
      expect(fs.readFileSync(join(home.folder, 'saved'), 'utf8')).toContain('credential-process');
      expect(listTree(join(home.state, 'exec'))).toEqual([]);
    },
  );

  test('does not start when there is no session, or when the copy cannot be written', async () => {
    const mark = join(home.folder, 'ran');
    const words = ['exec', '--as', 'process', '--', 'touch', mark];
    fs.writeFileSync(join(home.folder, 'bad'), '[default]\nregion = x\nbroken\n');
    const env = { AWS_CONFIG_FILE: join(home.folder, 'bad') };
    expect(await runProcess(home, words, { env })).toMatchObject({
      exitCode: 125,
      stderr: expect.stringMatching(/could not add a profile to a copy of \S+bad: line 3: .*\n {2}hint: /),
    });
    expect(
      await runProcess(home, [
        'exec',
        '--as',
        'process',
        '--no-input',
        '--min-ttl=11h30m',
        ...words.slice(3),
      ]),
    ).toMatchObject({
      exitCode: 125,
    });
    expect(await runProcess(home, ['exec', '--as', 'profile', ...words.slice(3)])).toMatchObject({
      exitCode: 125,
    });
    expect(fs.existsSync(mark)).toBe(false);
    expect(privateFiles()).toEqual([]);
  });
});

test('what a dead parent has left goes with the next run, and what a living one needs stays', async () => {
  const wait = ['sh', '-c', 'echo ready >&2; exec sleep 100'];
  const [dead, living] = [1, 2].map(() => start(home, ['exec', '--as', 'process', '--', ...wait]));
  if (dead === undefined || living === undefined) throw new Error('both are started');
  await Promise.all([dead.says('ready'), living.says('ready')]);
  const both = privateFiles();
  expect(both).toHaveLength(2);
  dead.child.kill('SIGKILL');
  await until(() => dead.child.signalCode !== null);
  // a process that is stopped gives no heartbeat, and goes on
  living.child.kill('SIGSTOP');
  await runProcess(home, ['exec', '--as', 'process', '--', 'true']);
  expect(privateFiles()).toHaveLength(1);
  expect(both).toEqual(expect.arrayContaining(privateFiles()));
  living.child.kill('SIGCONT');
  living.child.kill('SIGTERM');
  expect(await living.ended).toMatchObject({ exitCode: 143 });
  expect(listTree(join(home.state, 'exec'))).toEqual([]);
  assert(dead.child.pid !== undefined);
  process.kill(-dead.child.pid, 'SIGKILL');
});

describe('a program of AWS', () => {
  let python: string;

  beforeEach(async () => {
    python = await findBoto(home);
    home.env['AWS_DEFAULT_REGION'] = 'us-east-1';
  });

  test('outlives two sessions of a role without a question', async () => {
    addRole('admin', 'region = eu-west-1\n');
    const { exitCode, stdout, stderr } = await outliveSessions(aws, home, 'admin', python);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const lines = stdout.trim().split('\n');
    expect(new Set(lines.map((line) => line.split(' ')[0])).size).toBe(3);
    expect(lines.every((line) => line.endsWith('arn:aws:sts::444455556666:assumed-role/admin/jane'))).toBe(
      true,
    );
    expect(aws.count('AssumeRole')).toBeGreaterThan(2);
    expect(aws.count('GetSessionToken')).toBe(0);
    expect(sectionOf(home, 'admin-sts')['aws_access_key_id']).toMatch(/^ASIA/);
  });

  test('asks on the terminal when the session of the user is over', async () => {
    fs.writeFileSync(
      home.credentials,
      fs.readFileSync(home.credentials, 'utf8').split('[default-sts]')[0] ?? '',
    );
    addRole('admin');
    const terminal = await openTerminal(
      home,
      `aws-iam-login exec admin --as process -- sh -c '${python} ${useBoto} 1; rm ~/.aws/credentials.* 2>/dev/null; sed "/^expiration/s/20[0-9]*/2020/" ~/.aws/credentials >new && cat new >~/.aws/credentials; ${python} ${useBoto} 1 </dev/null 2>&1 | cat'; echo END`,
    );
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.type(aws.deviceOf(jane).code());
    await terminal.press('Enter');
    await terminal.until(/assumed-role[^]*mfa\/phone\):$/m);
    await terminal.type(aws.deviceOf(jane).code());
    await terminal.press('Enter');
    const screen = await terminal.until(/END/);
    expect(screen.match(/assumed-role\/admin\/jane/g)).toHaveLength(2);
    expect(aws.count('GetSessionToken')).toBe(2);
  });

  test('finds us from paths with blanks, quotes and signs', async () => {
    const odd = join(home.folder, `a b #c 'd' ;e "f" $(touch PWNED) \\g ü`);
    fs.mkdirSync(join(odd, 'state'), { recursive: true });
    fs.chmodSync(join(odd, 'state'), 0o700);
    fs.copyFileSync(home.credentials, join(odd, 'credentials'));
    addRole('admin');
    fs.copyFileSync(home.config, join(odd, 'config'));
    const env = {
      AWS_SHARED_CREDENTIALS_FILE: join(odd, 'credentials'),
      AWS_CONFIG_FILE: join(odd, 'config'),
      AWS_IAM_LOGIN_HOME: join(odd, 'state'),
    };
    for (const command of [
      [python, useBoto, '1'],
      ['sh', '-c', `exec '${process.execPath}' '${support('ask-sdk.mjs')}' "$AWS_PROFILE"`],
    ]) {
      const { stdout, stderr } = await runProcess(
        home,
        ['exec', 'admin', '--as', 'process', '--', ...command],
        {
          env,
        },
      );
      expect({ stdout, stderr }).toEqual({
        stdout: expect.stringContaining('arn:aws:sts::444455556666:assumed-role/admin/jane'),
        stderr: expect.not.stringContaining('rror'),
      });
    }
    expect(listTree(home.folder).filter((path) => path.endsWith('PWNED'))).toEqual([]);
  });

  test('boto3 processes that ask credential-process together make one AssumeRole', async () => {
    addRole('admin');
    addConfig('[profile admin-live]\ncredential_process = aws-iam-login credential-process admin\n');
    const ended = await Promise.all(
      Array.from({ length: atSize(4, 10) }, () =>
        runCommand(home, python, [useBoto, '1'], { env: { AWS_PROFILE: 'admin-live' } }),
      ),
    );
    expect(new Set(ended.map(({ stdout }) => stdout)).size).toBe(1);
    expect(ended[0]?.stdout).toMatch(/assumed-role\/admin\/jane\n$/);
    expect([aws.count('GetSessionToken'), aws.count('AssumeRole')]).toEqual([0, 1]);
  });
});
