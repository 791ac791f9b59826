/** The environment variables, as passed in from the entry point. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a command may use of the world around it. */
export type Context = {
  readonly env: Environment;
  /** The time in milliseconds since the epoch. */
  readonly now: () => number;
  /** Resolves after so many milliseconds. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Writes one line to stderr; where there are colours, that of an error is marked. */
  readonly log: (line: string, kind?: 'error') => void;
  /** Writes text to stdout as it is. */
  readonly print: (text: string) => void;
  /** Registers what to say when a signal ends the program; `undefined` when there is nothing to say any more. */
  readonly atSignal?: (describe: (() => readonly string[]) | undefined) => void;
  /** Whether what is printed goes to a terminal; no where nothing is said. */
  readonly toTerminal?: () => boolean;
  /** How many columns that terminal has. */
  readonly columns?: () => number;
};

/** Tells the user something: one line on stderr that says who speaks. */
export const tell = ({ log }: Pick<Context, 'log'>, text: string, kind?: 'error'): void =>
  log(`aws-iam-login: ${text}`, kind);

const noted = 'AWS_IAM_LOGIN_DROPPED_';

/**
 * A copy of the environment with what the launcher's shell has dropped from it: dash and BusyBox keep no variable whose
 * name is no identifier, such as the functions that bash exports. The launcher notes each in a variable of its own, as
 * none may be larger than 128 KiB, with U+0001 for each newline of a value.
 */
export const withDropped = (environment: Environment): Environment => {
  const entries = Object.entries(environment);
  const dropped = entries.flatMap(([name, value = '']) => {
    const equals = value.indexOf('=', 1);
    if (!name.startsWith(noted) || equals === -1) return [];
    return [[value.slice(0, equals), value.slice(equals + 1).replaceAll('\u0001', '\n')] as const];
  });
  return Object.fromEntries([...entries.filter(([name]) => !name.startsWith(noted)), ...dropped]);
};
