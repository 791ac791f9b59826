import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { findAllProfiles } from '../src/profiles/all-profiles.ts';
import { profileNames, readProfile } from '../src/ini/read.ts';
import { readSettings } from '../src/ini/settings.ts';
import { allProfileNames, findProfile } from '../src/profiles/profile.ts';
import type { SharedFiles } from '../src/profiles/profile.ts';
import { anyFile } from './ini-files.ts';
import { seed } from './support/seed.ts';
import { atSize } from './support/size.ts';

// a busy machine is no failure
vi.setConfig({ testTimeout: atSize(300_000, 1_800_000) });

const RUNS = atSize(1500, 30_000);

const shared = (credentials: Buffer | undefined, config: Buffer | undefined): SharedFiles => ({
  files: { credentials: '/credentials', config: '/config', state: '/state' },
  credentialsBytes: credentials,
  configBytes: config,
});

/** The profiles found one by one. */
const oneByOne = (files: SharedFiles): [string, Record<string, string> | undefined][] =>
  allProfileNames(files).map((name) => {
    const profile = findProfile(name, files);
    return [name, profile && Object.fromEntries(profile.settings)];
  });

const inOnePass = (files: SharedFiles): [string, Record<string, string>][] =>
  [...findAllProfiles(files)].map(([name, { settings }]) => [name, Object.fromEntries(settings)]);

// As tools write it, with what people do to it here and there.
const anyPlainFile = fc
  .array(
    fc.record({
      header: fc.constantFrom(
        '[foo]',
        '[profile foo]',
        '[default]',
        '[profile default]',
        '[a@b+c]',
        '[foo-sts]',
        '[profile bar]',
        '[ foo ]',
        '[foo] # c',
        '[DEFAULT]',
        '[profile.foo]',
        '[profile "foo"]',
        '[constructor]',
        '[services x]',
        '[bar]\t',
      ),
      lines: fc.array(
        fc.constantFrom(
          'region = x',
          'region=y',
          'output   =\tjson',
          '# é',
          '; c',
          '',
          '  ',
          'mfa_serial = a b  c',
          'region = "q"',
          "output = 'q'",
          'region = x # c',
          's3 =\n  max = 1',
          '  output = z',
          'Region = z',
          'output: j',
          'x = #y',
          'y = a#b;c\r',
          'z = \u00a0n',
          'v = \u2028x',
          'w = 1\r  w2 = 3',
        ),
        { maxLength: 4 },
      ),
    }),
    { maxLength: 6 },
  )
  .chain((sections) =>
    fc
      .constantFrom('\n', '\n', '\n', '\r\n', '\r')
      .map((end) => Buffer.from(sections.map(({ header, lines }) => [header, ...lines].join(end)).join(end))),
  );

const anyBytes = fc.oneof(
  anyFile().map(({ bytes }) => bytes),
  anyPlainFile,
  fc.constant(undefined),
);

test('every profile of both files is found in one pass as it is found by its name', () => {
  let found = 0;
  fc.assert(
    fc.property(anyBytes, anyBytes, (credentials, config) => {
      const files = shared(credentials, config);
      const profiles = inOnePass(files);
      found += profiles.length;
      expect(profiles).toEqual(oneByOne(files));
    }),
    { numRuns: RUNS, seed },
  );
  expect(found).toBeGreaterThan(RUNS);
});

test('the settings of a profile that is written plainly are those that the parsers find', () => {
  let found = 0;
  fc.assert(
    fc.property(anyBytes, fc.constantFrom('credentials', 'config'), (bytes, kind) => {
      const names = bytes === undefined ? [] : profileNames(bytes, kind);
      for (const name of [...names, 'foo', 'foo ', 'default', 'missing', 'constructor', 'DEFAULT']) {
        const settings = bytes && readSettings(bytes, kind, name);
        expect(settings).toEqual(bytes && readProfile(bytes, kind, name)?.settings);
        if (settings !== undefined) found += 1;
      }
    }),
    { numRuns: RUNS, seed },
  );
  expect(found).toBeGreaterThan(RUNS);
});

const headerOf = (name: string, index: number): string => `[${name}]${index % 3 === 0 ? ' # c' : ''}`;

test.each([10, 1000, 10_000])('%i profiles are found in one pass, odd ones among them', (count) => {
  const names = Array.from({ length: count }, (_, index) => `p${index}`);
  const credentials = names.map((name, index) => `${headerOf(name, index)}\nk = ${index}\n`).join('\n');
  const config = names.map((name) => `[profile ${name}]\nregion = of-${name}\ns3 =\n  max = 1\n`).join('\n');
  const all = findAllProfiles(shared(Buffer.from(credentials), Buffer.from(config)));
  expect([...all.keys()]).toEqual(names);
  expect(all.get(`p${count - 1}`)?.settings).toEqual(
    new Map([
      ['region', `of-p${count - 1}`],
      ['k', String(count - 1)],
    ]),
  );
});
