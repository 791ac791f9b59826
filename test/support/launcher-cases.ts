/** A file system and a command line for the launcher and the core, which have to answer alike. */
export type Case = {
  readonly credentials: string | undefined;
  readonly config: string | undefined;
  readonly argv: readonly string[];
  /** Beside HOME and the variables that name the files. */
  readonly env: Readonly<Record<string, string>>;
  /** The profile that the files are about, `-sts` left out. */
  readonly profile: string;
  /** Unix seconds. */
  readonly now: number;
  readonly kind: CaseKind;
  /** Whether the files are written as AWS's tools and we write them, and nothing else is out of the way. */
  readonly isPlain: boolean;
};

/** What is asked: the session of a user or a role as variables, for a command, as `credential-process`, or the names. */
export const caseKinds = [
  'user env',
  'role env',
  'user exec',
  'role exec',
  'user process',
  'role process',
  'names',
] as const;
export type CaseKind = (typeof caseKinds)[number];

/** Numbers in [0, 1) that the seed decides (mulberry32). */
const randomOf = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};

const now = 1_790_000_000;

/**
 * So many cases, the same for the same seed: files plain and odd, times, word orders, forms, surroundings. Those `forShells`
 * have a session that is mostly live by the time that the hooks go by.
 */
export const generateCases = (count: number, seed: number, forShells = false): Case[] => {
  const random = randomOf(seed);
  const chance = (share: number): boolean => random() < share;
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <Item>(items: readonly [Item, ...Item[]]): Item => items[below(items.length)] ?? items[0];
  const maybe = <Item>(share: number, make: () => Item[]): Item[] => (chance(share) ? make() : []);

  let isPlain = false;
  const unusual = <Item>(...items: Item[]): Item[] => (isPlain ? [] : items);

  const anyName = (): string =>
    pick([
      'default',
      'default',
      'work',
      'me@corp.dev',
      'a.b-c_d',
      'acme:prod/eu+1%',
      'x',
      '0123',
      'work-sts',
      ...unusual('work-long-term', 'work-long-term-sts', 'a b', "it's", 'ü'),
    ]);

  const expirationOf = (minTtl: number): string => {
    const ends = [minTtl - 1, minTtl, minTtl + 1, minTtl + 2, 0, -1, 1, 3600, 43_200, -86_400] as const;
    const halves = [450, 900, 960, 1800] as const;
    const offset =
      forShells && chance(0.8)
        ? pick([minTtl, minTtl + 1, 3600, 43_200])
        : chance(0.2)
          ? pick(halves) - below(2)
          : pick(ends);
    const iso = new Date((now + offset) * 1000).toISOString().slice(0, 19);
    return pick([
      `${iso.replace('T', ' ')}+00:00`,
      `${iso.replace('T', ' ')}+00:00`,
      `${iso}Z`,
      `${iso}+00:00`,
      iso.replace('T', ' '),
    ]);
  };

  const oddExpiration = (): string =>
    pick([
      '2099-19-39 29:00:00',
      '2099-02-29 00:00:00+00:00',
      '2096-02-29 00:00:00+00:00',
      '2100-02-29T00:00:00Z',
      '2099-12-31T23:59:60Z',
      '2099-12-31 24:00:00',
      '2099-06-31 00:00:00',
      '2099-01-01 00:00:00.123456+00:00',
      '2099-01-01 00:00:00+02:00',
      '2099-01-01 00:00:00 UTC',
      '2099-1-1 00:00:00',
      '9999-12-31 23:59:59',
      '0001-01-01 00:00:00',
      'never',
      '"2099-01-01 00:00:00"',
    ]);

  const region = (): string => pick(['eu-west-1', 'us-east-1', 'eu-central-1', 'cn-north-1']);

  const separator = (): string => pick([' = ', ' = ', '=', '     = ', '\t=\t', ' =  ']);

  const userSection = (header: string, isConfig: boolean): string[] => [
    header,
    ...maybe(isConfig ? 0.1 : 0.9, () => [
      'aws_access_key_id = AKIAXXXXXXXXXXXXXXXX',
      'aws_secret_access_key = abc/def+ghi',
    ]),
    ...maybe(isConfig ? 0.1 : 0.6, () => [
      'mfa_serial = arn:aws:iam::111122223333:mfa/jane',
      'username = jane',
    ]),
    ...maybe(isConfig ? 0.7 : 0.3, () => [`region${separator()}${region()}`]),
    ...maybe(isConfig ? 0.4 : 0.05, () => ['output = json']),
    ...maybe(0.05, () => ['mfa_process = my code --of "me"']),
    ...maybe(isConfig ? 0.15 : 0.02, () => ['s3 =', '  max_concurrent_requests = 20', '    region = no']),
    ...maybe(0.05, () => ['# role_arn = arn:aws:iam::111122223333:role/old']),
  ];

  const sessionSection = (header: string, minTtl: number): string[] => [
    header,
    `aws_access_key_id${separator()}ASIA${pick(['ONE', 'TWO', 'XXXXXXXXXXXXXXXX'])}`,
    `aws_secret_access_key = ${pick(['secret+ONE/', 'a=b==', ...unusual('x#y;z', '[x]', "it's")])}`,
    `aws_session_token = ${'token/'.repeat(1 + below(80))}==`,
    `expiration${separator()}${expirationOf(minTtl)}`,
    ...maybe(0.3, () => [`region = ${region()}`]),
  ];

  const roleArn = (): string => `arn:aws:iam::111122223333:role/${chance(0.9) ? 'admin' : 'team/other'}`;

  const roleLines = (source: string): string[] => [
    `role_arn${separator()}${roleArn()}`,
    `source_profile${separator()}${source}`,
    ...maybe(0.2, () => ['mfa_serial = arn:aws:iam::111122223333:mfa/jane']),
    ...maybe(0.2, () => [`external_id = ${pick(['ab:c/d', ...unusual('x', 'a b')])}`]),
    ...maybe(0.2, () => [`role_session_name = ${pick(['jane@corp', ...unusual('j', 'a/b')])}`]),
    ...maybe(0.3, () => [
      `duration_seconds = ${pick(['900', '1800', '3600', '43200', ...unusual('901', '600', '0900', '1e3', 'x')])}`,
    ]),
    ...maybe(0.5, () => [`region${separator()}${region()}`]),
  ];

  // What a role's session was fetched for, that role or another one.
  const assumedLines = (source: string): string[] => [
    ...maybe(0.97, () => [`assumed_role_arn = ${roleArn()}`]),
    ...maybe(0.97, () => [
      `assumed_from = ${chance(0.9) ? source.replace(/-sts$/, '') : pick(['default', 'nobody', source])}`,
    ]),
  ];

  const lender = (): string[] => [
    '[lender]',
    'aws_access_key_id = AKIALENDER',
    'aws_secret_access_key = abc/def+ghi',
    ...maybe(0.7, () => ['mfa_serial = arn:aws:iam::111122223333:mfa/jane']),
    ...maybe(0.5, () => [`region = ${pick(['eu-west-1', 'us-east-1'])}`]),
    ...maybe(0.05, () => ['mfa_process = my code']),
  ];

  // Whom a role is assumed from: a user, a role before it, or, written unusually, nobody or itself.
  const anySource = (name: string): string =>
    pick([
      'lender',
      'lender',
      'lender-sts',
      'middle',
      ...unusual('nobody', 'default', 'middle-sts', 'nobody-sts', 'lender-long-term', name, `${name}-sts`),
    ]);

  const otherSections = (isConfig: boolean): string[][] => {
    const sections = Array.from({ length: below(4) }, () =>
      pick(isConfig !== chance(isPlain ? 0 : 0.1) ? forConfig : forCredentials),
    );
    return isPlain ? [...new Set(sections)] : sections;
  };

  const forConfig: readonly [string[], ...string[][]] = [
    ['[profile other]', 'region = us-west-2', 'aws_access_key_id = AKIAOTHER'],
    ['[profile role]', 'role_arn = arn:aws:iam::1:role/r', 'source_profile = default'],
    ['[sso-session corp]', 'sso_region = us-east-1', 'sso_start_url = https://x/#/'],
    ['[profile sso]', 'sso_session = corp', 'sso_account_id = 111122223333'],
    ['[services work]', 's3 =', '  endpoint_url = http://localhost'],
    ['[profile "my work"]', 'region = us-west-2'],
    ['[preview]', 'cloudfront = true'],
    ['[plugins]', 'endpoint = awscli_plugin_endpoint'],
    ['[profile default-other]', 'credential_process = cat "x [y]"', 'region = us-west-1'],
    ['[profile müller]', 'output = text'],
  ];
  const forCredentials: readonly [string[], ...string[][]] = [
    ['[other]', 'region = us-west-2', 'aws_access_key_id = AKIAOTHER'],
    ['[default-other]', 'credential_process = cat "x [y]"', 'mfa_serial = arn:x'],
    ['[work2]', 'expiration = 2099-01-01 00:00:00'],
    ['[other-sts]', 'aws_access_key_id = ASIAX', 'aws_session_token = x', 'assumed_role_arn = y'],
    ['[other-token]', 'aws_access_key_id = AKIAX', 'aws_secret_access_key = x', 'aws_session_token = x'],
  ];

  const shuffled = (sections: readonly (readonly string[])[]): string[][] =>
    sections
      .map((section) => ({ section: [...section], at: random() }))
      .sort((one, other) => one.at - other.at)
      .map(({ section }) => section);

  const textOf = (sections: readonly (readonly string[])[]): string => {
    const newline = chance(0.15) ? '\r\n' : '\n';
    const trail = chance(0.1) ? pick([' ', '\t', '  \t']) : '';
    const lines = shuffled(sections).flatMap((section) => [
      ...maybe(0.15, () => [pick(['# a comment', '; another', '#[default]'])]),
      ...section.map((line) => line + trail),
      ...maybe(0.8, () => ['']),
    ]);
    return lines.join(newline) + (chance(0.9) ? newline : '');
  };

  const oddLines = (name: string): readonly [string, ...string[]] => [
    '  region = eu-west-2',
    '\tx = y',
    'region',
    'Region = eu-west-3',
    'region: eu-west-3',
    'region = ',
    'region =',
    'region = eu_west/1',
    'region = "eu-west-1"',
    'region = eu-west-1 # mine',
    'region = eu-west-1 ;',
    'role_arn = arn:aws:iam::1:role/r',
    'role_arn =',
    'ROLE_ARN = x',
    'credential_process = cat',
    'credential_process = aws-iam-login credential-process other',
    `[${name}-long-term]\naws_access_key_id = AKIAL\naws_secret_access_key = x\naws_mfa_device = arn:x`,
    'source_profile = default',
    'mfa_process =',
    'mfa_process = # no',
    'aws_security_token = old',
    'aws_session_token = ',
    'aws_session_token = x"y\\z',
    'aws_access_key_id = AKIAYYYY',
    'assumed_role_arn = arn:aws:iam::1:role/r',
    'sso_session = corp',
    'web_identity_token_file = /x',
    `expiration = ${oddExpiration()}`,
    'source_profile = lender',
    'duration_seconds = 901',
    '[lender]\ncredential_process = cat',
    '[profile lender]\ncredential_process = aws-iam-login credential-process other',
    '[profile lender]\nregion = eu_west/1',
    '[profile lender]\nregion = cn-north-1',
    '[lender-sts]\nassumed_from = x',
    '[profile lender-sts]\nrole_arn = x',
    '[lender-long-term]\naws_access_key_id = AKIAL\naws_mfa_device = arn:x',
    '[profile middle]\nsource_profile = middle',
    '[DEFAULT]',
    '[DEFAULT]\nrole_arn = arn:aws:iam::1:role/r',
    '[]',
    '[ ]',
    '[unended',
    '[fo]o]',
    `[${name}]`,
    `[${name}-sts]`,
    `[${name}-sts]\nexpiration = 2099-01-01 00:00:00`,
    `[profile ${name}]`,
    `[profile ${name}]\nrole_arn = x`,
    `[profile  ${name}]\nrole_arn = x`,
    `[profile\t${name}]\nrole_arn = x`,
    `[profile "${name}"]\nregion = ap-south-1`,
    `[profile '${name}']\nrole_arn = x`,
    `[profiles ${name}]\nrole_arn = x`,
    `[profile ${name}-sts]\naws_session_token = x\nexpiration = 2099-01-01 00:00:00`,
    `[profile ${name}-sts]\nexpiration = 2099-01-01 00:00:00`,
    `[profile.${name}]\nrole_arn = x`,
    `["${name}"]`,
    `[ ${name} ]\nregion = ap-south-1`,
    `[${name} ]`,
    `[${name}] # comment`,
    `[${name}]#c`,
    `[${name}] junk`,
    ` [${name}]\nregion = ap-south-1`,
    '[other] junk\nregion = ap-south-1',
    '[other]#c\nregion = ap-south-1',
    '[other] # c',
    '[my prod]',
    '[constructor]',
    '[__proto__]',
    'a = b\r[c]\rregion = ap-south-1',
    'a = b\rregion = ap-south-1',
    `x = 1\r[${name}]\rrole_arn = x`,
    'a\0b = c',
    'region = eu\0west',
    '\0',
    `\0[${name}]`,
    '\u{FEFF}',
    `\u00a0[${name}]\nrole_arn = x`,
    '\u000bregion = x',
    '\u0085x = y',
    '=',
    '= x',
    'a = b [c] [d',
    '%include x',
    '\n\n\n',
    '   ',
    '   # indented comment',
    's3 =\n  region = x\nregion = eu-west-9',
    's3 =\n\n  # c\n  x = y\n',
    's3 =\nregion = eu-north-1\n  output = text',
    `${'y'.repeat(12_000)} = 1`,
  ];

  const spoilt = (text: string, name: string): string => {
    const lines = text.split('\n');
    for (let times = 1 + below(3); times > 0; times -= 1) {
      const at = below(lines.length + 1);
      pick([
        () => lines.splice(at, 0, pick(oddLines(name))),
        () => lines.splice(at, 0, pick(oddLines(name))),
        () => lines.splice(at, 1),
        () => lines.splice(at, 0, lines[below(lines.length)] ?? ''),
        () => (lines[at] = ` ${lines[at] ?? ''}`),
        () => (lines[at] = (lines[at] ?? '').replace(/[^=]/, (letter) => letter.toUpperCase())),
        () => (lines[at] = (lines[at] ?? '').slice(0, below(30))),
        () => (lines[at] = `${lines[at] ?? ''}${pick([' # c', '\r', ' ;', '"', '\0', '[', ']'])}`),
      ])();
    }
    const spoiled = lines.join('\n');
    return chance(0.03) ? `\u{FEFF}${spoiled}` : chance(0.03) ? spoiled.replaceAll('\n', '\r') : spoiled;
  };

  const anyEnv = (name: string): Record<string, string> => {
    const names = [
      'AWS_PROFILE',
      'AWS_DEFAULT_PROFILE',
      'AWS_IAM_LOGIN_PROFILE',
      'AWS_IAM_LOGIN_OLD_PROFILE',
    ];
    const values = (): string =>
      pick([name, `${name}-sts`, 'lender', ...unusual('', '010', "it's", 'ü', 'a\\b', 'a b')]);
    const entries = [
      ...names.flatMap((variable) => maybe(0.12, () => [[variable, values()] as const])),
      ...maybe(0.3, () => [['AWS_IAM_LOGIN_AS', pick(['keys', 'profile', 'watch', ''])] as const]),
      ...maybe(0.15, () => [['AWS_IAM_LOGIN_REGION', pick(['eu-west-1', '10', ''])] as const]),
      ...maybe(0.15, () => [['AWS_REGION', pick(['eu-west-1', '1e1', ''])] as const]),
      ...maybe(0.15, () => [['AWS_DEFAULT_REGION', pick(['eu-west-1', '10', 'us-east-1'])] as const]),
      // what `env --as profile` has left
      ...maybe(0.1, () => [
        ['AWS_IAM_LOGIN_AS', 'profile'] as const,
        ['AWS_IAM_LOGIN_PROFILE', name] as const,
        ['AWS_PROFILE', `${name}-sts`] as const,
      ]),
      ...maybe(0.1, () => [['AWS_IAM_LOGIN_DECLINED', 'x'] as const]),
      ...maybe(0.1, () => [['AWS_ACCESS_KEY_ID', 'AKIAENV'] as const]),
    ];
    return Object.fromEntries(entries);
  };

  const anyArgv = (name: string, minTtl: number, asked: 'env' | 'exec' | 'process'): string[] => {
    const isProcess = asked === 'process';
    const command = isProcess ? 'credential-process' : asked;
    const named = pick([
      () => [command, name],
      () => [command, name],
      () => [name, command],
      () => [command, '--profile', name],
      () => ['-p', name, command],
      () => [`--profile=${name}`, command],
      // behind `exec -p name` begins the command
      () => [command, '-p', name, ...(isPlain && asked === 'exec' ? [] : [name])],
      () => [command],
    ])();
    const ttl =
      minTtl === 300 || (isProcess && chance(0.7))
        ? []
        : [pick([`--min-ttl=${minTtl}`, `--min-ttl=${minTtl}s`])];
    const forEnv = asked !== 'env' && (isPlain || chance(0.95)) ? 0 : 1;
    const options = [
      ...ttl.map((word) => [word]),
      ...maybe(0.3 * forEnv, () => [pick([['--as', 'keys'], ['--as=profile'], ['--as', 'watch']])]),
      ...maybe(0.45 * forEnv, () => [
        pick([
          ['--format', 'fish'],
          ['--format=process'],
          ['--format', 'env'],
          ['--format=env-no-export'],
          ['--format', 'dotenv'],
          ['--format=json'],
          ...unusual(['--format=powershell'], ['--format=no']),
        ]),
      ]),
      ...maybe(0.15, () => [
        pick([['--region', 'ap-south-1'], ...unusual(['--region=eu_west'], ['--region='])]),
      ]),
      ...maybe(0.2, () => [
        pick([
          ['--no-input'],
          ['--quiet'],
          ['-q'],
          ...(forEnv ? [['--hook'], ['--no-input', '--hook']] : []),
        ]),
      ]),
      ...maybe(0.4 * forEnv, () => [['--stored']]),
      ...maybe(0.07 * forEnv, () => [['--unset']]),
      ...maybe(isPlain ? 0 : 0.04, () => [
        pick([
          ['--debug'],
          ['--help'],
          ['--'],
          ['-x'],
          ['--quiet', '--quiet'],
          ['--as'],
          [''],
          ['--duration', '1h'],
        ]),
      ]),
    ];
    const words = chance(0.2)
      ? [...shuffled(options).flat(), ...named]
      : [...named, ...shuffled(options).flat()];
    if (asked !== 'exec') return words;
    const isNamed = words.some((word) => word === name || word.endsWith(`=${name}`));
    return [...words, ...(isNamed && chance(0.5) ? [] : ['--']), ...anyCommand()];
  };

  // One that shows its words and its environment (there is a script called so), or what is none.
  const anyCommand = (): string[] =>
    pick([
      ['env'],
      ['env'],
      ['/usr/bin/env'],
      ['show', ...maybe(0.5, () => [pick(['--stored', '--', 'a b', '', "it's", '-p', 'exec', '$(x)'])])],
      ...unusual<string[]>([], [''], ['no-such-program'], ['/tmp'], ['-x'], ['--', 'env'], ['exec', 'env']),
    ]);

  return Array.from({ length: count }, (): Case => {
    isPlain = chance(0.4);
    const name = anyName();
    const base = name.replace(/-sts$/, '').replace(/-long-term$/, chance(0.5) ? '' : '-long-term');
    const asked = forShells ? 'env' : pick(['env', 'env', 'env', 'process', 'process', 'exec'] as const);
    const isProcess = asked === 'process';
    const minTtl = forShells ? 300 : pick([300, 300, 0, 60, isProcess ? 960 : 3600, 43_199]);
    const source = chance(0.4) ? anySource(base) : undefined;
    const isNames = chance(0.12);
    const header = base === 'default' ? '[default]' : `[profile ${base}]`;
    // where no AWS tool looks for a session, nor do we
    const isInConfig = chance(isPlain ? 0 : 0.05);
    const session = (ofSession: string): string[] => [
      ...sessionSection(ofSession, minTtl),
      ...(source === undefined
        ? maybe(isPlain ? 0 : 0.03, () => assumedLines('lender'))
        : assumedLines(source)),
    ];
    const credentials = textOf([
      ...maybe(isPlain && source === undefined ? 1 : source === undefined ? 0.95 : 0.1, () => [
        userSection(`[${base}]`, false),
      ]),
      ...maybe(isInConfig ? 0 : 0.95, () => [session(`[${base}-sts]`)]),
      ...(source === undefined ? [] : [lender()]),
      ...(source === undefined ? [] : maybe(0.6, () => [sessionSection('[lender-sts]', 60)])),
      ...otherSections(false),
    ]);
    const config = textOf([
      ...(source === undefined
        ? maybe(0.8, () => [userSection(header, true)])
        : [[header, ...roleLines(source), ...maybe(0.1, () => ['output = json'])]]),
      ...(source?.startsWith('middle') === true
        ? [['[profile middle]', ...roleLines(pick(['lender', 'lender-sts', ...unusual('middle', base)]))]]
        : []),
      ...maybe(isInConfig ? 1 : 0, () => [session(`[profile ${base}-sts]`)]),
      ...maybe(isInConfig ? 0 : 0.1, () => [
        [`[profile ${base}-sts]`, `region = ${region()}`, 'output = json'],
      ]),
      ...otherSections(true),
    ]);
    const where = below(3);
    return {
      credentials:
        isPlain || where === 1 ? credentials : chance(0.03) ? undefined : spoilt(credentials, base),
      config: chance(0.1) ? undefined : isPlain || where === 0 ? config : spoilt(config, base),
      argv: isNames
        ? [
            '__profiles',
            pick(['role,user,other,session', 'user,other', 'SSO']),
            ...maybe(0.3, () => [name.slice(0, 2)]),
          ]
        : anyArgv(name, minTtl, asked),
      env: anyEnv(base),
      profile: base,
      kind: isNames ? 'names' : `${source === undefined ? 'user' : 'role'} ${asked}`,
      now,
      isPlain,
    };
  });
};

