import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { withoutHook } from '../src/commands/use.ts';
import { describeSession } from '../src/sessions/live-session.ts';
import { linePainter } from '../src/terminal/screen.ts';
import { withShownPaths } from '../src/text.ts';
import type { LocalAws } from './local-aws/server.ts';
import type { UserHandle } from './local-aws/world.ts';
import { useScene } from './support/fixture.ts';
import { type Home, run } from './support/program.ts';
import { openTerminal } from './support/terminal.ts';

describe('a session', () => {
  const now = new Date(2026, 0, 1, 9, 40).getTime();
  const session = { accessKeyId: 'ASIA', secretAccessKey: 'x', sessionToken: 'y', expiration: now / 1000 };

  test.each([
    [12 * 3600, 'eu-west-1', 'session of my-user until 21:40 (12 h), eu-west-1'],
    [12 * 3600, undefined, 'session of my-user until 21:40 (12 h)'],
    [36 * 3600, undefined, 'session of my-user until Fri Jan 02 21:40 (36 h)'],
  ])('of %i s in %s is told in one line', (seconds, region, text) => {
    const live = {
      kind: 'user',
      profileName: 'my-user',
      session: { ...session, expiration: session.expiration + seconds },
      region,
      renewAt: 0,
    } as const;
    expect(describeSession(live, now)).toBe(text);
  });
});

test.each([
  ['/home/me/.aws/credentials line 3', '~/.aws/credentials line 3'],
  ['could not write /home/me/.aws/config: no', 'could not write ~/.aws/config: no'],
  ['chmod 600 /home/me/a (/home/me/b)', 'chmod 600 ~/a (~/b)'],
  ["chmod 600 '/home/me/a b'", "chmod 600 '/home/me/a b'"],
  ['/srv/home/me/a', '/srv/home/me/a'],
  ['/home/me', '/home/me'],
])('%s is written as %s', (text, shown) => {
  expect(withShownPaths(text, '/home/me')).toBe(shown);
  expect(withShownPaths(text, '/home/me/')).toBe(shown);
  expect(withShownPaths(text, '')).toBe(text);
  expect(withShownPaths(text, undefined)).toBe(text);
});

const bold = (text: string): string => `\u001B[1m${text}\u001B[22m`;
const red = (text: string): string => `\u001B[31m${text}\u001B[39m`;

describe('on a terminal', () => {
  test('an error and a hint stand out, all else is plain', () => {
    const paint = linePainter({ TERM: 'xterm' });
    expect(paint('aws-iam-login: no', 'error')).toBe(`${red(bold('aws-iam-login:'))} no`);
    expect(paint('aws-iam-login: session', undefined)).toBe('aws-iam-login: session');
    expect(paint('  hint: run it', undefined)).toBe(`${bold('  hint:')} run it`);
  });

  test.each([[{ TERM: 'dumb' }], [{ TERM: 'xterm', NO_COLOR: '1' }]])('but not with %j', (env) => {
    const paint = linePainter(env);
    expect(paint('aws-iam-login: no', 'error')).toBe('aws-iam-login: no');
    expect(paint('  hint: run it', undefined)).toBe('  hint: run it');
  });
});

describe('use without the hook', () => {
  let home: string;

  beforeEach(() => {
    home = fs.mkdtempSync(join(tmpdir(), 'voice-'));
  });

  afterEach(() => fs.rmSync(home, { recursive: true }));

  const write = (name: string, text: string): void => {
    fs.mkdirSync(dirname(join(home, name)), { recursive: true });
    fs.writeFileSync(join(home, name), text);
  };

  test.each([
    [
      'bash',
      '/bin/zsh',
      'run: aws-iam-login setup, or only in this shell: eval "$(aws-iam-login hook bash)"',
    ],
    [
      '-zsh',
      '/bin/bash',
      'run: aws-iam-login setup, or only in this shell: eval "$(aws-iam-login hook zsh)"',
    ],
    [
      'fish',
      '/bin/bash',
      'run: aws-iam-login setup, or only in this shell: aws-iam-login hook fish | source',
    ],
    ['make', '/bin/zsh', 'run: aws-iam-login setup, or only in this shell: eval "$(aws-iam-login hook zsh)"'],
    ['make', '/bin/tcsh', 'run: aws-iam-login setup'],
  ])('from %s names the line of that shell', (parent, SHELL, hint) => {
    expect(withoutHook({ HOME: home, SHELL }, parent, 'linux')).toMatchObject({
      message: 'use changes the current shell, and the shell hook is not loaded here',
      hint,
      exitCode: 2,
    });
  });

  test.each([
    ['bash', 'linux', '.bashrc', '. ~/.local/share/aws-iam-login/shell/aws-iam-login.bash', 'exec bash'],
    ['bash', 'darwin', '.bash_profile', 'eval "$(aws-iam-login hook bash)"', 'exec bash -l'],
    ['zsh', 'linux', '.zshrc', 'eval "$(aws-iam-login hook zsh)"', 'exec zsh'],
    ['fish', 'linux', '.config/fish/conf.d/aws-iam-login.fish', 'source x/aws-iam-login.fish', 'exec fish'],
  ])(
    'from a %s on %s that has not read its rc file yet says just that',
    (shell, platform, file, line, command) => {
      write(file, `# mine\n${line}\n`);
      expect(withoutHook({ HOME: home, SHELL: '/bin/sh' }, shell, platform)).toMatchObject({
        message: `use changes the current shell, and this ${shell} has not read its rc file yet`,
        hint: `open a new shell, or: ${command}`,
        exitCode: 2,
      });
      write(file, `# aws-iam-login was here\n`);
      expect(withoutHook({ HOME: home }, shell, platform).message).toContain('is not loaded here');
    },
  );
});

/** Whether an error is marked in a terminal with these variables. */
const isRed = async (home: Home, variables: string): Promise<boolean> => {
  const terminal = await openTerminal(home, `${variables} aws-iam-login login nobody; echo END`);
  await terminal.until(/END/);
  return (await terminal.styled()).includes('\u001B[31m');
};

describe('against the local AWS', () => {
  let aws: LocalAws;
  let home: Home;
  let jane: UserHandle;

  useScene((scene) => {
    ({ aws, home, jane } = scene);
    fs.writeFileSync(home.config, '[default]\nregion = eu-west-1\n');
  });

  test('login says who, until when and where; --quiet says nothing', async () => {
    const words = ['login', '--token-code', aws.deviceOf(jane).code()];
    expect((await run(home, words)).stderr).toMatch(
      /^aws-iam-login: session of default until .*\d\d:\d\d \(12 h\), eu-west-1\n$/,
    );
    expect(await run(home, ['login', '--if-needed', '--quiet'])).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test.each([
    ['login', 'aws-iam-login login default'],
    ['env', 'aws-iam-login login default'],
    ['rotate', 'aws-iam-login rotate default'],
    ['setup bash', 'aws-iam-login setup'],
  ])('a decline of %s says how to be asked again', async (words, command) => {
    const terminal = await openTerminal(home, `aws-iam-login ${words} >/dev/null; echo EXIT$?`);
    await terminal.until(/(?:\): ?|\? \[y\/N\] ?)$/);
    await terminal.press('Enter');
    expect(await terminal.until(/EXIT130/)).toContain(
      `aws-iam-login: nothing was done: ${command} asks again\n`,
    );
  });

  test('colours are for terminals that have them', async () => {
    expect(await isRed(home, 'TERM=screen')).toBe(true);
    expect(await isRed(home, 'TERM=screen NO_COLOR=1')).toBe(false);
    expect(await isRed(home, 'TERM=dumb')).toBe(false);
  });
});
