import fs from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import stringWidth from 'string-width';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandNames, commandOf, findOption, groups, optionNames, optionOf } from '../src/cli/commands.ts';
import type { CommandName, OptionName } from '../src/cli/commands.ts';
import { parseOptions } from '../src/cli/options.ts';
import { run as runCommandLine } from '../src/cli/run.ts';
import { commandIn, scan } from '../src/cli/scanner.ts';
import { topicNames } from '../src/cli/topics.ts';
import { exitCode } from '../src/errors.ts';
import { renderMarkdown } from '../src/terminal/markdown.ts';
import { plainScreen } from '../src/terminal/screen.ts';
import { type Home, makeHome, run, runProcess } from './support/program.ts';
import { root } from './support/package.ts';

let home: Home;

beforeAll(() => {
  home = makeHome('http://127.0.0.1:9');
});

afterAll(() => home.remove());

const printed = async (...words: string[]): Promise<string> => {
  const { stdout, ...ended } = await run(home, words);
  expect(ended).toEqual({ exitCode: 0, signal: null, stderr: '' });
  return stdout;
};

const tooLong = (text: string): string[] => text.split('\n').filter((line) => stringWidth(line) > 80);

/** The options that people see. */
const shownOptions = (name: CommandName): OptionName[] =>
  commandOf(name).options.filter((option) => optionOf(option).hidden !== true);

describe('the general help', () => {
  test('names each command in its group, the exit codes, variables and topics, in 80 columns', async () => {
    const text = await printed('help');
    const paragraphs = new Map(
      text.split('\n\n').map((lines) => [lines.split('\n', 1)[0] ?? '', lines.split('\n').slice(1)]),
    );
    for (const [group, title] of Object.entries(groups)) {
      expect(paragraphs.get(title)?.map((line) => line.trim().split(' ')[0])).toEqual(
        commandNames.filter((name) => commandOf(name).group === group),
      );
    }
    expect(paragraphs.get('Exit codes')?.map((line) => Number.parseInt(line, 10))).toEqual(
      Object.values(exitCode),
    );
    for (const name of ['AWS_IAM_LOGIN_AUTO', 'AWS_IAM_LOGIN_HOOK', 'AWS_IAM_LOGIN_HOME', 'NO_COLOR'])
      expect(paragraphs.get('Variables')?.join('\n')).toContain(name);
    expect(paragraphs.get('Topics')?.join(' ').trim().split(/,\s+/)).toEqual(topicNames());
    expect(tooLong(text)).toEqual([]);
  });

  test('is what --help, -h and a process of its own print', async () => {
    const text = await printed('help');
    expect(await printed('--help')).toBe(text);
    expect(await printed('-h')).toBe(text);
    expect(await runProcess(home, ['--help'])).toEqual({
      exitCode: 0,
      signal: null,
      stdout: text,
      stderr: '',
    });
  });

  test('names each command on one line', () => {
    for (const name of commandNames) expect(commandOf(name).describe.length).toBeLessThanOrEqual(58);
  });
});

