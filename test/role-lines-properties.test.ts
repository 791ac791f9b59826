import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { isUserError } from '../src/errors.ts';
import { findProfile } from '../src/profiles/profile.ts';
import type { SharedFiles } from '../src/profiles/profile.ts';
import { bringRolesBack, pointRoles } from '../src/profiles/role-lines.ts';
import type { RoleEdit } from '../src/profiles/role-lines.ts';
import { anyFile } from './ini-files.ts';
import { findPythons, readWithBoto, readWithJs } from './other-parsers.ts';
import type { Profiles } from './other-parsers.ts';
import { seed } from './support/seed.ts';
import { atSize } from './support/size.ts';

// a busy machine is no failure
vi.setConfig({ testTimeout: atSize(300_000, 1_800_000) });

const RUNS = atSize(1000, 20_000);

const files = { credentials: '/credentials', config: '/config', state: '/state' };

const credentialsBytes = Buffer.from(
  '[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = x\n[shadowed]\nmfa_serial = GAHT12345678\n',
);

const sharedOf = (configBytes: Buffer): SharedFiles => ({ files, credentialsBytes, configBytes });

// As tools and people write roles, and a few accidents.
const roleLine = fc.constantFrom(
  'mfa_serial = arn:aws:iam::123456789012:mfa/jane',
  'source_profile = default',
  'source_profile = default',
  'source_profile=default',
  'source_profile = default',
  'source_profile = default-sts',
  'source_profile\t=\tdefault  ',
  'source_profile: default',
  'Source_Profile = default',
  'source_profile = default # mine',
  'source_profile = default-live',
  'source_profile = other',
  'mfa_serial = arn:aws:iam::123456789012:mfa/jane',
  'mfa_serial=GAHT12345678',
  'mfa_serial = arn:aws:iam::123456789012:mfa/jane',
  'MFA_serial : GAHT12345678',
  '  mfa_serial = GAHT12345678',
  'duration_seconds = 43200',
  'duration_seconds=7200 ; long',
  'duration_seconds = 900',
  'region = eu-west-1',
  '  region = eu-west-1',
  'external_id = a=b==',
  's3 =',
  '  max_queue_size = 5',
  '# source_profile = default',
  '; ü',
  '# \u00ff',
  '',
  '   ',
);

const keyOf = (line: string): string => /^\s*(\w+)\s*[=:]/.exec(line)?.[1]?.toLowerCase() ?? '';

const role = (header: string) =>
  fc
    .record({
      tail: fc.constantFrom('', '', '', ' # c'),
      first: fc.constantFrom('role_arn = arn:aws:iam::444455556666:role/x', 'role_arn=x', 'region_of = x'),
      indent: fc.constantFrom('', '', '', '  ', '\t'),
      lines: fc.uniqueArray(roleLine, { maxLength: 9, selector: (line) => keyOf(line) || line }),
      again: fc.oneof(
        { weight: 20, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.tuple(roleLine) },
      ),
    })
    .map(({ tail, first, indent, lines, again }) => [
      header + tail,
      ...[first, ...lines, ...again].map((line) => indent + line),
    ]);

const headers = [
  '[profile a]',
  '[profile b]',
  '[profile c.d@e]',
  '[profile "f g"]',
  '[profile "a"]',
  '  [profile h]',
  '[profile shadowed]',
  '[profile default-live]',
  '[default]',
  '[DEFAULT]',
  '[other]',
];

const rolesFile = fc
  .record({
    roles: fc
      .uniqueArray(fc.constantFrom(...headers.slice(0, 4), ...headers), { minLength: 1, maxLength: 5 })
      .chain((names) => fc.tuple(...names.map(role))),
    more: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: anyFile() }),
    newline: fc.oneof(
      { weight: 9, arbitrary: fc.constantFrom('\n', '\n', '\r\n') },
      { weight: 1, arbitrary: fc.constant('\r') },
    ),
    lastNewline: fc.boolean(),
    badByte: fc.constantFrom('', '', '', '# \xff\xfe'),
  })
  .map(({ roles, more, newline, lastNewline, badByte }) => {
    const text = [badByte, ...roles.flat()]
      .filter((line, index) => index > 0 || line !== '')
      .map((line) => (line === badByte ? line : Buffer.from(line).toString('latin1')))
      .join(newline);
    const rest = more === undefined || more.kind === 'credentials' ? '' : more.bytes.toString('latin1');
    return Buffer.from(text + (lastNewline || rest !== '' ? newline : '') + rest, 'latin1');
  });

