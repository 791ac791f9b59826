import { expect, test } from 'vitest';
import { findProblems, profileNames, readProfile, readSection } from '../src/ini/read.ts';
import { removeProfile, setSettings } from '../src/ini/edit.ts';
import type { FileKind } from '../src/ini/section-name.ts';

const read = (
  text: string,
  profile = 'foo',
  kind: FileKind = 'credentials',
): Record<string, string> | undefined => {
  const section = readProfile(Buffer.from(text), kind, profile);
  return section && Object.fromEntries(section.settings);
};

const warnings = (
  text: string,
  profile = 'foo',
  kind: FileKind = 'credentials',
): readonly string[] | undefined => readProfile(Buffer.from(text), kind, profile)?.warnings;

test.each([
  ['a dot in a name', '[acme.prod]\na = 1\n', 'acme.prod', { a: '1' }],
  ['a blank in a name', '[my prod]\na = 1\n', 'my prod', { a: '1' }],
  ['blanks inside the brackets', '[ foo ]\na = 1\n', 'foo', { a: '1' }],
  ['a comment after the header', '[foo] # why\na = 1\n', 'foo', { a: '1' }],
  ['anything after the header', '[foo] junk\na = 1\n', 'foo', { a: '1' }],
  ['an indented header', '  [foo]\na = 1\n', 'foo', { a: '1' }],
  ['a bracket in a name', '[fo]o]\na = 1\n', 'fo]o', { a: '1' }],
  ['a section twice', '[foo]\na = 1\nb = 1\n[foo]\na = 2\n', 'foo', { a: '2', b: '1' }],
  ['a key twice', '[foo]\na = 1\na = 2\n', 'foo', { a: '2' }],
  ['keys of [DEFAULT]', '[DEFAULT]\na = 1\nb = 1\n[foo]\nb = 2\n', 'foo', { a: '1', b: '2' }],
  ['capitals', '[foo]\nAWS_Access_Key_ID = x\n', 'foo', { aws_access_key_id: 'x' }],
  ['a colon', '[foo]\na: 1\n', 'foo', { a: '1' }],
  ['an empty value', '[foo]\na =\n', 'foo', { a: '' }],
  ['equals signs in a value', '[foo]\na=b==c=\n', 'foo', { a: 'b==c=' }],
  ['comment marks inside a value', '[foo]\na=ab#cd\nb=ab;cd\n', 'foo', { a: 'ab#cd', b: 'ab;cd' }],
  ['a comment after a value', '[foo]\na=ab # cd\nb=ab ; cd\n', 'foo', { a: 'ab', b: 'ab' }],
  ['quotes', `[foo]\na="x y"\nb='x'\n`, 'foo', { a: 'x y', b: 'x' }],
  ['quotes of a command', `[foo]\nmfa_process = "a b" "c"\n`, 'foo', { mfa_process: '"a b" "c"' }],
  ['one quote', `[foo]\na="x\n`, 'foo', { a: '"x' }],
  ['backslashes', '[foo]\na=C:\\new\\;x\n', 'foo', { a: 'C:\\new\\;x' }],
  ['indented keys', '[foo]\n  a = 1\n  b = 2\n', 'foo', { a: '1', b: '2' }],
  ['a key that is indented more', '[foo]\na = 1\n  b = 2\n', 'foo', { a: '1', b: '2' }],
  ['a byte order mark', '\uFEFF[foo]\na = 1\n', 'foo', { a: '1' }],
  ['CRLF', '[foo]\r\na = 1\r\n', 'foo', { a: '1' }],
  ['a lone CR', '[foo]\ra = 1\r', 'foo', { a: '1' }],
  ['blanks of every kind around a value', '[foo]\na =\u00a0\t1\u2003\n', 'foo', { a: '1' }],
  ['letters with a last byte that is a blank in Latin-1', '[foo]\na = à\n', 'foo', { a: 'à' }],
  ['no last newline', '[foo]\na = 1', 'foo', { a: '1' }],
  ['a name in Cyrillic', '[имя]\na = 1\n', 'имя', { a: '1' }],
  ['a section without keys', '[foo]\n', 'foo', {}],
  ['another section', '[foo-sts]\na = 1\n', 'foo', undefined],
  ['a commented header', '#[foo]\na = 1\n', 'foo', undefined],
])('the credentials file: %s', (_, text, profile, keys) => {
  expect(read(text, profile)).toEqual(keys);
});

