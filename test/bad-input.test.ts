import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failures, wordsOf } from './support/failures.ts';
import { type Scene, useScene } from './support/fixture.ts';
import { type Ended, run, runProcess, snapshot } from './support/program.ts';
import { openShell, runShell } from './support/shells.ts';
import { atSize } from './support/size.ts';

const canMount = ((): boolean => {
  const folder = fs.mkdtempSync(join(os.tmpdir(), 'aws-iam-login-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    fs.rmdirSync(folder);
  }
})();

let scene: Scene;

useScene((made) => {
  scene = made;
});

// Every secret that the files hold now.
const secrets = (): string[] => {
  const texts = Object.values(snapshot(scene.home)).join('\n');
  return [...texts.matchAll(/(?:secret_access_key|session_token) = (\S+)/g)].map((match) => match[1] ?? '');
};

const leaked = ({ stdout, stderr }: Ended): string[] =>
  secrets().filter((secret) => stdout.includes(secret) || stderr.includes(secret));

// What the evaluating shells of a user get: nothing is taken up, and what follows && does not run.
const evaluate = async (
  words: readonly string[],
  env: Record<string, string | undefined>,
): Promise<string> => {
  const quoted = words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
  const results = await Promise.all(
    (['bash', 'zsh', 'fish'] as const).map((shell) =>
      runShell(
        scene.home,
        shell,
        shell === 'fish'
          ? `aws-iam-login env ${quoted} ${quoted.includes('--format') ? '' : '--format fish'} | source; and echo no`
          : `eval "$(aws-iam-login env ${quoted})" && echo no`,
        { env },
      ),
    ),
  );
  return results.map(({ stdout }) => stdout).join('');
};

// What the shells make of `false` does not depend on the failure: some of each kind show it.
const evaluated = atSize(
  failures.filter((_failure, index) => index % 8 === 0),
  failures,
);

describe.each(failures.map((failure): [string, typeof failure] => [failure.name, failure]))(
  '%s',
  (_name, failure) => {
    test(`gets exit code ${failure.exitCode}, one sentence and a hint, no secret, and changes nothing`, async () => {
      const env = failure.prepare?.(scene) ?? {};
      const before = snapshot(scene.home);
      const words = wordsOf(failure, scene);
      const runThere = failure.ofProcess === true ? runProcess : run;
      const result = await runThere(scene.home, ['env', ...words], { env });
      expect(result).toMatchObject({ exitCode: failure.exitCode, stdout: 'false\n' });
      const [, message = '', hint] = /^aws-iam-login: (.*)\n(?: {2}hint: (.*)\n)?$/.exec(result.stderr) ?? [];
      expect(message).toMatch(failure.message);
      expect(message).not.toMatch(/unexpected|\.$/);
      expect(hint ?? '').toMatch(failure.hint ?? /^/);
      expect(leaked(result)).toEqual([]);
      expect(snapshot(scene.home)).toEqual(before);
      expect(scene.aws.count()).toBe(failure.requests ?? 0);

      const debug = await runThere(scene.home, ['env', '--debug', ...words], { env });
      expect(debug).toMatchObject({ exitCode: failure.exitCode, stdout: 'false\n' });
      expect(leaked(debug)).toEqual([]);
    });
  },
);

test.each(evaluated.map((failure): [string, typeof failure] => [failure.name, failure]))(
  '%s takes up nothing in bash, zsh and fish, and what follows && does not run',
  async (_name, failure) => {
    const env = failure.prepare?.(scene) ?? {};
    const before = snapshot(scene.home);
    expect(await evaluate(wordsOf(failure, scene), env)).toBe('');
    expect(snapshot(scene.home)).toEqual(before);
  },
);

test('an endpoint that accepts the connection and never answers is given up', async () => {
  scene.aws.fault('*', 'hang');
  const { exitCode, stdout, stderr } = await run(scene.home, ['env', '--token-code', scene.phone.code()]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'false\n' });
  expect(stderr).toMatch(/^aws-iam-login: http:.* did not answer: it took too long\n {2}hint: try again /);
});

