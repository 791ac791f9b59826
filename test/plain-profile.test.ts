import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readProfile } from '../src/ini/read.ts';
import type { FileKind } from '../src/ini/section-name.ts';
import { odd, readPlainProfile } from '../src/profiles/plain-profile.ts';
import { anyFile } from './ini-files.ts';
import { atSize } from './support/size.ts';

const seed = Number(process.env['FC_SEED'] ?? Date.now() % 2 ** 31);
process.stdout.write(`fast-check seed ${seed} (FC_SEED=${seed} repeats this run)\n`);

const kinds: readonly FileKind[] = ['credentials', 'config'];
const names = ['default', 'foo', 'foo-sts', 'acme.prod', 'bar', 'a@b+c', 'profile'];

const read = (text: string, kind: FileKind = 'credentials', name = 'foo') =>
  readPlainProfile(text, kind, name);

// Mostly plain lines, with one that is not here and there.
const anyLines = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom('[foo]', '[profile foo]', '[bar]', '[foo-sts]', '[default]', '# [foo]'),
      },
      {
        weight: 8,
        arbitrary: fc.constantFrom('region = x', 'a=b', 'output = json', 'mfa_serial = arn:x/foo', '', '; c'),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          '  region = y',
          ' [foo]',
          '[foo] # c',
          '[bar]#c',
          '[bar] = x',
          '[]',
          '[profile.foo]',
          '[profile  foo]',
          'foo',
          'Region = z',
          'region = "z"',
          'region = z # c',
          's3 =',
          'region: z',
          '["foo"]',
          '[ foo ]',
          '[foo',
          '[profile "foo"]',
        ),
      },
    ),
    { maxLength: 9 },
  )
  .map((lines) => ({ bytes: Buffer.from(lines.join('\n')) }));

test('what is read plainly is what the full reader reads, in generated files', () => {
  let plain = 0;
  fc.assert(
    fc.property(
      fc.oneof(anyFile(), anyLines),
      fc.constantFrom(...kinds),
      fc.constantFrom(...names),
      ({ bytes }, kind, name) => {
        const keys = readPlainProfile(bytes.toString(), kind, name);
        if (keys === odd) return;
        if (keys !== undefined) plain += 1;
        expect(keys && Object.fromEntries(keys)).toEqual(keysOf(bytes, kind, name));
      },
    ),
    { numRuns: atSize(5000, 20_000), seed },
  );
  expect(plain).toBeGreaterThan(atSize(75, 300));
});

// A section without keys is no profile for some parsers; plainly it has none either way.
const keysOf = (bytes: Buffer, kind: FileKind, name: string): Record<string, string> | undefined => {
  const section = readProfile(bytes, kind, name);
  return section && Object.fromEntries(section.settings);
};

test('a plainly written profile is read, in both kinds of files', () => {
  const text =
    '# mine\n[foo]\nregion = eu-west-1\nexpiration=2026-01-01 00:00:00+00:00\n\n[bar]\nregion = x\n';
  expect([...(toMap(read(text)) ?? [])]).toEqual([
    ['region', 'eu-west-1'],
    ['expiration', '2026-01-01 00:00:00+00:00'],
  ]);
  expect(toMap(read('[profile foo]\nregion = eu-west-1\n', 'config'))?.get('region')).toBe('eu-west-1');
  expect(toMap(read('[default]\nregion = eu-west-1', 'config', 'default'))?.get('region')).toBe('eu-west-1');
});

const toMap = (keys: ReturnType<typeof read>): ReadonlyMap<string, string> | undefined =>
  keys === odd ? undefined : keys;

test('a profile that the file does not name is not there', () => {
  expect(read('[foo-sts]\nregion = x\n[profile]\n')).toBeUndefined();
  expect(read('')).toBeUndefined();
});

test.for([
  ['CRLF', '[foo]\r\nregion = x\r\n'],
  ['a byte order mark', '\u{FEFF}[foo]\nregion = x\n'],
  ['an indented header', ' [foo]\nregion = x\n'],
  ['a comment after the header', '[foo] # mine\nregion = x\n'],
  ['two sections', '[foo]\nregion = x\n[foo]\nregion = y\n'],
  ['an indented key', '[foo]\n  region = x\n'],
  ['a key twice', '[foo]\nregion = x\nregion = y\n'],
  ['a key in capitals', '[foo]\nRegion = x\n'],
  ['a comment after the value', '[foo]\nregion = x # y\n'],
  ['quotes', '[foo]\nregion = "x"\n'],
  ['a colon', '[foo]\nregion: x\n'],
  ['an empty value', '[foo]\ns3 =\n'],
  ['an odd header behind it', '[foo]\nregion = x\n[bar] junk\nregion = y\n'],
  ['keys for all', '[DEFAULT]\nregion = y\n[foo]\nregion = x\n'],
])('%s is left to the full reader', ([, text = '']) => {
  expect(read(text)).toBe(odd);
});