test.each([
  ['[profile x]', '[profile foo]\na = 1\n', 'foo', { a: '1' }],
  ['several blanks and a tab', '[profile \t foo]\na = 1\n', 'foo', { a: '1' }],
  ['double quotes', '[profile "my foo"]\na = 1\n', 'my foo', { a: '1' }],
  ['single quotes', "[profile 'my foo']\na = 1\n", 'my foo', { a: '1' }],
  ['two words', '[profile my foo]\na = 1\n', 'my foo', undefined],
  ['an open quote', "[profile fo'o]\na = 1\n", "fo'o", undefined],
  ['no prefix', '[foo]\na = 1\n', 'foo', undefined],
  ['[default]', '[default]\na = 1\n', 'default', { a: '1' }],
  ['[profile default]', '[profile default]\na = 1\n', 'default', { a: '1' }],
  [
    '[profile default] after [default]',
    '[default]\na = 1\nb = 1\n[profile default]\na = 2\n',
    'default',
    { a: '2' },
  ],
  [
    '[profile default] before [default]',
    '[profile default]\na = 2\n[default]\na = 1\n',
    'default',
    { a: '2' },
  ],
])('the config file: %s', (_, text, profile, keys) => {
  expect(read(text, profile, 'config')).toEqual(keys);
});

test('an indented block is nested, and the next key is none of it', () => {
  const section = readProfile(
    Buffer.from('[foo]\ns3 =\n  max = 1\n  # why\n  x = y # z\nb = 2\n'),
    'credentials',
    'foo',
  );
  expect(section?.nested).toEqual(
    new Map([
      [
        's3',
        new Map([
          ['max', '1'],
          ['x', 'y'],
        ]),
      ],
    ]),
  );
  expect(section?.settings).toEqual(new Map([['b', '2']]));
});

test('a services section is found whatever the blanks in its header', () => {
  const bytes = Buffer.from('[services   local]\nsts =\n  endpoint_url = http://127.0.0.1:1/\n');
  expect(readSection(bytes, 'services local')?.nested.get('sts')?.get('endpoint_url')).toBe(
    'http://127.0.0.1:1/',
  );
  expect(readSection(bytes, 'services other')).toBeUndefined();
});

test('lines are counted in the file, with CRLF, LF and CR alike', () => {
  for (const newline of ['\n', '\r\n', '\r']) {
    const text = ['[a]', 'k = 1', '', '[foo]', '# x', 'k = 2'].join(newline);
    const section = readProfile(Buffer.from(text), 'credentials', 'foo');
    expect([section?.line, section?.settingLines.get('k')]).toEqual([4, 6]);
  }
});

test('all profiles are listed once and in order, other sections are not', () => {
  const config =
    '[profile b]\n[default]\n[profile "a c"]\n[plain]\n[services x]\n[sso-session x]\n[profile b]\n';
  expect(profileNames(Buffer.from(config), 'config')).toEqual(['b', 'default', 'a c']);
  const credentials = '[b]\n[DEFAULT]\n[default] # x\n#[no]\n  [c]\n';
  expect(profileNames(Buffer.from(credentials), 'credentials')).toEqual(['b', 'default', 'c']);
});

