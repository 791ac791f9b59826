import * as fc from 'fast-check';
import type { SharedFile } from './other-parsers.ts';

/**
 * Files as people, tools and accidents leave them. `tame` ones are accepted by botocore (unless they hold
 * bytes that are not UTF-8), `wild` ones hold anything.
 */
export const anyFile = (): fc.Arbitrary<SharedFile> =>
  fc.oneof({ weight: 3, arbitrary: tameFile() }, { weight: 2, arbitrary: wildFile() });

const newlineStyle = fc.oneof(
  { weight: 6, arbitrary: fc.constant('\n') },
  { weight: 3, arbitrary: fc.constant('\r\n') },
  { weight: 1, arbitrary: fc.constant('\r') },
);

const credentialsNames = [
  'default',
  'foo',
  'foo-sts',
  'acme.prod',
  'a@b+c',
  'my prod',
  'föö',
  '"foo"',
  'foo#1',
];
const configNames = [
  'default',
  'profile foo',
  'profile "foo-sts"',
  "profile 'my prod'",
  'profile  acme.prod',
  'profile\tbar',
  'services local',
  'sso-session work',
  'plain',
  'profile föö',
];
const oddNames = [
  ' foo ',
  ' default',
  'DEFAULT',
  'constructor',
  'fo]o',
  'profile.foo',
  'profile default',
  'profile "default"',
  'profile a b',
  "profile a'b",
  ' profile foo ',
  'profilex foo',
  String.raw`profile "a\"b"`,
  String.raw`profile a\ b`,
  'profile ""',
  'profile __proto__x',
  '',
  ']',
  'foo # x',
];
const keys = [
  'aws_access_key_id',
  'aws_secret_access_key',
  'aws_session_token',
  'aws_security_token',
  'region',
  'mfa_serial',
  'expiration',
  'role_arn',
];
const oddKeys = ['AWS_Session_Token', 'Region', 'a:b', 'ключ', 'a b', 's3', 'x#y', 'aws_access_key_id '];
const plainValues = [
  'AKIAIOSFODNN7EXAMPLE',
  'wJalr/XUtn+FEMI==',
  'a=b==c=',
  'ab#cd',
  'x y',
  'true',
  'C:\\new\\;x',
  'ü',
];
const oddValues = [
  '',
  'ab # cd',
  'ab ; cd',
  'ab\t#cd',
  '#cd',
  '"x y"',
  "'x'",
  '"',
  '\u00a0x\u00a0',
  'x\u0085',
  'a\u001cb',
  '\u001c',
  '\uFEFFx',
  '[foo]',
  'x\u2028y = z',
  '\u2028x = y',
];
const blankLine = fc.constantFrom('', '', '', '  ', '\t', '\f', '\u00a0');
const comment = fc.constantFrom(
  '# comment',
  '; comment',
  '#',
  '# k = v',
  '#[foo]',
  '# région',
  '  # indented',
  '\t; x',
);

const badBytes = fc.constantFrom('# caf\xe9', '; \xff\xfe', 'note = \xe9t\xe9', '# \xc3', '# \xed\xa0\x80');

const tameFile = (): fc.Arbitrary<SharedFile> =>
  fc.constantFrom<SharedFile['kind']>('credentials', 'config').chain((kind) =>
    fc
      .record({
        top: fc.array(filler, { maxLength: 2 }),
        sections: fc
          .uniqueArray(fc.constantFrom(...(kind === 'config' ? configNames : credentialsNames)), {
            maxLength: 5,
          })
          .chain((names) => fc.tuple(...names.map((name) => tameSection(name)))),
        newline: newlineStyle,
        lastNewline: fc.boolean(),
        bad: fc.oneof(
          { weight: 9, arbitrary: fc.constant(null) },
          { weight: 1, arbitrary: fc.tuple(badBytes, fc.nat(100)) },
        ),
      })
      .map(({ top, sections, newline, lastNewline, bad }) => {
        const lines = [...top, ...sections.flat()].map(utf8);
        if (bad !== null)
          lines.splice(bad[1] % (lines.length + 1), 0, bad[0].startsWith('note') ? '# \xe9' : bad[0]);
        return { kind, bytes: Buffer.from(lines.join(newline) + (lastNewline ? newline : ''), 'latin1') };
      }),
  );

const filler = fc.oneof(blankLine, comment);

