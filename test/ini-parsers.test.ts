import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { findProblems, profileNames, readProfile } from '../src/ini/read.ts';
import { anyFile } from './ini-files.ts';
import { seed } from './support/seed.ts';
import { atSize } from './support/size.ts';
import { findPythons, readWithBoto, readWithJs } from './other-parsers.ts';
import type { Profiles, SharedFile } from './other-parsers.ts';

/** Each way of writing that AWS's parsers are known to read, or not to read, in a way of their own. */
const rows: readonly string[] = [
  '[acme.prod]\nk = v\n',
  '[acme]\nprod = x\n[acme.prod]\nk = v\n',
  '[my prod]\nk = v\n',
  '[my\tprod]\nk = v\n',
  '[my big prod]\nk = v\n',
  '[ foo ]\nk = v\n',
  '["foo"]\nk = v\n',
  '[profile foo]\nk = v\n',
  '[foo] # c\nk = v\n',
  '[foo]#c\nk = v\n',
  '[foo] junk\nk = v\n',
  '  [foo]\nk = v\n',
  '[foo#1]\nk = v\n[foo;1]\nk = v\n',
  '[fo]o]\nk = v\n',
  '[a\\.b]\nk = v\n',
  '[foo]\na = 1\n[foo]\na = 2\nb = 3\n',
  '[foo]\na = 1\na = 2\n',
  '[DEFAULT]\na = 1\n[foo]\nb = 2\n',
  '[__proto__]\na = 1\n[foo]\nb = 2\n',
  '[constructor]\na = 1\n[foo]\nb = 2\n',
  '[]\n[foo]\nb = 2\n',
  'text\n[foo]\nb = 2\n',
  '[foo]\nkey\nb = 2\n',
  '[foo]\n=\nb = 2\n',
  '[foo]\nAWS_Access_Key_ID = v\n',
  '[foo]\nkey: v\n',
  '[foo]\nk[] = 1\nk[] = 2\n',
  '[foo]\naws_session_token =\nb = 2\n',
  '[foo]\na = b==c=\n',
  '[foo]\na = ab#cd\nb = ab;cd\n',
  '[foo]\na = ab # cd\nb = ab ; cd\n',
  '[foo]\na=#cd\n',
  '[foo]\na = #cd\n',
  `[foo]\na = "x y"\nb = 'x'\n`,
  '[foo]\na = true\nb = null\nc = false\n',
  '[foo]\na = C:\\new\\;x\n',
  '[foo]\n  a = 1\n  b = 2\n',
  '[foo]\na = 1\n  b = 2\n',
  '[foo]\ns3 =\n  max = 1\n  addressing_style = path\nb = 2\n',
  '\uFEFF[foo]\na = 1\n[bar]\na = 2\n',
  '[foo]\r\na = 1\r\n',
  '[foo]\ra = 1\r',
  '[foo]\na = \u00a0v\u00a0\n',
  '[profile "a b"]\nk = v\n',
  "[profile 'a b']\nk = v\n",
  '[profile   foo]\nk = v\n',
  '[profile\tfoo]\nk = v\n',
  '[profile a b]\nk = v\n',
  "[profile a'b]\nk = v\n",
  '[ profile foo ]\nk = v\n',
  '[plain]\nk = v\n',
  '[default]\na = 1\n[profile default]\nb = 2\n',
  '[profile default]\nb = 2\n[default]\na = 1\n',
  '[profile föö]\nk = v\n',
  '[profile a=b]\nk = v\n',
  '[sso-session x]\nk = v\n[services x]\nsts =\n  endpoint_url = http://h/\n[profile foo]\nk = v\n',
  '[foo]\nk = v',
  '',
];

const files: readonly SharedFile[] = [
  ...rows.flatMap((text): SharedFile[] => [
    { kind: 'credentials', bytes: Buffer.from(text) },
    { kind: 'config', bytes: Buffer.from(text) },
  ]),
  ...fc.sample(anyFile(), { numRuns: atSize(400, 1000), seed }),
];

const sdk = await readWithJs(files);

/** What each botocore of this machine reads. */
const botos = await Promise.all((await findPythons()).map((python) => readWithBoto(python, files)));

test(
  'findProblems names a problem in every file that botocore rejects, and in no other one',
  { timeout: 120_000 },
  async () => {
    for (const answers of botos) {
      const wrong = files.filter(
        ({ bytes }, index) => (answers[index]?.rejected !== undefined) !== findProblems(bytes).length > 0,
      );
      expect(wrong.map(described)).toEqual([]);
      expect(answers.filter(({ rejected }) => rejected === undefined).length).toBeGreaterThan(
        atSize(200, 500),
      );
      expect(answers.filter(({ rejected }) => rejected !== undefined).length).toBeGreaterThan(
        atSize(40, 100),
      );
    }
  },
);