test.each([
  ['[foo]\na = b # c\n', 'line 2: AWS CLI and boto3 take the comment for a part of the value of a'],
  ['[foo]\nA = b\n', 'line 2: a is in capitals, so the JavaScript SDK does not find it'],
  ['[foo]\na: b\n', 'line 2: a is followed by a colon, so the JavaScript SDK does not find it'],
  ['[foo]\na = "b"\n', 'line 2: a is in quotes, which only the Go SDK takes off, and so do we'],
  ['[foo]\n  a = b\n', 'line 2: a is indented, so the Go SDK does not find it'],
  ['[DEFAULT]\na = b\n[foo]\n', 'line 2: a comes from [DEFAULT] for AWS CLI and boto3 only'],
  ['[foo]\n[foo]\n', 'line 2: [foo] a second time, for which AWS CLI and boto3 reject the file'],
  ['[ foo ]\n', 'line 1: the blanks in the brackets hide [foo] from all but the Go SDK'],
  ['[foo]#c\na = b\n', 'line 1: the JavaScript SDK does not find [foo]'],
  ['\uFEFF[foo]\na = b\n', 'line 1: a byte order mark keeps AWS CLI and boto3 from reading the file'],
])('where the parsers disagree there is a warning: %j', (text, warning) => {
  expect(warnings(text)).toEqual([warning]);
});

test('a plain file has no warnings', () => {
  expect(warnings('[foo]\naws_access_key_id = AKIA\nregion = eu-west-1\n')).toEqual([]);
});

test('no warning and no problem quotes a value', () => {
  const text =
    '\uFEFF[foo]\na = SECRET # c\nB: SECRET\nSECRET\n  c = SECRET\na = SECRET\n=SECRET\n[foo]\ns3 =\n  SECRET\n';
  expect(JSON.stringify([warnings(text), findProblems(Buffer.from(text))])).not.toContain('SECRET');
});

test.each([
  ['x\n[foo]\n', 1, 'text before the first section'],
  ['[foo]\na = 1\n[foo]\n', 3, 'the section [foo] a second time'],
  ['[foo]\na = 1\nA = 2\n', 3, 'the key a a second time in [foo]'],
  ['[foo]\njunk\n', 2, 'neither a section nor a key with a value'],
  ['[foo]\n[]\n', 2, 'neither a section nor a key with a value'],
  ['[foo]\n= 1\n', 2, 'a value without a key'],
  ['[foo]\ns3 =\n  x\n', 3, 'a line without = in an indented block'],
  ['\uFEFF[foo]\n', 1, 'a byte order mark before the first section'],
])('botocore rejects %j', (text, line, message) => {
  expect(findProblems(Buffer.from(text))[0]).toEqual({ kind: 'syntax', line, message });
});

test('bytes that are not UTF-8 are a problem of another kind', () => {
  expect(findProblems(Buffer.from('[foo]\n# caf\xe9\n', 'latin1'))).toEqual([
    { kind: 'encoding', line: 2, message: 'bytes that are not UTF-8' },
  ]);
});

const edit = (
  text: string,
  changes: Record<string, string | undefined>,
  profile = 'foo',
  kind: FileKind = 'credentials',
): string => setSettings(Buffer.from(text, 'latin1'), kind, profile, changes).toString('latin1');

