import { longestRole, roleLimits } from '../profiles/role.ts';
import { processMinTtl, sessionDefaults, sourceMinTtl } from '../sessions/defaults.ts';
import { hookDefaults, shells } from '../shells/names.ts';
import { quoteFish, quotePosix } from '../shells/quoting.ts';
import { commandNames, commandOf, optionNames, optionOf, options, userFirst } from './commands.ts';
import type { CommandName, OptionName } from './commands.ts';

/** A part of a checked-in file that is made from the table of commands: what stands between two marked lines. */
export type GeneratedPart = {
  readonly file: string;
  /** The whole line before the part and the whole line behind it, save blanks; each stands once in the file. */
  readonly begin: string;
  readonly end: string;
  /** Whole lines. */
  readonly text: string;
};

/** The text of a file with its part made anew. Raises an error for a file without the two marks. */
export const withPart = (text: string, { file, begin, end, text: made }: GeneratedPart): string => {
  const lines = text.split('\n');
  const [starts, stops] = [begin, end].map((mark) =>
    lines.flatMap((line, place) => (line.trim() === mark ? [place] : [])),
  );
  const [start, stop] = [starts?.[0], stops?.[0]];
  if (
    start === undefined ||
    stop === undefined ||
    start > stop ||
    starts?.length !== 1 ||
    stops?.length !== 1
  )
    throw new Error(`${file} must hold '${begin}' and below it '${end}', each once`);
  return [...lines.slice(0, start + 1), ...made.split('\n').slice(0, -1), ...lines.slice(stop)].join('\n');
};

/** A command, or with '' a line that names none yet. */
type Place = CommandName | '';

/** The options that people see, in the order of the table: of a command, or of login and `--version` with none. */
const optionsOf = (place: Place): OptionName[] => {
  const own: readonly OptionName[] = commandOf(place === '' ? 'login' : place).options;
  return optionNames.filter(
    (name) => own.includes(name) && optionOf(name).hidden !== true && (name !== 'version' || place === ''),
  );
};

const places: readonly Place[] = ['', ...commandNames];
const shownOptions = optionNames.filter((name) => places.some((place) => optionsOf(place).includes(name)));
const valueOptions = shownOptions.filter((name) => optionOf(name).type === 'string');

/** How an option is written: `--profile`, `-p`. */
const spellings = (name: OptionName): string[] => {
  const { alias } = optionOf(name);
  return [`--${name}`, ...(alias === undefined ? [] : [`-${alias}`])];
};

const valueWords = valueOptions.flatMap(spellings);
const helpWords = [...spellings('help'), ...spellings('version')];

/** The commands whose second word is no profile, in groups of those that take the same words. */
const operandGroups = (
  topics: readonly string[],
): ReadonlyArray<{ readonly names: readonly CommandName[]; readonly words: readonly string[] }> =>
  [
    { operand: 'shell', words: shells },
    { operand: 'topic', words: [...commandNames, ...topics] },
    { operand: 'none', words: [] },
  ].map(({ operand, words }) => ({
    names: commandNames.filter((name) => commandOf(name).operand === operand),
    words,
  }));

/** What Tab offers as the value of an option, of a command if one is named. */
const offersOf = (name: OptionName, place: Place = ''): 'profiles' | readonly string[] => {
  const { choices, offers } = optionOf(name, place === '' ? undefined : place);
  return choices ?? offers ?? [];
};

/** The commands where an option has values of its own. */
const placesOfOwn = (name: OptionName): readonly CommandName[] =>
  commandNames.filter((command) => commandOf(command).values?.[name] !== undefined);

/** The commands for which Tab offers other profiles than in most places, with the kinds of these. */
const kindGroups = (): Array<readonly [names: readonly CommandName[], kinds: string]> => {
  return [...new Set(commandNames.map(kindsOf))]
    .filter((kinds) => kinds !== userFirst.join(','))
    .map((kinds) => [commandNames.filter((name) => kindsOf(name) === kinds), kinds]);
};

const kindsOf = (name: CommandName): string => (commandOf(name).kinds ?? userFirst).join(',');

const usualKinds = `*) ail_kinds=${userFirst.join(',')} ;;`;

/** Places as a pattern of bash and zsh has them. */
const wordsOf = (group: readonly Place[]): string[] => group.map((place) => (place === '' ? "''" : place));

const bashOptions = (): string[] =>
  [...new Set(places.map(optionWords))].map((words) => {
    const alike = places.filter((place) => optionWords(place) === words);
    return `${wordsOf(alike).join(' | ')}) ail_names=(${words}) ;;`;
  });

const optionWords = (place: Place): string =>
  optionsOf(place)
    .map((name) => `--${name}`)
    .join(' ');

