import type { Environment } from '../context.ts';
import { UserError } from '../errors.ts';

/** Where AWS's two files and our own state are. */
export type Files = { readonly credentials: string; readonly config: string; readonly state: string };

/**
 * Finds the files as AWS's own tools do, a leading `~` expanded, an empty variable taken for none.
 * Throws a UserError when a home folder is needed and there is none.
 */
export const locateFiles = (env: Environment, systemHome: () => string = homeOfSystem): Files => {
  const place = (variable: string, name: string): string => {
    const path = env[variable] || `~/.aws/${name}`;
    return path === '~' || path.startsWith('~/') ? findHome(env, systemHome) + path.slice(1) : path;
  };
  return {
    credentials: place('AWS_SHARED_CREDENTIALS_FILE', 'credentials'),
    config: place('AWS_CONFIG_FILE', 'config'),
    state: place('AWS_IAM_LOGIN_HOME', 'aws-iam-login'),
  };
};

const findHome = (env: Environment, systemHome: () => string): string => {
  const home = env['HOME'] || askSystem(systemHome);
  if (home) return home;
  throw new UserError('could not find the AWS files: there is no home folder, HOME is not set', {
    hint: 'export HOME=… or AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE and AWS_IAM_LOGIN_HOME',
  });
};

// Asked for as needed: every import counts for `env` with a live session.
const homeOfSystem = (): string => process.getBuiltinModule('node:os').homedir();

const askSystem = (systemHome: () => string): string => {
  try {
    return systemHome();
  } catch {
    // the user id is in no password database, as in many containers
    return '';
  }
};
