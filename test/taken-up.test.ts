import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test, vi } from 'vitest';
import { askCore, makePath, quoted, writeCases } from './support/launcher.ts';
import { generateCases } from './support/launcher-cases.ts';
import { binaryOf } from './support/shells.ts';
import { atSize } from './support/size.ts';

vi.setConfig({ testTimeout: atSize(180_000, 1_800_000) });

const seed = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'aws-iam-login-taken-')));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

// The files are the generator's; what is asked, with which variables, is what a shell that starts asks.
const cases = generateCases(atSize(300, 5000), seed).map((each, place) => {
  const profile = /\[(?:profile )?([\w.@+-]+?)(?:-sts)?\]/.exec(each.credentials ?? '')?.[1] ?? 'default';
  const as = ['keys', 'profile', 'watch'][place % 3] ?? 'keys';
  return { ...each, env: {}, profile, as, argv: ['env', '--stored', `--profile=${profile}`, '--as', as] };
});
writeCases(folder, cases);
const path = makePath(join(folder, 'path'), 'mawk', cases[0]?.now);

/** What the program prints for each case, applied to an environment by a shell of its own: what there is then. */
const printed = (): string[] => {
  const script = cases.map((_, place) => {
    const answer = askCore(folder, cases, place);
    const text = typeof answer === 'object' && answer.code === 0 ? answer.stdout : '';
    return `(\nexport ${filesOf(place)}\neval ${quoted(text)}\nenv | grep ^AWS_ | sort\n) >${place}.printed`;
  });
  return outputs('dash', 'printed', script.join('\n'));
};

const filesOf = (place: number): string =>
  `AWS_SHARED_CREDENTIALS_FILE=${quoted(join(folder, `${place}.credentials`))} AWS_CONFIG_FILE=${quoted(join(folder, `${place}.config`))}`;

const untouched = (place: number): string =>
  `AWS_CONFIG_FILE=${join(folder, `${place}.config`)}\nAWS_SHARED_CREDENTIALS_FILE=${join(folder, `${place}.credentials`)}\n`;

const outputs = (shell: string, ending: string, script: string): string[] => {
  const out = fs.mkdtempSync(join(folder, 'outputs-'));
  fs.writeFileSync(join(out, 'script'), script);
  const { status, stderr } = spawnSync(binaryOf(shell), ['script'], {
    cwd: out,
    encoding: 'utf8',
    env: { PATH: path, HOME: folder, LC_ALL: 'C.UTF-8', TERM: 'dumb' },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return cases.map((_, place) => fs.readFileSync(join(out, `${place}.${ending}`), 'utf8'));
};

const takeUp: Readonly<Record<string, (place: number) => string>> = {
  bash: (place) =>
    `(\nexport ${filesOf(place)} AWS_IAM_LOGIN_AS=${cases[place]?.as}\nif ! __aws_iam_login_take ${quoted(cases[place]?.profile ?? '')}; then unset AWS_IAM_LOGIN_AS; fi\nenv | grep ^AWS_ | sort\n) >${place}.taken`,
  fish: (place) =>
    `${filesOf(place)
      .split(' ')
      .map((word) => `set -gx ${word.replace('=', ' ')}`)
      .join(
        '\n',
      )}\nset -gx AWS_IAM_LOGIN_AS ${cases[place]?.as}\n__aws_iam_login_take ${quoted(cases[place]?.profile ?? '')}\nor set -e AWS_IAM_LOGIN_AS\nenv | grep ^AWS_ | sort >${place}.taken\nfor name in (set -nx | string match 'AWS_*')\nset -e $name\nend`,
};

test.each(['bash', 'zsh', 'fish'])('%s takes up what the program prints, or nothing', (shell) => {
  const load = `. ${quoted(join(root, 'shell', `aws-iam-login.${shell}`))}\n__aws_iam_login_load shell/aws-iam-login-session.${shell}\n`;
  const write = takeUp[shell] ?? takeUp['bash'];
  const taken = outputs(shell, 'taken', load + cases.map((_, place) => write?.(place)).join('\n'));
  const expected = printed();
  const differences = taken.flatMap((text, place) =>
    text === expected[place] || text === untouched(place)
      ? []
      : [{ shell, seed, ...cases[place], text, expected: expected[place] }],
  );
  const share = taken.filter((text, place) => text !== untouched(place)).length / taken.length;
  process.stdout.write(
    `${shell}: ${taken.length} cases, seed ${seed}; ${(share * 100).toFixed(1)} % taken up\n`,
  );
  expect(differences.slice(0, 3)).toEqual([]);
  expect(share).toBeGreaterThan(0.05);
});
