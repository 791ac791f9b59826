import fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { SessionHandle } from './local-aws/world.ts';
import { useScene } from './support/fixture.ts';
import { type Home, run, runProcess, sessionLines } from './support/program.ts';

let home: Home;
let session: SessionHandle;

useScene((scene) => {
  ({ home } = scene);
  session = scene.aws.mintSession(scene.jane, { seconds: 7200 });
  fs.appendFileSync(home.credentials, `[default-sts]\n${sessionLines(session, session.expiration)}`);
});

describe('without --', () => {
  const shown = ['printf', '<%s>', '--help', '-p', 'exec', '--', 'login', '--min-ttl'];

  test.each([
    ['exec default'],
    ['default exec'],
    ['exec -q default --min-ttl 1m'],
    ['default --region eu-west-1 exec -q'],
    ['exec -p default'],
    ['-p default exec'],
    ['exec default --'],
  ])('%s runs what stands behind it, all of it', async (words) => {
    expect(await runProcess(home, [...words.split(' '), ...shown])).toEqual({
      exitCode: 0,
      signal: null,
      stdout: '<--help><-p><exec><--><login><--min-ttl>',
      stderr: '',
    });
  });

  test('the command gets the variables of the session', async () => {
    const { exitCode, stdout } = await runProcess(home, ['exec', 'default', 'printenv', 'AWS_ACCESS_KEY_ID']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${session.accessKeyId}\n` });
  });

  test('a program whose name is no profile does not run, and the hint shows how it would', async () => {
    const mark = join(home.folder, 'ran');
    const cases: Array<[string[], string]> = [
      [['exec', 'touch', mark], 'touch ~/ran'],
      [['exec', 'sh', '-c', `touch ${mark}; true`], "sh -c 'touch ~/ran; true'"],
      [['exec', '-q', 'touch', '-f', '--region', 'x', mark], 'touch -f --region x ~/ran'],
      [['exec', 'touch', '--help'], 'touch --help'],
      [['exec', 'touch'], 'touch'],
    ];
    for (const [words, command] of cases) {
      expect(await runProcess(home, words)).toMatchObject({
        exitCode: 125,
        stdout: '',
        stderr: `aws-iam-login: ${words.find((word) => command.startsWith(word))} is no profile but a program\n  hint: to run it: aws-iam-login exec -- ${command}\n`,
      });
    }
    expect(fs.existsSync(mark)).toBe(false);
  });

  test('with -- the word before it is a profile that is missing', async () => {
    const { exitCode, stderr } = await run(home, ['exec', 'touch', '--', 'touch', 'x']);
    expect(exitCode).toBe(125);
    expect(stderr).toMatch(/^aws-iam-login: profile touch is neither in /);
  });

  test('a hint does not repeat a line that is long', async () => {
    const { stderr } = await run(home, ['exec', 'touch', 'x'.repeat(300)]);
    expect(stderr).toContain('hint: to run it: aws-iam-login exec -- touch …\n');
  });

  test('a profile is one even where a program has its name', async () => {
    fs.appendFileSync(home.credentials, `[true-sts]\n${sessionLines(session, session.expiration)}`);
    const { exitCode, stdout } = await runProcess(home, [
      'exec',
      'true',
      'printenv',
      'AWS_IAM_LOGIN_PROFILE',
    ]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'true\n' });
  });

  test('a word that is neither is compared with the profiles', async () => {
    const { exitCode, stderr } = await run(home, ['exec', 'defualt', 'true']);
    expect(exitCode).toBe(125);
    expect(stderr).toContain('hint: did you mean default?\n');
  });
});

test.each([
  [['exec'], 'aws-iam-login exec -- aws sts get-caller-identity'],
  [['exec', 'default'], 'aws-iam-login exec default -- aws sts get-caller-identity'],
  [['default', 'exec', '--'], 'aws-iam-login exec default -- aws sts get-caller-identity'],
  [['exec', '-p', 'my work'], "aws-iam-login exec 'my work' -- aws sts get-caller-identity"],
])('%s without a command shows one in the hint', async (words, hint) => {
  expect(await run(home, words)).toEqual({
    exitCode: 125,
    signal: null,
    stdout: '',
    stderr: `aws-iam-login: exec needs a command to run\n  hint: ${hint}\n`,
  });
});

test('the help of exec tells its exit codes', async () => {
  const { stdout } = await run(home, ['exec', '--help']);
  expect(stdout).toMatch(/\b127\b.*\b126\b[^]*\b125 when anything of ours fails\s+before the command starts/);
});