test('a config file that AWS CLI refuses is reported with its line', async () => {
  fs.writeFileSync(scene.home.config, '[default]\nregion = eu-west-1\nrole_session_name\n');
  const { exitCode, stderr } = await run(scene.home, ['login', '--token-code', scene.phone.code()]);
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(
    /^aws-iam-login: ~\/\.aws\/config line 3: .* \(AWS CLI and boto3 refuse this file\)\n/,
  );
});

// Where this machine lets us mount one: the faults of the table above stand in for it everywhere.
describe.each(canMount ? ['a real disk'] : [])('%s', () => {
  let folder: string;
  let words: string[];
  const fill = (): void => {
    try {
      fs.writeFileSync(join(folder, 'ballast'), Buffer.alloc(1_000_000));
    } catch {
      // full now
    }
  };

  beforeEach(() => {
    folder = join(scene.home.folder, 'small');
    fs.mkdirSync(folder);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k,mode=700', 'tmpfs', folder]);
    fs.copyFileSync(scene.home.credentials, join(folder, 'credentials'));
    scene.home.env['AWS_SHARED_CREDENTIALS_FILE'] = join(folder, 'credentials');
    words = ['env', '--token-code', scene.phone.code()];
  });
  afterEach(() => void execFileSync('umount', [folder]));

  test('that is full is noticed before the code is spent', async () => {
    fill();
    const { exitCode, stdout, stderr } = await run(scene.home, words);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'false\n' });
    expect(stderr).toMatch(/could not write .*credentials: no space is left on the disk\n {2}hint: .*df -h/);
    expect(scene.aws.count()).toBe(0);
  });

  test('that fills up while AWS answers leaves the old file and no stray one, and the session is handed out', async () => {
    const before = fs.readFileSync(join(folder, 'credentials'), 'utf8');
    scene.aws.fault('GetSessionToken', 'hold');
    const ended = run(scene.home, words);
    await scene.aws.untilHeld();
    fill();
    scene.aws.release();
    const { exitCode, stdout, stderr } = await ended;
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringContaining("AWS_SESSION_TOKEN='"),
    });
    expect(stderr).toContain('no space is left on the disk');
    expect(fs.readFileSync(join(folder, 'credentials'), 'utf8')).toBe(before);
    expect(fs.readdirSync(folder).sort()).toEqual(['ballast', 'credentials']);
  });

  test('that is read-only is noticed before the code is spent', async () => {
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    const { exitCode, stdout, stderr } = await run(scene.home, words);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: 'false\n' });
    expect(stderr).toMatch(/could not write .*credentials: the file system is read-only\n {2}hint: /);
    expect(scene.aws.count()).toBe(0);
  });
});

test('temporary files that a killed run left are removed by the next one', async () => {
  const stray = join(dirname(scene.home.credentials), '.credentials.aws-iam-login.99999999.0123abcd.tmp');
  fs.writeFileSync(stray, 'half a fi');
  expect(await run(scene.home, ['login', '--token-code', scene.phone.code()])).toMatchObject({ exitCode: 0 });
  expect(fs.existsSync(stray)).toBe(false);
  expect(fs.readdirSync(dirname(scene.home.credentials)).sort()).toEqual(['aws-iam-login', 'credentials']);
});

test('a background job is told so at once, and is not stopped', async () => {
  const terminal = await openShell(scene.home, 'bash');
  await terminal.until(/R0>$/);
  await terminal.type('aws-iam-login login & wait $!; echo "EXIT$?"');
  await terminal.press('Enter');
  const screen = await terminal.until(/EXIT\d/);
  expect(screen).toContain('EXIT3');
  expect(screen).toMatch(/aws-iam-login: a token code for \S+ is needed, and a background job cannot ask/);
  expect(screen).toMatch(/hint: .*--token-code/);
  expect(screen).not.toContain('Stopped');
});

test('after a failure the reader may have closed stdout already', async () => {
  const script = 'aws-iam-login env nobody 2>err | true; echo "${PIPESTATUS[0]}"; cat err';
  const { stdout } = await runShell(scene.home, 'bash', script);
  expect(stdout).toMatch(/^1\naws-iam-login: profile nobody is neither /);
});