const tameSection = (name: string): fc.Arbitrary<string[]> =>
  fc
    .record({
      indent: fc.constantFrom('', '', '', '  ', '\t'),
      tail: fc.constantFrom('', '', '', ' ', ' # why', ' ; x'),
      entries: fc.uniqueArray(
        fc.record({
          key: fc.constantFrom(...keys, 's3', 'AWS_Session_Token', 'note'),
          separator: fc.constantFrom(' = ', ' = ', '=', '= ', '\t=\t', ' =', ': '),
          value: fc.oneof(
            { weight: 4, arbitrary: fc.constantFrom(...plainValues) },
            { weight: 1, arbitrary: fc.constantFrom(...oddValues) },
          ),
          above: fc.array(filler, { maxLength: 2 }),
          below: fc.option(
            fc.array(fc.constantFrom('max = 1', 'x=y', 'endpoint_url = http://h:1/'), {
              minLength: 1,
              maxLength: 3,
            }),
            {
              freq: 6,
            },
          ),
        }),
        { selector: ({ key }) => key.toLowerCase(), maxLength: 5 },
      ),
      end: fc.array(filler, { maxLength: 3 }),
    })
    .map(({ indent, tail, entries, end }) => [
      `[${name}]${tail}`,
      ...entries.flatMap(({ key, separator, value, above, below }) => [
        ...above,
        ...(key === 's3'
          ? [`${indent}s3 =`, ...(below ?? ['max = 1']).map((line) => `${indent}  ${line}`)]
          : [
              `${indent}${key}${separator}${value}`,
              ...(below !== null && value !== '' && key === 'note' ? [`${indent}    more of it`] : []),
            ]),
      ]),
      ...end,
    ]);

const wildLine = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom('', '', '', '', '  ', '\t', '\u00a0'),
        fc.constantFrom(...credentialsNames, ...configNames, ...oddNames),
        fc.constantFrom('', '', '', '', ' ', ' # c', '#c', ' junk', ' ; c]', ' = x', '\t'),
      )
      .map(([indent, name, tail]) => `${indent}[${name}]${tail}`),
  },
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.constantFrom('', '', '', '', '  ', '\t', '    ', '\u00a0', '\u001c', '\v'),
        fc.constantFrom(...keys, ...oddKeys),
        fc.constantFrom(' = ', '=', ' =', ': ', '\t=\t', ' : ', ':'),
        fc.oneof(fc.constantFrom(...plainValues, ...oddValues), fc.string({ maxLength: 5 })),
      )
      .map((parts) => parts.join('')),
  },
  { weight: 2, arbitrary: filler },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      's3 =\n  max = 1',
      's3 =\n\n  max = 1\n  # c\n  x = y',
      'sts=\n\tendpoint_url=http://h',
      '  s3 =\n  max = 1',
    ),
  },
);

const junkLine = fc.oneof(
  fc.constantFrom('junk', '= v', ': v', '[foo', '[]', ']', '[__proto__]', '  junk', '\uFEFF', '   [foo]'),
  fc.string({ unit: 'binary', maxLength: 8 }),
);

const wildFile = (): fc.Arbitrary<SharedFile> =>
  fc
    .record({
      kind: fc.constantFrom<SharedFile['kind']>('credentials', 'config'),
      header: fc.boolean(),
      bom: fc.boolean().chain((maybe) => (maybe ? fc.nat(9).map((n) => n === 0) : fc.constant(false))),
      lines: fc.array(
        fc.tuple(
          fc.oneof(
            { weight: 60, arbitrary: wildLine.map(utf8) },
            { weight: 1, arbitrary: junkLine.map(utf8) },
            { weight: 1, arbitrary: badBytes },
          ),
          fc.oneof(
            { weight: 20, arbitrary: fc.constant('') },
            { weight: 1, arbitrary: fc.constantFrom('\r', '\r\n', '\n') },
          ),
        ),
        { maxLength: 9 },
      ),
      newline: newlineStyle,
      lastNewline: fc.boolean(),
    })
    .map(({ kind, header, bom, lines, newline, lastNewline }) => {
      const first = header ? (kind === 'config' ? '[profile foo]' : '[foo]') + newline : '';
      const text = first + lines.map(([line, own]) => line + (own === '' ? newline : own)).join('');
      const cut = lastNewline ? text : text.replace(/(\r\n|\r|\n)$/, '');
      return { kind, bytes: Buffer.from((bom ? '\xef\xbb\xbf' : '') + cut, 'latin1') };
    });

/** Text as one character a byte, as the files here are put together. */
const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
