/** The text as one word of a POSIX shell. */
export const quotePosix = (value: string): string => `'${value.replaceAll("'", String.raw`'\''`)}'`;

/** The text as one word of fish. */
export const quoteFish = (value: string): string =>
  `'${value.replaceAll('\\', String.raw`\\`).replaceAll("'", String.raw`\'`)}'`;

/** The text as one word of PowerShell, to which four typographic quotes are quotes too. */
export const quotePowershell = (value: string): string =>
  `'${value.replaceAll(/['\u2018\u2019\u201A\u201B]/g, '$&$&')}'`;