/** What the edit makes of the file, undefined where it refuses with a sentence. Any other error is thrown. */
const tried = (work: () => RoleEdit): RoleEdit | undefined => {
  try {
    return work();
  } catch (error) {
    if (isUserError(error)) return undefined;
    throw error;
  }
};

const user = () => {
  const found = findProfile('default', sharedOf(Buffer.alloc(0)));
  if (found === undefined) throw new Error('there is no profile default');
  return found;
};

test('roles that are pointed at the session and brought back leave the same bytes', () => {
  let done = 0;
  let refused = 0;
  fc.assert(
    fc.property(rolesFile, (bytes) => {
      const there = tried(() => pointRoles(user(), sharedOf(bytes)));
      if (there === undefined) {
        refused += 1;
        return;
      }
      done += there.changes.length > 0 ? 1 : 0;
      const again = pointRoles(user(), sharedOf(there.bytes));
      expect(again.changes).toEqual([]);
      const back = bringRolesBack(user(), sharedOf(there.bytes));
      expect(back.left.size).toBe(0);
      expect(back.bytes.toString('latin1')).toBe(bytes.toString('latin1'));
    }),
    { numRuns: RUNS, seed },
  );
  process.stdout.write(`${done} of ${RUNS} files were edited, ${refused} refused\n`);
  // Otherwise the property would say nothing.
  expect(done).toBeGreaterThan(RUNS / 10);
});

const keys = ['source_profile', 'mfa_serial', 'duration_seconds'];

/** Everything but what the edit is about. */
const without = (profiles: Profiles | undefined): unknown =>
  [...(profiles ?? [])].map(([name, settings]) => [
    name,
    [...settings].filter(([key]) => !keys.includes(key.toLowerCase())),
  ]);

/** Whether the roles use the session and ask nobody, and all else is as before. */
const isPointed = ({ changes }: RoleEdit, was: Profiles | undefined, is: Profiles | undefined): boolean =>
  isDeepStrictEqual(without(was), without(is)) &&
  changes.every(({ profile }) => {
    const settings = is?.get(profile);
    const source = settings?.get('source_profile');
    return (
      settings?.has('mfa_serial') !== true &&
      (source?.startsWith('default-') ?? was?.get(profile)?.has('source_profile') !== true) &&
      !/^(43200|7200)/.test(settings?.get('duration_seconds') ?? '')
    );
  });

test('boto and the JavaScript SDK read every edited file: the session as source, no question, and all else as before', async () => {
  const edits = fc.sample(rolesFile, { numRuns: atSize(500, 5000), seed }).flatMap((before) => {
    const edit = tried(() => pointRoles(user(), sharedOf(before)));
    return edit !== undefined && edit.changes.length > 0 ? [{ before, edit }] : [];
  });
  const both = edits.flatMap(({ before, edit }) =>
    [before, edit.bytes].map((bytes) => ({ kind: 'config' as const, bytes })),
  );
  const answers = await Promise.all((await findPythons()).map((python) => readWithBoto(python, both)));
  const js = await readWithJs(both);
  const wrong = edits.flatMap(({ before, edit }, index) => {
    const [wasJs, isJs] = js.slice(2 * index, 2 * index + 2);
    const isRight =
      answers.every((answer) => {
        const [was, is] = answer.slice(2 * index, 2 * index + 2);
        // bytes that are not UTF-8
        if (was?.rejected !== undefined) return true;
        return is?.rejected === undefined && isPointed(edit, was?.profiles, is?.profiles);
      }) && isPointed(edit, wasJs, isJs);
    return isRight ? [] : [[before.toString('latin1'), edit.bytes.toString('latin1')]];
  });
  expect(wrong).toEqual([]);
  expect(edits.length).toBeGreaterThan(50);
});
