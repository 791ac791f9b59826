import { expect } from 'vitest';
import { version } from '../../src/version.ts';
import { checkedDocument } from './json-documents.ts';
import { type Home, run } from './program.ts';

/** What doctor says of one thing. */
export type Line = { Check: string; State: string; Text: string; Mend?: string };

export type Env = Record<string, string | undefined>;

/** Runs doctor in the home of the test, in a shell that has the hook; none of the secrets may be in what it prints. */
export const doctorOf = (home: () => Home, secrets: () => readonly string[]) => {
  /** What doctor finds, apart from what is right and from Node's age. */
  const findings = async (words: string[] = [], env: Env = {}): Promise<Line[]> => {
    const { stdout, stderr, exitCode } = await run(home(), ['doctor', '--json', ...words], {
      env: { AWS_IAM_LOGIN_HOOK_VERSION: version, ...env },
    });
    for (const secret of secrets()) expect(stdout + stderr).not.toContain(secret);
    const document = checkedDocument('doctor', stdout);
    const lines: Line[] = JSON.parse(JSON.stringify(document['Checks']));
    const problems = lines.filter(({ State }) => State === 'problem').length;
    expect([document['Problems'], exitCode]).toEqual([problems, problems === 0 ? 0 : 1]);
    return lines.filter(({ State, Check }) => State !== 'ok' && Check !== 'node');
  };
  const found = async (check: string, words: string[] = [], env: Env = {}): Promise<Line[]> =>
    (await findings(words, env)).filter(({ Check }) => Check === check);
  const offline = (check: string, env: Env = {}): Promise<Line[]> => found(check, ['--offline'], env);
  return { findings, found, offline };
};

/** A line of the document; texts are whole, patterns are for a part. */
export const line = (state: string, text: string | RegExp, mend: string | RegExp): object => ({
  State: state,
  Text: typeof text === 'string' ? text : expect.stringMatching(text),
  Mend: typeof mend === 'string' ? mend : expect.stringMatching(mend),
});
