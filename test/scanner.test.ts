import * as fc from 'fast-check';
import fs from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { commandNames, commandOf, optionOf } from '../src/cli/commands.ts';
import { plainValues, readWithYargs } from '../src/cli/options.ts';
import { quickAnswer } from '../src/cli/quick.ts';
import { run } from '../src/cli/run.ts';
import { commandIn, isOn, scan } from '../src/cli/scanner.ts';
import type { Context } from '../src/context.ts';
import { type Home, makeHome, sessionLines, writeCredentials } from './support/program.ts';
import { seed } from './support/seed.ts';
import { atSize } from './support/size.ts';

vi.setConfig({ testTimeout: atSize(60_000, 600_000) });

let home: Home;

beforeAll(() => {
  home = makeHome('http://127.0.0.1:9');
  const session = { accessKeyId: 'ASIAONE', secretAccessKey: 'secret/1', sessionToken: 'token+1=' };
  const live = sessionLines(session, '2026-01-01T12:00:00Z');
  writeCredentials(home, `[default]\nregion = eu-west-1\n[default-sts]\n${live}[-x-]\n[-x--sts]\n${live}`);
  fs.writeFileSync(home.config, '[profile role]\nrole_arn = arn:aws:iam::123456789012:role/x\n');
});

afterAll(() => home.remove());

test.each([
  ['work -q --region x env', ['work', 'env'], { quiet: undefined, region: 'x' }, undefined],
  ['-pq work', ['work'], { profile: 'q' }, undefined],
  ['-qp work', [], { quiet: undefined, profile: 'work' }, undefined],
  ['-p=a=b', [], { profile: 'a=b' }, undefined],
  ['--format= env', ['env'], { format: '' }, undefined],
  ['env --region -- --debug', ['env'], { region: undefined }, ['--debug']],
  ['exec - -- -q -- x', ['exec', '-'], {}, ['-q', '--', 'x']],
  ['--token-code - login', ['login'], { 'token-code': '-' }, undefined],
  ['exec work -q ls -l', ['exec', 'work'], { quiet: undefined }, ['ls', '-l']],
  ['work exec -q ls -- -l', ['work', 'exec'], { quiet: undefined }, ['ls', '--', '-l']],
  ['-p work exec ls -l', ['exec'], { profile: 'work' }, ['ls', '-l']],
  ['login exec ls -l', ['login', 'exec', 'ls'], { '-l': undefined }, undefined],
])('%s is cut into words, options and rest', (line, words, options, rest) => {
  const { afterExec: _, ...cut } = scan(line.split(' '));
  expect({
    ...cut,
    options: Object.fromEntries(cut.options.map(({ name, value, word }) => [name ?? word, value])),
  }).toEqual({
    words,
    options,
    rest,
  });
});

test.each([
  ['--debug', true],
  ['--debug --no-debug', false],
  ['--no-debug --debug', true],
  ['--debug=false', false],
  ['--region --debug', false],
  ['-- --debug', false],
])('with %s, debug is %s', (line, on) => {
  expect(isOn(scan(line.split(' ')), 'debug')).toBe(on);
});

const argument = fc.oneof(
  fc.constantFrom(
    'env',
    'default',
    'exec',
    'role',
    '-x-',
    '--',
    '-',
    '-q',
    '-p',
    '--profile',
    '-qp',
    '--region',
  ),
  fc.constantFrom(
    '--as',
    'keys',
    'profile',
    '--format',
    'process',
    '--min-ttl',
    '1h',
    '--min-ttl=20h',
    '--hook',
  ),
  fc.constantFrom(
    '--profile=default',
    '-pdefault',
    '--no-input',
    '--as=watch',
    '--format=fish',
    '--quiet=1',
    '',
  ),
  fc.string(),
);

test('no command line makes the scanner raise, and what follows -- is the rest as it is', () => {
  fc.assert(
    fc.property(fc.array(argument), (argv) => {
      const { words, options, rest = [] } = scan(argv);
      expect(rest).toEqual(argv.slice(argv.length - rest.length));
      expect(words.every((word) => argv.includes(word))).toBe(true);
      expect(words.length + options.length + rest.length).toBeLessThanOrEqual(
        argv.join('').length + argv.length,
      );
      expect(commandIn(scan(['env', ...argv, '--', 'exec']))).toBe('env');
    }),
    { numRuns: atSize(2000, 100_000), seed },
  );
});

/** What a command line prints, in this process, at a time of which the session is live. */
const contextOf = (): { context: Context; texts: { stdout: string; stderr: string } } => {
  const texts = { stdout: '', stderr: '' };
  const context: Context = {
    env: home.env,
    now: () => Date.parse('2026-01-01T10:30:00Z'),
    sleep: async () => {},
    log: (line) => void (texts.stderr += `${line}\n`),
    print: (text) => void (texts.stdout += text),
  };
  return { context, texts };
};

test('what a live session answers at once is what the whole program answers', async () => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(argument, { maxLength: 5 }), fc.boolean(), async (argv, isFirst) => {
      const words = isFirst ? ['env', ...argv] : [...argv, 'env'];
      const answer = quickAnswer(words, contextOf().context);
      if (answer === undefined || !('text' in answer)) return;
      answered += 1;
      const { context, texts } = contextOf();
      expect({ exitCode: await run(words, context), ...texts }).toEqual({
        exitCode: 0,
        stdout: answer.text,
        stderr: '',
      });
    }),
    { numRuns: atSize(1000, 20_000), seed },
  );
  expect(answered).toBeGreaterThan(atSize(20, 400));
});

const optionsOf = (command: (typeof commandNames)[number]): fc.Arbitrary<string[]> => {
  const { options } = commandOf(command);
  return fc.array(
    fc
      .tuple(fc.constantFrom(...options), fc.stringMatching(/^[\w:./=-]{1,8}$/), fc.boolean())
      .map(([name, value, isShort]) => {
        const { type, alias } = optionOf(name, command);
        const word = isShort && alias !== undefined ? `-${alias}` : `--${name}`;
        return type === 'boolean' ? word : `${word}=${value}`;
      }),
    { minLength: options.length > 0 ? 1 : 0, maxLength: 4 },
  );
};

test('what the scanner makes of plain options is what yargs reads', async () => {
  const lines = fc
    .constantFrom(...commandNames)
    .chain((command) => fc.tuple(fc.constant(command), optionsOf(command)));
  await fc.assert(
    fc.asyncProperty(lines, async ([command, argv]) => {
      const { options: given } = scan(argv);
      const names = given.map(({ name }) => name);
      fc.pre(names.every((name, index) => names.indexOf(name) === index));
      const plain = plainValues(given);
      const read = await readWithYargs(command, given);
      for (const name of commandOf(command).options) expect(plain?.get(name)).toEqual(read.get(name));
    }),
    { numRuns: atSize(200, 5000), seed },
  );
  expect(plainValues(scan(['--quiet=false']).options)).toBeUndefined();
});