const workUser = '[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = x\n';
const workKeys = 'aws_access_key_id = ASIAWORK\naws_secret_access_key = y\naws_session_token = z\n';
const live = 'expiration = 2099-01-01 00:00:00+00:00\n';
const workSession = `[work-sts]\n${workKeys}${live}`;
const role = 'role_arn = arn:aws:iam::111122223333:role/r\nsource_profile = lender\n';

/** What the readers of these files once disagreed about: credentials, config. */
const disagreements: ReadonlyArray<readonly [credentials: string, config: string]> = [
  [workUser, `[profile work-sts]\n${workKeys}${live}`],
  [`${workUser}[work-sts]\n${workKeys}`, `[profile work-sts]\n${live}`],
  [`${workUser}[work-sts]\n${workKeys}expiration = 2001-01-01 00:00:00\n`, `[profile work-sts]\n${live}`],
  [workUser + workSession, `[profile  work]\n${role}`],
  [workUser + workSession, `[profile\twork]\n${role}`],
  [workUser + workSession, `[DEFAULT]\n${role}`],
  [`[DEFAULT]\n${role}${workUser}${workSession}`, ''],
  [workUser + workSession.replace(live, 'expiration = 2099-19-39 29:00:00\n'), ''],
  [workUser + workSession.replace(live, 'expiration = 2099-02-29 00:00:00\n'), ''],
  [workUser + workSession, '[profile work]\nregion = eu_west/1\n'],
  [`${workUser}region = eu_west/1\n${workSession}`, ''],
  [workUser + workSession, '[profile work]\nregion =\n'],
  [`${workUser}region =\n${workSession}`, '[profile work]\nregion = eu-west-1\n'],
  // a session of a role under a user's name, of a user under a role's, and of another role
  [`${workUser}${workSession}assumed_role_arn = x\nassumed_from = lender\n`, ''],
  [workUser + workSession, `[profile work]\n${role}`],
  [`${workSession}assumed_role_arn = x\nassumed_from = lender\n`, `[profile work]\n${role}`],
  // what boto reads of lines that are no `key = value` in small letters
  [workUser + workSession, '[profile work]\nRegion = eu-west-9\n'],
  [workUser + workSession, '[profile work]\nregion: eu-west-9\n'],
  [workUser + workSession, '[profile work]\nregion = eu-west-1\n  x\n'],
];

