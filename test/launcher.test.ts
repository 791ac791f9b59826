import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  type Answer,
  type Awk,
  askCore,
  askLauncher,
  awks,
  isInstalled,
  makePath,
  posixCommands,
  writeCases,
} from './support/launcher.ts';
import { type CaseKind, caseKinds, disagreementCases, generateCases } from './support/launcher-cases.ts';
import { isLinux } from './support/linux.ts';
import { seed } from './support/seed.ts';
import { atSize } from './support/size.ts';

vi.setConfig({ testTimeout: atSize(180_000, 1_800_000), hookTimeout: atSize(180_000, 1_800_000) });

const folder = fs.realpathSync(fs.mkdtempSync(join(os.tmpdir(), 'aws-iam-login-launcher-')));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

const cases = [...disagreementCases, ...generateCases(atSize(2000, 20_000), seed)];
const all = cases.map((_, place) => place);
const tenth = all.filter((place) => place % 10 === 0);
let core: readonly (Answer | undefined)[] = [];

beforeAll(() => {
  writeCases(folder, cases);
  core = all.map((place) => askCore(folder, cases, place));
});

test('every kind of awk and of shell is on this machine', () => {
  expect([...awks, ...posixCommands].filter((command) => !isInstalled(command))).toEqual([]);
});

const runs: ReadonlyArray<[shell: string, awk: Awk, places: readonly number[]]> = [
  ['dash', 'gawk', all],
  ['dash', 'mawk', all],
  ['dash', 'original-awk', tenth],
  ['dash', 'busybox awk', tenth],
  // with mawk, which starts in a third of the time of gawk
  ...posixCommands.slice(1).map((shell): [string, Awk, readonly number[]] => [shell, 'mawk', tenth]),
];

test.each(runs)('launcher and core answer alike byte by byte: %s with %s', async (shell, awk, places) => {
  const path = makePath(join(folder, `${shell}-${awk}`.replaceAll(' ', '_')), awk, cases[0]?.now);
  const answers = await askLauncher(folder, cases, places, shell, path);
  const differences = places.flatMap((place, index) => {
    const answer = answers[index];
    return answer === 'handed over' || isSame(answer, core[place])
      ? []
      : [{ ...cases[place], launcher: answer, core: core[place], seed }];
  });
  const answerable = places.flatMap((place, index) =>
    cases[place]?.isPlain === true && core[place] !== undefined && canAnswer(cases[place].kind, shell, awk)
      ? [{ place, answer: answers[index] }]
      : [],
  );
  const handedOver = answerable.filter(({ answer }) => answer === 'handed over');
  const odd = places.filter(
    (place, index) => cases[place]?.isPlain === false && answers[index] !== 'handed over',
  );
  const shares = caseKinds.map((kind) => {
    const [of = 0, over = 0] = [answerable, handedOver].map(
      (list) => list.filter(({ place }) => cases[place]?.kind === kind).length,
    );
    return { kind, of, answered: of - over };
  });
  process.stdout.write(
    `${shell} with ${awk}: ${places.length} cases, seed ${seed}; the launcher answered for plain files ${shares.map(({ kind, of, answered }) => `${answered} of ${of} ${kind}`).join(', ')}; for odd ones ${odd.length}\n`,
  );
  expect(differences.slice(0, 3)).toEqual([]);
  expect(answerable.length).toBeGreaterThan(places.length / 10);
  const isAsked = ({ kind }: { readonly kind: CaseKind }): boolean => canAnswer(kind, shell, awk);
  expect(shares.filter((share) => share.of === 0 && places === all && isAsked(share))).toEqual([]);
  expect(handedOver.slice(0, 3).map(({ place }) => ({ ...cases[place], seed }))).toEqual([]);
});

// Without /proc nobody can be sure, mksh would run a builtin, and some kinds of awk cannot tell a program from a script.
const canAnswer = (kind: CaseKind, shell: string, awk: Awk): boolean =>
  !kind.endsWith(' exec') || (isLinux && shell !== 'mksh' && ['gawk', 'mawk'].includes(awk));

const isSame = (one: Answer | undefined, other: Answer | undefined): boolean =>
  typeof one === 'object' &&
  typeof other === 'object' &&
  one.stdout === other.stdout &&
  one.code === other.code;
