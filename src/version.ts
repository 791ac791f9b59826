import packageJson from '../package.json' with { type: 'json' };

/** The program's version, as package.json says it. */
export const { version } = packageJson;
