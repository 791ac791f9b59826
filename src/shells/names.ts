// What shells, formats and forms there are. Imports nothing: the entry reads it before it knows how old Node is.

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** The values of `--format`. */
export const formats = ['env', 'env-no-export', 'dotenv', 'fish', 'powershell', 'json', 'process'] as const;
export type Format = (typeof formats)[number];

/** The values of `--as`. */
export const forms = ['keys', 'profile', 'watch'] as const;
export type Form = (typeof forms)[number];

/** The values of `--as` of `exec`. */
export const execForms = ['keys', 'process'] as const;

/** What the prompt hook goes by where its variables say nothing: seconds, and commands that are worth a question. */
export const hookDefaults = {
  warn: 600,
  commands: ['aws', 'terraform', 'tofu', 'cdk', 'sam', 'pulumi'],
} as const;

/** What makes a shell stop that evaluates this format: printed on stdout for every failure. */
export const failureOf = (format: string): string =>
  ['env-no-export', 'dotenv', 'json', 'process'].includes(format) ? '' : 'false\n';