const noted: readonly Case['env'][] = [
  { AWS_IAM_LOGIN_PROFILE: 'work', AWS_PROFILE: 'other', AWS_DEFAULT_PROFILE: 'other' },
  { AWS_IAM_LOGIN_PROFILE: '', AWS_PROFILE: 'work', AWS_DEFAULT_PROFILE: 'other' },
  { AWS_PROFILE: '', AWS_DEFAULT_PROFILE: 'work' },
];

const caseOf = (
  credentials: string,
  config: string,
  argv: readonly string[],
  env: Case['env'] = {},
): Case => ({
  credentials,
  config,
  argv,
  env,
  profile: 'work',
  kind: argv[0] === 'credential-process' ? 'user process' : 'user env',
  now,
  isPlain: false,
});

/** A case of each, in each form, and of what names the profile where no word does. */
export const disagreementCases: readonly Case[] = [
  ...disagreements.flatMap(([credentials, config]) =>
    [
      ['env', 'work'],
      ['work', 'env', '--stored'],
      ['env', 'work', '--as=profile'],
      ['credential-process', 'work'],
    ].map((argv) => caseOf(credentials, config, argv)),
  ),
  ...noted.map((env) => {
    const two = workUser + workSession;
    return caseOf(two + two.replaceAll('work', 'other').replaceAll('WORK', 'OTHER'), '', ['env'], env);
  }),
];