const bashValues = (): string[] => {
  const free = valueOptions.filter((name) => offersOf(name).length === 0);
  return [
    ...valueOptions
      .filter((name) => !free.includes(name))
      .map((name) => {
        const own = placesOfOwn(name).map((place) => `${place}) ${bashAction(name, place)} ;; `);
        const action =
          own.length === 0
            ? bashAction(name, '')
            : `case \${ail_command-} in ${own.join('')}*) ${bashAction(name, '')} ;; esac`;
        return `${spellings(name).join(' | ')}) ${action} ;;`;
      }),
    `${free.flatMap(spellings).join(' | ')}) ;;`,
  ];
};

const bashAction = (name: OptionName, place: Place): string => {
  const offers = offersOf(name, place);
  return offers === 'profiles' ? '__aws_iam_login_profiles' : `ail_names=(${offers.join(' ')})`;
};

/** What `_arguments` of zsh wants to know of an option. */
const zshSpec = (name: OptionName, place: Place): string => {
  const { type, describe, alias } = optionOf(name, place === '' ? undefined : place);
  const words = spellings(name).map((word) =>
    type === 'string' && word.startsWith('--') ? `${word}=` : word,
  );
  const isAlone = name === 'help' || name === 'version';
  const others = isAlone ? '(- *)' : alias === undefined ? '' : `(${spellings(name).join(' ')})`;
  const text = `[${describe.replaceAll(/[[\]:\\]/g, String.raw`\$&`)}]${type === 'string' ? zshAction(name, place) : ''}`;
  return words.length === 1
    ? quotePosix(`${others}${words.join('')}${text}`)
    : `${quotePosix(others)}{${words.join(',')}}${quotePosix(text)}`;
};

const zshAction = (name: OptionName, place: Place): string => {
  const offers = offersOf(name, place);
  if (offers === 'profiles') return ':AWS profile:__aws_iam_login_profiles';
  return `:${(optionOf(name).value ?? '').toLowerCase()}:${offers.length === 0 ? ' ' : `(${offers.join(' ')})`}`;
};

const zshOptions = (): string[] =>
  shownOptions.flatMap((name) =>
    placeGroups(name).map((group) => {
      const add = `ail_options+=(${zshSpec(name, group[0] ?? '')})`;
      return group.length === places.length
        ? add
        : `[[ $ail_command == (${wordsOf(group).join('|')}) ]] && ${add}`;
    }),
  );

/** The places that take an option, in groups of those where it has the same values. */
const placeGroups = (name: OptionName): ReadonlyArray<readonly Place[]> => {
  const own = placesOfOwn(name);
  const having = places.filter((place) => optionsOf(place).includes(name));
  const alike = having.filter((place) => place === '' || !own.includes(place));
  return [alike, ...own.map((place) => [place])];
};

const fishOptions = (): string[] =>
  shownOptions.flatMap((name) => placeGroups(name).map((group) => fishOption(name, group)));

const fishOption = (name: OptionName, having: readonly Place[]): string => {
  const [first = ''] = having;
  const { type, describe, alias } = optionOf(name, first === '' ? undefined : first);
  const offers = offersOf(name, first);
  const values = offers === 'profiles' ? '(__aws_iam_login_profiles)' : offers.join(' ');
  return [
    'complete -c aws-iam-login',
    ...(having.length === places.length
      ? []
      : [`-n '__aws_iam_login_in ${having.map((place) => (place === '' ? '""' : place)).join(' ')}'`]),
    ...(alias === undefined ? [] : [`-s ${alias}`]),
    `-l ${name}`,
    ...(type === 'string' ? ['-x'] : []),
    ...(values === '' ? [] : [`-a ${quoteFish(values)}`]),
    `-d ${quoteFish(describe)}`,
  ].join(' ');
};

const bashCompletion = 'completions/aws-iam-login.bash';
const zshCompletion = 'completions/_aws-iam-login';
const fishCompletion = 'completions/aws-iam-login.fish';
const scriptOf = (shell: string): string => `shell/aws-iam-login-session.${shell}`;

const launcher = 'shell/aws-iam-login.sh';
const commandsForNode = commandNames.filter((name) => !['env', 'exec', 'credential-process'].includes(name));

const launcherSeconds = {
  default_duration: sessionDefaults.duration,
  default_min_ttl: sessionDefaults.minTtl,
  process_min_ttl: processMinTtl,
  source_min_ttl: sourceMinTtl,
  longest_role: longestRole,
  shortest_wish: roleLimits.shortest,
  longest_wish: roleLimits.longest,
};

