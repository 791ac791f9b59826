import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test, vi } from 'vitest';
import { askCore, makePath, quoted, writeCases } from './support/launcher.ts';
import { type Case, generateCases } from './support/launcher-cases.ts';
import { binaryOf } from './support/shells.ts';
import { seed } from './support/seed.ts';
import { atSize } from './support/size.ts';

vi.setConfig({ testTimeout: atSize(180_000, 1_800_000) });

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'aws-iam-login-taken-')));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const user =
  '[default]\naws_access_key_id = AKIAXXXXXXXXXXXXXXXX\naws_secret_access_key = x\nregion = eu-west-1\n';
const keys = 'aws_access_key_id = ASIAONE\naws_secret_access_key = x\naws_session_token = x\n';
const session = `${user}[default-sts]\n${keys}expiration = 2099-01-01 00:00:00\n`;

/** Files, credentials and config, of which the shells once took up what the program does not print. */
const misread: readonly (readonly [string, string])[] = [
  [user, `[profile default-sts]\n${keys}expiration = 2099-01-01 00:00:00\n`],
  [`${user}[default-sts]\n${keys}`, '[profile default-sts]\nexpiration = 2099-01-01 00:00:00\n'],
  [session, '[profile  default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = x\n'],
  [
    session.replaceAll('default', 'x'),
    '[profile  x]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = y\n',
  ],
  [session.replaceAll('default', 'x'), '[DEFAULT]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = y\n'],
  [`[DEFAULT]\nrole_arn = arn:aws:iam::1:role/r\n${session}`, ''],
  [session.replace('2099-01-01 00:00:00', '2099-19-39 29:00:00'), ''],
  [session.replace('eu-west-1', 'eu_west/1'), ''],
  [session.replace('eu-west-1', ''), ''],
];
const known = misread.map(([credentials, config]): Case => {
  const profile = credentials.includes('[x]') ? 'x' : 'default';
  return {
    credentials,
    config,
    argv: [],
    env: {},
    profile,
    now: 1_790_000_000,
    kind: 'user env',
    isPlain: false,
  };
});

// The files and the variables are the generator's; what is asked is what a hook asks.
const cases = [...known, ...generateCases(atSize(100, 6000), seed, true)].map((each): Case => {
  const wished = each.env['AWS_IAM_LOGIN_AS'] ?? '';
  const as = ['profile', 'watch'].includes(wished) ? wished : 'keys';
  return { ...each, argv: ['env', '--stored', `--profile=${each.profile}`, '--as', as] };
});
writeCases(folder, cases);
const path = makePath(join(folder, 'path'), 'mawk', cases[0]?.now);

/** The variables of AWS that a case begins with. */
const variablesOf = (place: number): Record<string, string> => ({
  ...cases[place]?.env,
  AWS_SHARED_CREDENTIALS_FILE: join(folder, `${place}.credentials`),
  AWS_CONFIG_FILE: join(folder, `${place}.config`),
});

const untouched = (place: number): string =>
  Object.entries(variablesOf(place))
    .map(([name, value]) => `${name}=${value}\n`)
    .toSorted()
    .join('');

const exported = (place: number): string =>
  Object.entries(variablesOf(place))
    .map(([name, value]) => `export ${name}=${quoted(value)}`)
    .join('\n');

const outputs = (shell: string, ending: string, script: string): string[] => {
  const out = fs.mkdtempSync(join(folder, 'outputs-'));
  fs.writeFileSync(join(out, 'script'), script);
  const { status, stderr } = spawnSync(binaryOf(shell), ['script'], {
    cwd: out,
    encoding: 'utf8',
    env: { PATH: path, HOME: folder, LC_ALL: 'C.UTF-8', TERM: 'dumb' },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return cases.map((_, place) =>
    fs
      .readFileSync(join(out, `${place}.${ending}`), 'utf8')
      .split(/^/m)
      .toSorted()
      .join(''),
  );
};

/** What the program prints for each case, applied to its environment by a shell of its own: what there is then. */
const printed = (): string[] => {
  const script = cases.map((_, place) => {
    const answer = askCore(folder, cases, place);
    const text = typeof answer === 'object' && answer.code === 0 ? answer.stdout : '';
    return `(\n${exported(place)}\neval ${quoted(text)}\nenv | grep "^AWS_"\n) >${place}.printed`;
  });
  return outputs('dash', 'printed', script.join('\n'));
};
const expected = printed();

const takeUp = (place: number): string =>
  `(\n${exported(place)}\n__aws_iam_login_take ${quoted(cases[place]?.profile ?? '')} || :\nenv | grep "^AWS_"\n) >${place}.taken`;

// fish has no subshells.
const takeUpInFish = (place: number): string =>
  [
    ...Object.entries(variablesOf(place)).map(([name, value]) => `set -gx ${name} ${quoted(value)}`),
    `__aws_iam_login_take ${quoted(cases[place]?.profile ?? '')}`,
    `env | grep "^AWS_" >${place}.taken`,
    'for name in (set -nx | string match "AWS_*")',
    'set -e $name',
    'end',
  ].join('\n');

test.each(['bash', 'zsh', 'fish'])('%s takes up what the program prints, or nothing', (shell) => {
  const load = `. ${quoted(join(root, 'shell', `aws-iam-login.${shell}`))}\n__aws_iam_login_load shell/aws-iam-login-session.${shell}\n`;
  const write = shell === 'fish' ? takeUpInFish : takeUp;
  const taken = outputs(shell, 'taken', load + cases.map((_, place) => write(place)).join('\n'));
  const isTaken = taken.map((text, place) => text !== untouched(place));
  const differences = taken.flatMap((text, place) =>
    text === expected[place] || isTaken[place] !== true
      ? []
      : [{ shell, seed, ...cases[place], text, expected: expected[place] }],
  );
  // whose AWS_PROFILE is the user's own is left alone
  const toTake = cases.flatMap(({ isPlain, env }, place) =>
    isPlain && env['AWS_PROFILE'] === undefined && expected[place] !== untouched(place) ? [place] : [],
  );
  const share = toTake.filter((place) => isTaken[place]).length / toTake.length;
  const count = isTaken.filter(Boolean).length;
  const odd = cases.filter(({ isPlain }, place) => !isPlain && isTaken[place] === true).length;
  process.stdout.write(
    `${shell}: ${cases.length} cases, seed ${seed}; ${count} taken up, ${odd} of them from odd files; ${(share * 100).toFixed(1)} % of ${toTake.length} plain ones\n`,
  );
  expect(differences.slice(0, 3)).toEqual([]);
  expect(count).toBeGreaterThan(cases.length / 5);
  expect(odd).toBeGreaterThan(cases.length / 50);
  expect(share).toBeGreaterThan(0.95);
});