test.each([
  ['the value in its line', '# x\n[foo]\na=1\nb =\t2 # c\n', { a: 'x', b: 'y' }, '# x\n[foo]\na=x\nb =\ty\n'],
  ['an empty value', '[foo]\na =\nb=\n', { a: 'x', b: 'y' }, '[foo]\na = x\nb=y\n'],
  ['an indented key', '[foo]\n  a = 1\n  b = 2\n', { b: 'y' }, '[foo]\n  a = 1\n  b = y\n'],
  ['a key that the JavaScript SDK does not read', '[foo]\nA: 1\n', { a: 'x' }, '[foo]\na = x\n'],
  [
    'a value of several lines',
    '[foo]\na = 1\n  more\n  # c\n\nb = 2\n',
    { a: 'x' },
    '[foo]\na = x\n  # c\n\nb = 2\n',
  ],
  [
    'a new key',
    '[foo]\na = 1\n\n# next\n[bar]\n',
    { b: 'y', c: 'z' },
    '[foo]\na = 1\nb = y\nc = z\n\n# next\n[bar]\n',
  ],
  [
    'a new key after a block',
    '[foo]\ns3 =\n  x = 1\n\n[bar]\n',
    { b: 'y' },
    '[foo]\ns3 =\n  x = 1\nb = y\n\n[bar]\n',
  ],
  [
    'a new key before an indented header',
    '  [foo]\n  a = 1\n  [bar]\n',
    { b: 'y' },
    '  [foo]\n  a = 1\n  b = y\n  [bar]\n',
  ],
  ['a new key in an empty section', '[foo]\n\n[bar]\n', { b: 'y' }, '[foo]\nb = y\n\n[bar]\n'],
  ['a new key in CRLF', '[foo]\r\na = 1\r\n', { b: 'y' }, '[foo]\r\na = 1\r\nb = y\r\n'],
  ['a new key without a last newline', '[foo]\na = 1', { b: 'y' }, '[foo]\na = 1\nb = y'],
  ['a removed key', '[foo]\na = 1\n  more\nb = 2\n', { a: undefined }, '[foo]\nb = 2\n'],
  ['a key that was not there', '[foo]\nb = 2\n', { a: undefined }, '[foo]\nb = 2\n'],
  ['a new section', '[bar]\na = 1\n', { a: 'x' }, '[bar]\na = 1\n\n[foo]\na = x\n'],
  ['a new section without a last newline', '[bar]\na = 1', { a: 'x' }, '[bar]\na = 1\n\n[foo]\na = x\n'],
  ['a new section in CRLF', '[bar]\r\na = 1\r\n', { a: 'x' }, '[bar]\r\na = 1\r\n\r\n[foo]\r\na = x\r\n'],
  ['a new section after a blank line', '[bar]\na = 1\n\n', { a: 'x' }, '[bar]\na = 1\n\n[foo]\na = x\n'],
  ['a new section in an empty file', '', { a: 'x' }, '[foo]\na = x\n'],
  [
    'a section beside its padded namesake',
    '[ foo ]\na = 1\n',
    { a: 'x' },
    '[ foo ]\na = 1\n\n[foo]\na = x\n',
  ],
  [
    'a file with bytes that are not UTF-8',
    '[foo]\n# caf\xe9\na = 1\nb = \xff\n',
    { a: 'x' },
    '[foo]\n# caf\xe9\na = x\nb = \xff\n',
  ],
])('an edit changes nothing else: %s', (_, before, changes, after) => {
  expect(edit(before, changes)).toBe(after);
});

test('a new profile of the config file gets its prefix, and default gets none', () => {
  expect(edit('', { region: 'x' }, 'foo', 'config')).toBe('[profile foo]\nregion = x\n');
  expect(edit('', { region: 'x' }, 'default', 'config')).toBe('[default]\nregion = x\n');
  expect(edit('[profile "my foo"]\n', { region: 'x' }, 'my foo', 'config')).toBe(
    '[profile "my foo"]\nregion = x\n',
  );
});

test('a file that botocore rejects is not edited, and the line is named', () => {
  expect(() => edit('[foo]\na = 1\njunk\n', { a: 'x' })).toThrow(/^line 3: neither a section nor a key/);
});

test.each(['DEFAULT', '__proto__', 'constructor', 'toString', 'a\nb', 'a\t;b', '', '\ud800', '\u2028'])(
  'no section is made for the name %j',
  (name) => {
    expect(() => edit('', { a: 'x' }, name)).toThrow('cannot be the name of a new profile');
  },
);