test(
  'each value is the one that botocore and the JavaScript SDK read, or that of one of them where they differ',
  { timeout: 120_000 },
  async () => {
    for (const boto of botos) {
      const wrong = files.flatMap((file, index) => {
        const answer = boto[index];
        const views = {
          boto: answer?.rejected === undefined ? answer?.profiles : undefined,
          js: sdk[index] ?? new Map(),
        };
        return [...namesOf(views)].flatMap((name) => differences(file, name, views));
      });
      expect(wrong).toEqual([]);
    }
  },
);

test('every profile that botocore or the JavaScript SDK finds is listed', { timeout: 120_000 }, async () => {
  for (const boto of botos) {
    const missing = files.flatMap(({ kind, bytes }, index) => {
      const listed = new Set(profileNames(bytes, kind));
      const names = namesOf({ boto: boto[index]?.profiles, js: sdk[index] ?? new Map() });
      return [...names].filter((name) => name !== 'DEFAULT' && !listed.has(name));
    });
    expect(missing).toEqual([]);
  }
});

/** What the others read; botocore reads nothing of a file that it rejects. */
type Views = { readonly boto: Profiles | undefined; readonly js: Profiles };

/** `profile.x` and its like in a credentials file are this SDK's names for `[profile x]`: no profiles. */
const namesOf = ({ boto, js }: Views): Set<string> =>
  new Set([
    ...(boto?.keys() ?? []),
    ...[...js.keys()].filter((name) => !/^(profile|sso-session|services)\./.test(name)),
  ]);

/**
 * Why a value may be another than botocore's and the JavaScript SDK's, all of them for want of a usable one:
 * - quotes: the others keep them and fail, the Go SDK takes them off;
 * - further lines: botocore joins them where that SDK does not find the key at all, and the Go SDK drops them;
 * - a file that one of them rejects as a whole: what it would have read without the flaw;
 * - [default] beside [profile default]: we read the one that the JavaScript SDK reads, for botocore's part too;
 * - `key: a=b`: that SDK reads a key named `key: a`, we do as botocore does;
 * - a lone CR: only botocore ends lines there, so the other one's sections are mixed up.
 */
const differences = (file: SharedFile, profile: string, views: Views): string[] => {
  const ours = flatKeys(file, profile);
  const boto = lowerCase(views.boto?.get(profile));
  const js = lowerCase(views.js.get(profile));
  const mixedUp = /\r(?!\n)/.test(file.bytes.toString('latin1'));
  const bothDefaults =
    file.kind === 'config' &&
    profile === 'default' &&
    /\[profile\s+["']?default/.test(file.bytes.toString('latin1'));
  const jsThrew = views.js.size === 0 && file.bytes.includes('__proto__]');
  return [...new Set([...ours.keys(), ...boto.keys(), ...js.keys()])].flatMap((key) => {
    const own = ours.get(key);
    const theirs = [...(views.boto === undefined ? [] : [boto.get(key)]), js.get(key)];
    const allowed = theirs.flatMap((value) => [value, unquoted(value), unquoted(value?.split('\n')[0])]);
    const rejected = views.boto === undefined && (js.get(key) === undefined || mixedUp);
    const colon = own === undefined && key.includes(':');
    if (allowed.includes(own) || rejected || colon || jsThrew || bothDefaults) return [];
    return [`${profile} ${key}: ${JSON.stringify({ own, theirs })} in ${described(file)}`];
  });
};

const flatKeys = ({ kind, bytes }: SharedFile, profile: string): Map<string, string> => {
  const section = readProfile(bytes, kind, profile);
  const nested = [...(section?.nested ?? [])].flatMap(([outer, keys]) =>
    [...keys].map(([key, value]) => [`${outer}.${key}`, value] as const),
  );
  return new Map([...(section?.settings ?? []), ...nested]);
};

/** Where a key is spelled in several ways, the JavaScript SDK finds the lower-case one. */
const lowerCase = (keys: ReadonlyMap<string, string> = new Map()): Map<string, string> => {
  const capitalsFirst = [...keys].sort(([a], [b]) => Number(isLower(a)) - Number(isLower(b)));
  return new Map(capitalsFirst.map(([key, value]) => [key.toLowerCase(), value]));
};

const isLower = (key: string): boolean => /^[^A-Z]*$/.test(key.slice(key.lastIndexOf('.') + 1));

const unquoted = (value: string | undefined): string | undefined =>
  value?.replace(/^"([^"]*)"$|^'([^']*)'$/, '$1$2');

const described = ({ kind, bytes }: SharedFile): string =>
  `${kind} ${JSON.stringify(bytes.toString('latin1'))}`;