describe.each(commandNames)('the help of %s', (name) => {
  test('has its options with placeholders, those only, in 80 columns', async () => {
    const text = await printed('help', name);
    const written = [...text.matchAll(/^ {2}(?:-\w, | {4})--([\w-]+)(?: ([A-Z]+))? /gm)];
    const everywhere = /\n {2}(--no-input {3}.*)\n/.exec(text)?.[1] ?? '';
    const common = [...everywhere.matchAll(/--([\w-]+)/g)].map(([, option = '']) => option);
    expect(new Set([...written.map(([, option]) => option), ...common])).toEqual(new Set(shownOptions(name)));
    for (const [, option = '', value] of written) expect(findOption(option)?.option.value).toBe(value);
    expect(text).not.toMatch(/\[(?:boolean|string|choices)\b/);
    expect(tooLong(text)).toEqual([]);
  });

  test('has examples of one line each that the parser takes', async () => {
    const text = await printed(name, '--help');
    for (const [example] of commandOf(name).examples) {
      expect(text).toContain(`\n  ${example}`);
      expect(findWrong(example)).toEqual([]);
    }
  });

  test('is the same in every word order', async () => {
    const text = await printed('help', name);
    expect(await printed(name, '-h')).toBe(text);
    expect(await printed('default', name, '--help')).toBe(text);
    expect(await printed(name, '--wat', '--help')).toBe(text);
  });
});

describe('a topic of the help', () => {
  test('is each page of docs', () => {
    const pages = fs.readdirSync(join(root, 'docs')).filter((page) => page.endsWith('.md'));
    const forUsers = pages.filter((name) => name !== 'architecture.md');
    expect(topicNames().map((name) => `${name}.md`)).toEqual(forUsers.sort());
    expect(topicNames(join(home.folder, 'nowhere'))).toEqual([]);
  });

  test.each(topicNames())('%s is plain text of 80 columns, but for code', async (name) => {
    const text = await printed('help', name);
    const prose = text.split('\n').filter((line) => !line.startsWith('    '));
    const words = prose.flatMap((line) => (stringWidth(line) > 80 ? [line.trim()] : []));
    // a word that has no blank cannot be broken
    expect(words.filter((line) => line.includes(' '))).toEqual([]);
    expect(prose.join('\n')).not.toMatch(/\*\*|\]\(|^#|```|^\|.*\|$/m);
  });

  test('that is mistyped gets the nearest one', async () => {
    const { stderr, ...ended } = await run(home, ['help', 'jsn']);
    expect(ended).toEqual({ exitCode: 2, signal: null, stdout: '' });
    expect(stderr).toMatch(
      /^aws-iam-login: jsn is neither a command nor a topic; the topics are .*json.*\n {2}hint: did you mean json\?\n$/,
    );
  });
});

const page = `# A page
Words **in bold**, \`code\`, a [link](docs/json.md#x), [roles](roles.md), [the world](https://example.com), and enough of them to need a second line.

- one
- two, which is so long that it needs to be broken behind the eightieth column, as this does
  1. deeper

| option | means |
|---|---|
| \`--yes\` | does not ask before the change, and this text is long enough to be broken |

| a | b | c |
|---|---|---|
| a cell that takes much room | and another one that is long as well, so that no room is left for more | last |

\`\`\`sh
code   as it is
\`\`\`
`;

const paint = (style: string, text: string): string => `<${style}>${text}</${style}>`;

test('Markdown becomes text for terminals', () => {
  expect(renderMarkdown(page, plainScreen)).toBe(`A page

Words in bold, code, a link (help json), help roles, the world
(https://example.com), and enough of them to need a second line.

- one
- two, which is so long that it needs to be broken behind the eightieth column,
  as this does

  1. deeper

option  means
--yes   does not ask before the change, and this text is long enough to be
        broken

a cell that takes much room
    b: and another one that is long as well, so that no room is left for more
    c: last

    code   as it is
`);
  expect(renderMarkdown('# A `b`\n\nc **d**', { columns: 200, paint })).toBe(
    '<bold>A b</bold>\n\nc <bold>d</bold>\n',
  );
});

test.each([
  [{ TERM: 'xterm' }, true],
  [{ TERM: 'xterm', NO_COLOR: '1' }, false],
  [{ TERM: 'dumb' }, false],
])('on a terminal with %j headings in bold: %s', async (env, isBold) => {
  for (const words of [['help'], ['help', 'rotate'], ['help', 'json']]) {
    let text = '';
    const context = {
      env,
      now: Date.now,
      sleep: async () => {},
      log: () => {},
      print: (more: string) => void (text += more),
      toTerminal: () => true,
    };
    expect(await runCommandLine(words, context)).toBe(0);
    expect(text.includes('\u001B[1m')).toBe(isBold);
    expect(text.includes('\u001B')).toBe(isBold);
  }
});

describe('a wrong option', () => {
  test.each([
    ['login --durtion 8h', 'login has no option --durtion', 'did you mean --duration?'],
    ['login --profil=x', 'login has no option --profil', 'did you mean --profile?'],
    ['login --wat', 'login has no option --wat', 'see: aws-iam-login login --help'],
    ['login -x', 'login has no option -x', 'see: aws-iam-login login --help'],
    [
      'login --keep-old',
      'login has no option --keep-old, which is one of rotate',
      'see: aws-iam-login login --help',
    ],
    ['login --duration', '--duration needs a value: --duration TIME', 'see: aws-iam-login login --help'],
    ['login --region=', '--region needs a value: --region REGION', 'see: aws-iam-login login --help'],
    ['-p', '--profile needs a value: --profile NAME', 'see: aws-iam-login login --help'],
    ['login --quiet=often', '--quiet takes no value', 'see: aws-iam-login login --help'],
    ['login -p a -p b', '--profile is given twice', 'see: aws-iam-login login --help'],
    ['use --as profil', '--as is one of keys, profile, watch, not profil', 'did you mean --as profile?'],
    ['exec --as watch -- x', '--as is one of keys, process, not watch', 'see: aws-iam-login exec --help'],
    ['help --json', 'help has no option --json, which is one of', 'see: aws-iam-login help --help'],
    ['version --wat', 'version has no option --wat', 'see: aws-iam-login version --help'],
  ])('%s gets a sentence of ours', async (words, message, hint) => {
    const { stderr, stdout, exitCode: code } = await run(home, words.split(' '));
    expect({ stdout, code }).toEqual({ stdout: '', code: words.startsWith('exec') ? 125 : 2 });
    const [first = '', second] = stderr.split('\n');
    expect(first.startsWith(`aws-iam-login: ${message}`)).toBe(true);
    expect(second).toBe(`  hint: ${hint}`);
  });

  test('of any kind never gets a text of yargs', async () => {
    const values = ['', '=', '=x', ' --quiet'];
    for (const command of commandNames) {
      for (const option of [...optionNames, 'wat']) {
        for (const value of values) {
          const name = findOption(option)?.name;
          const words = [command, ...`--${option}${value}`.split(' ')];
          const takes = name !== undefined && commandOf(command).options.includes(name);
          const isAsked =
            takes ||
            option === 'help' ||
            option === 'version' ||
            (name !== undefined && optionOf(name).hidden);
          if (isAsked) continue;
          const { stderr } = await run(home, words);
          expect(stderr).toMatch(/^aws-iam-login: \S+ has no option --[^\n]*\n {2}hint: [^\n]+\n/m);
        }
      }
    }
  });
});

test.each(commandNames)('the parser takes each option of %s, and no other one', async (command) => {
  const taken: string[] = [];
  for (const option of optionNames) {
    const { type, choices, value } = optionOf(option, command);
    const words = [`--${option}`, ...(type === 'string' ? [choices?.[0] ?? value ?? ''] : [])];
    const line = {
      command,
      implied: false,
      operand: undefined,
      options: scan(words).options,
      rest: undefined,
    };
    const values = await parseOptions(line).catch(() => undefined);
    if (values?.has(option) === true) taken.push(option);
  }
  const own: readonly OptionName[] = commandOf(command).options;
  expect(taken).toEqual(optionNames.filter((name) => own.includes(name)));
});

test('completion offers each option of a command, and no other one', () => {
  const bash = fs.readFileSync(join(root, 'completions', 'aws-iam-login.bash'), 'utf8');
  const offered = new Map(
    [...bash.matchAll(/^ {4}([a-z |-]+)\) ail_names=\((--[^)]*)\) ;;$/gm)].flatMap(
      ([, names = '', list = '']) =>
        names.split(' | ').map((name) => [name, list.split(' ').map((word) => word.slice(2))] as const),
    ),
  );
  for (const name of commandNames) {
    // what prints the version is offered once, before any command
    const own = shownOptions(name).filter((option) => option !== 'version');
    expect(new Set(offered.get(name))).toEqual(new Set(own));
  }
});