/** File, name of the part, indentation of its lines, lines. A further file needs a row here and two marks in it. */
const tableOf = (
  topics: readonly string[],
): ReadonlyArray<readonly [string, string, number, readonly string[]]> => [
  [
    bashCompletion,
    'kinds',
    4,
    [...kindGroups().map(([names, kinds]) => `${names.join(' | ')}) ail_kinds=${kinds} ;;`), usualKinds],
  ],
  [bashCompletion, 'options', 4, bashOptions()],
  [bashCompletion, 'values', 4, bashValues()],
  [bashCompletion, 'commands', 2, [`local ail_commands='${commandNames.join(' ')}'`]],
  [
    bashCompletion,
    'operands',
    6,
    operandGroups(topics).map(
      ({ names, words }) => `${names.join(' | ')}) ail_names=(${words.join(' ')}) ;;`,
    ),
  ],
  [
    zshCompletion,
    'kinds',
    4,
    [...kindGroups().map(([names, kinds]) => `(${names.join('|')}) ail_kinds=${kinds} ;;`), `(${usualKinds}`],
  ],
  [
    zshCompletion,
    'descriptions',
    4,
    commandNames.map((name) =>
      quotePosix(`${name}:${commandOf(name).describe.replaceAll(/[:\\]/g, String.raw`\$&`)}`),
    ),
  ],
  [zshCompletion, 'commands', 2, [`local -a ail_names=(${commandNames.join(' ')})`]],
  [zshCompletion, 'values', 6, [`(${valueWords.join('|')}) ail_value=1 ;;`]],
  [zshCompletion, 'options', 2, zshOptions()],
  [
    zshCompletion,
    'operands',
    4,
    operandGroups(topics).map(
      ({ names, words }) =>
        `(${names.join('|')}) ail_operands=('1: : '${words.length === 0 ? '' : ` '2: :(${words.join(' ')})'`}) ;;`,
    ),
  ],
  [
    fishCompletion,
    'kinds',
    8,
    [
      ...kindGroups().flatMap(([names, kinds]) => [`case ${names.join(' ')}`, `    set kinds ${kinds}`]),
      `case '*'`,
      `    set kinds ${userFirst.join(',')}`,
    ],
  ],
  [fishCompletion, 'values', 12, [`case ${valueWords.join(' ')}`]],
  [fishCompletion, 'commands', 24, [`contains -- $word ${commandNames.join(' ')}`]],
  [
    fishCompletion,
    'operands',
    8,
    operandGroups(topics).flatMap(({ names, words }) => [
      `case ${names.map((name) => `'${name}:1'`).join(' ')}`,
      ...(words.length === 0 ? [] : [String.raw`    printf '%s\n' ${words.join(' ')}`]),
    ]),
  ],
  [
    fishCompletion,
    'descriptions',
    4,
    [
      String.raw`printf '%s\t%s\n' ${'\\'}`,
      ...commandNames.map(
        (name, place) =>
          `    ${name} ${quoteFish(commandOf(name).describe)}${place < commandNames.length - 1 ? ' \\' : ''}`,
      ),
    ],
  ],
  [fishCompletion, 'options', 0, fishOptions()],
  [launcher, 'defaults', 0, [`ail_format=${options.format.default} ail_as=${options.as.default}`]],
  [launcher, 'seconds', 2, Object.entries(launcherSeconds).map(([name, seconds]) => `${name} = ${seconds}`)],
  [
    launcher,
    'values',
    4,
    [`${valueOptions.map((name) => `--${name}`).join(' | ')}) ail_expects=\${ail_word#--} ;;`],
  ],
  [launcher, 'commands', 2, [`${commandsForNode.join(' | ')}) ;;`]],
  [
    scriptOf('sh'),
    'options',
    6,
    [
      `${helpWords.join(' | ')})`,
      '  ail_command=help',
      '  return',
      '  ;;',
      `${valueWords.join(' | ')}) ail_value=1 ;;`,
    ],
  ],
  [scriptOf('sh'), 'commands', 12, [`${commandNames.join(' | ')})`]],
  [scriptOf('sh'), 'warn', 2, [`local ail_warn=${hookDefaults.warn}`]],
  [
    scriptOf('zsh'),
    'worth',
    2,
    [`local -a ail_commands=(\${=\${AWS_IAM_LOGIN_COMMANDS-${hookDefaults.commands.join(' ')}}})`],
  ],
  [
    scriptOf('fish'),
    'options',
    12,
    [
      `case ${helpWords.join(' ')}`,
      '    set command help',
      '    break',
      `case ${valueWords.join(' ')}`,
      '    set skip 1',
    ],
  ],
  [scriptOf('fish'), 'commands', 12, [`case ${commandNames.join(' ')}`]],
  [scriptOf('fish'), 'warn', 4, [`set -l warn ${hookDefaults.warn}`]],
  [scriptOf('fish'), 'worth', 4, [`set -l commands ${hookDefaults.commands.join(' ')}`]],
];

/** Every generated part of every file; `topics` are those of the help. */
export const generatedParts = (topics: readonly string[]): GeneratedPart[] =>
  tableOf(topics).map(([file, name, indent, lines]) => ({
    file,
    begin: `# >>> ${name}: made by npm run generate`,
    end: `# <<< ${name}`,
    text: lines.map((line) => `${' '.repeat(indent)}${line}\n`).join(''),
  }));
