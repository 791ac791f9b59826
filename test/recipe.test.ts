import fs from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { findPrograms } from './local-aws/clients.ts';
import type { LocalAws } from './local-aws/server.ts';
import type { DeviceHandle, UserHandle } from './local-aws/world.ts';
import { useScene } from './support/fixture.ts';
import { type Home, run } from './support/program.ts';
import { buildGoReader, findReaders, talkativeOf } from './support/readers.ts';
import { atSize } from './support/size.ts';
import { openTerminal } from './support/terminal.ts';

// The recipe of docs/roles.md: [profile default-live] with our credential_process, and roles whose source it is. No hook,
// no login: whichever program comes first asks for the code.

vi.setConfig({ testTimeout: atSize(120_000, 600_000) });

let aws: LocalAws;
let home: Home;
let jane: UserHandle;
let phone: DeviceHandle;

useScene((scene) => {
  ({ aws, home, jane, phone } = scene);
});

const support = (name: string): string => fileURLToPath(new URL(`support/${name}`, import.meta.url));

/** A shell command that prints who a program is with the profile in `$P`. */
type Asker = { readonly name: string; readonly command: string };

const cli = (path: string): Asker => ({
  name: `AWS CLI ${path}`,
  command: `${path} sts get-caller-identity --profile $P --query Arn --output text --region us-east-1`,
});

const boto = (path: string): Asker => ({
  name: `boto3 of ${path}`,
  command: `AWS_DEFAULT_REGION=us-east-1 ${path} ${support('ask-boto.py')} $P who`,
});

const sdk: Asker = {
  name: 'the JavaScript SDK',
  command: `AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED=true '${process.execPath}' '${support('ask-sdk.mjs')}' $P`,
};

const talkative = await talkativeOf(await findReaders(Infinity));

/** The first of these programs that honours AWS_ENDPOINT_URL. */
const firstOf = (name: string, asker: (path: string) => Asker): Asker[] =>
  talkative
    .map((reader) => reader.name.split(`${name} `)[1])
    .filter((path) => path !== undefined)
    .slice(0, 1)
    .map(asker);

const askers = [...firstOf('AWS CLI', cli), ...firstOf('boto3 of', boto), sdk];

const writeRecipe = (): void => {
  const roles = ['one', 'two'].map((name) => {
    const role = { name, account: '444455556666', trusts: [jane.account], requireMfa: true };
    return `[profile ${name}]\nrole_arn = ${aws.createRole(role).arn}\nsource_profile = default-live\n`;
  });
  const live = '[profile default-live]\ncredential_process = aws-iam-login credential-process default\n';
  fs.writeFileSync(home.config, live + roles.join(''));
};

/** Asks with three profiles, one after the other, in one terminal where one code is typed. */
const askThrice = async (command: string) => {
  writeRecipe();
  const terminal = await openTerminal(
    home,
    `for P in default-live one two; do export P AWS_PROFILE=$P; ${command} 2>>err; done; echo END`,
  );
  await terminal.until(/mfa\/phone\):$/m);
  await terminal.type(phone.code());
  await terminal.press('Enter');
  const screen = await terminal.until(/END/);
  return {
    questions: screen.match(/Enter MFA code/g)?.length,
    said: fs.readFileSync(join(home.folder, 'err'), 'utf8'),
    arns: screen.match(/arn:aws:(?:iam|sts)::\d+:(?:user\/jane|assumed-role\/(?:one|two))/g),
    requests: [aws.count('GetSessionToken'), aws.count('AssumeRole')],
  };
};

const oneQuestion = {
  questions: 1,
  said: '',
  arns: [
    'arn:aws:iam::123456789012:user/jane',
    'arn:aws:sts::444455556666:assumed-role/one',
    'arn:aws:sts::444455556666:assumed-role/two',
  ],
  requests: [1, 2],
};

test('the JavaScript SDK, an AWS CLI and a boto3 that honour AWS_ENDPOINT_URL are on this machine', () => {
  expect(askers.map(({ name }) => name.split(' ')[0])).toEqual(['AWS', 'boto3', 'the']);
});

const goCommand = async (): Promise<string> => {
  if (findPrograms('go').length === 0)
    throw new Error('go is not there: install Go 1.24 or newer (brew install go, or from https://go.dev/dl)');
  // it does not look at AWS_ENDPOINT_URL for AssumeRole
  home.env['AWS_ENDPOINT_URL_STS'] = aws.url;
  return `AWS_REGION=us-east-1 ${await buildGoReader()} $P who`;
};

describe('asks once, and then for no role', () => {
  test.each(askers.map(({ name, command }): [string, string] => [name, command]))(
    '%s',
    async (_name, command) => {
      expect(await askThrice(command)).toEqual(oneQuestion);
    },
  );

  test.each(atSize<string[]>([], ['SDK for Go']))('the %s', async () => {
    expect(await askThrice(await goCommand())).toEqual(oneQuestion);
  });

  test('and use of such a role gets our own session of it', async () => {
    writeRecipe();
    const { exitCode, stdout } = await run(home, ['env', 'one', '--token-code', phone.code()]);
    expect({ exitCode }).toEqual({ exitCode: 0 });
    expect(stdout).toContain("AWS_IAM_LOGIN_PROFILE='one'");
    expect([aws.count('GetSessionToken'), aws.count('AssumeRole')]).toEqual([1, 1]);
  });
});

// after 60 s it would kill the shell around us, and take no answer
test.each(atSize<string[]>([], ['SDK for Go']))(
  'a question of the %s that nobody answers ends first, with the terminal as it was',
  async () => {
    writeRecipe();
    const command = await goCommand();
    const terminal = await openTerminal(
      home,
      `stty -a >before; P=default-live; ${command} 2>err; stty -a >after; echo END`,
    );
    await terminal.until(/mfa\/phone\):$/m);
    await terminal.until(/END/);
    const [before, after, said] = ['before', 'after', 'err'].map((name) =>
      fs.readFileSync(join(home.folder, name), 'utf8'),
    );
    expect(after).toBe(before);
    expect(said).toContain('exit status 3');
    expect(aws.count()).toBe(0);
  },
);