/** The options of our command lines in a text that their command does not have. */
const findWrong = (text: string): string[] =>
  [...text.matchAll(/\baws-iam-login((?: +[^\s`|;&#()<>"']+)+)/g)].flatMap(([line, words = '']) => {
    const scanned = scan(words.trim().split(/ +/));
    const command = commandIn(scanned) ?? 'login';
    return scanned.options.flatMap(({ name, word }) =>
      name !== undefined && commandOf(command).options.includes(name) ? [] : [`${line}: ${word}`],
    );
  });

describe('README and docs', () => {
  const pages = ['README.md', ...topicNames().map((name) => `docs/${name}.md`)];
  const texts = pages.map((name) => [name, fs.readFileSync(join(root, name), 'utf8')] as const);

  test.each(texts)('have no command line with an option that does not exist: %s', (_, text) => {
    expect(findWrong(text)).toEqual([]);
  });

  test('would be caught', () => {
    expect(findWrong('`aws-iam-login rotate work --undo`, aws-iam-login env --wat | x')).toEqual([
      'aws-iam-login rotate work --undo: --undo',
      'aws-iam-login env --wat: --wat',
    ]);
  });
});

test('help and version load neither yargs nor the SDK, and pages of Markdown are read when one is asked for', () => {
  const { outputs }: Metafile = JSON.parse(fs.readFileSync(join(root, 'build', 'metafile.json'), 'utf8'));
  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const { path, kind, external } of outputs[file]?.imports ?? [])
      if (kind === 'import-statement' && external !== true) load(path);
  };
  for (const [file, { inputs }] of Object.entries(outputs)) if ('src/cli/help.ts' in inputs) load(file);
  const inputs = [...loaded].flatMap((file) => Object.keys(outputs[file]?.inputs ?? {}));
  expect(inputs).toContain('src/main.ts');
  expect(inputs.filter((file) => /node_modules\/(?!fastest-levenshtein)/.test(file))).toEqual([]);
  expect(inputs.filter((file) => /^src\/(aws\/(?!arns|regions)|commands\/(?!given))/.test(file))).toEqual([]);
});