test('no section is made whose settings the JavaScript SDK would take for those of the one above', () => {
  expect(() => edit('[x]\nb = 1\n', { a: 'y' }, 'a #b')).toThrow('cannot be the name of a new profile');
});

test.each([
  'my prod',
  '-x',
  'a]b',
  'é',
  "a'b",
  'a"b',
  String.raw`a\b`,
  'a=b',
  'a,b',
  'a#b',
  '[a',
  ' a ',
  '%a',
])('a section is made for the name %j, which AWS CLI and boto3 read, in both files', (name) => {
  for (const kind of ['credentials', 'config'] as const) {
    const bytes = Buffer.from(edit('[x]\nb = 1\n', { a: 'y' }, name, kind), 'latin1');
    expect(readProfile(bytes, kind, name)?.settings).toEqual(new Map([['a', 'y']]));
  }
});

test.each([
  '',
  ' x',
  'x ',
  'a\nb',
  'a\rb',
  'a\u0000',
  'a # b',
  'a\t;b',
  '#a',
  ';a',
  '"a"',
  "'a'",
  '\uFEFFa',
  'a\u2028b',
  '\ud800',
])('the value %j is refused, since it would not be read back', (value) => {
  expect(() => edit('[foo]\n', { a: value })).toThrow(
    'the value of a would not be read back by every AWS tool',
  );
});

test('the message about a value does not quote it', () => {
  expect(() => edit('[foo]\n', { a: 'SECRET # x' })).not.toThrow('SECRET');
});

test('a line that is a key for one parser and a value for another one is not lost', () => {
  const text = '[foo]\naws_access_key_id = A\n  mfa_serial = B\n';
  expect(() => edit(text, { aws_access_key_id: 'x' })).toThrow(/^line 3: the line is indented/);
  expect(() => edit('[foo]\na = 1\n  [bar]\nb = 2\n', { a: 'x' })).toThrow(/^line 3: the line is indented/);
});

test('a removed profile takes its keys and inner comments with it, and nothing else', () => {
  const before = '# top\n[a]\nk = 1\n\n[foo]\n# inner\na = 1\ns3 =\n  x = 1\n\n# about b\n[b]\nk = 2\n';
  expect(removeProfile(Buffer.from(before), 'credentials', 'foo').toString()).toBe(
    '# top\n[a]\nk = 1\n\n# about b\n[b]\nk = 2\n',
  );
  expect(removeProfile(Buffer.from(before), 'credentials', 'nobody').toString()).toBe(before);
});

test('a profile that was added and removed leaves no trace', () => {
  for (const before of ['[a]\nk = 1\n', '[a]\r\nk = 1\r\n', '', '# x\n'])
    expect(removeProfile(Buffer.from(edit(before, { k: 'v' })), 'credentials', 'foo').toString()).toBe(
      before,
    );
});

test('a profile among 10,000 others is found, with its line', () => {
  const others = Array.from({ length: 10_000 }, (_, index) => `[p${index}]\nk = ${index}\n`).join('\n');
  const section = readProfile(Buffer.from(others), 'credentials', 'p9999');
  expect(section?.settings.get('k')).toBe('9999');
  expect(section?.line).toBe(29_998);
});

test.each([10, 1000, 10_000])(
  'an edit of one profile among %i changes its line and no other byte',
  (count) => {
    const names = Array.from({ length: count }, (_, index) => `p${index}`);
    const text = names.map((name) => `[${name}]\nk = of ${name}\n`).join('\n');
    for (const index of [0, Math.floor(count / 2), count - 1]) {
      expect(edit(text, { k: 'new' }, `p${index}`)).toBe(text.replace(`k = of p${index}\n`, 'k = new\n'));
    }
    expect(edit(text, { k: 'v' }, 'p1-sts')).toBe(`${text}\n[p1-sts]\nk = v\n`);
    expect(() => edit(`${text}[p1]\n`, { k: 'v' }, 'p2')).toThrow('the section [p1] a second time');
  },
);
