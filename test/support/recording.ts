import fs from 'node:fs';
import { join } from 'node:path';
import { startLocalAws } from '../local-aws/server.ts';
import { root } from './package.ts';
import { makeHomeOf } from './program.ts';
import { closeTerminals, openTerminal } from './terminal.ts';

/** The terminal of the picture: as wide as most are, and high enough for what is shown. */
export const columns = 80;

/**
 * What a terminal shows, with its styles, of a first login, the use of a role, a renewal at the prompt on the next day,
 * and the list of profiles: recorded in bash, against the local AWS.
 */
export const record = async (): Promise<string> => {
  const aws = await startLocalAws();
  const jane = aws.createUser({ account: '111122223333' });
  const phone = aws.addMfaDevice(jane, { name: 'jane' });
  const home = makeHomeOf(aws, jane);
  fs.writeFileSync(
    home.config,
    `[default]\nregion = eu-west-1\n${['admin', 'reader'].map(roleProfile).join('')}`,
  );
  for (const name of ['admin', 'reader'])
    aws.createRole({ name, account, trusts: [jane.arn], requireMfa: true });
  const rc = join(home.folder, 'rc');
  fs.writeFileSync(rc, `PS1='$ '\n. '${join(root, 'shell', 'aws-iam-login.bash')}'\n${overnight}\n`);
  try {
    const shell = await openTerminal(home, `bash --noprofile --rcfile ${rc} -i`, { USER: 'jane' }, [
      columns,
      40,
    ]);
    const enter = async (text: string): Promise<void> => {
      await shell.type(text);
      await shell.press('Enter');
    };
    await shell.until(/^\$$/);
    await enter('aws-iam-login');
    await shell.until(/Enter MFA code[^\n]*:$/);
    await enter(phone.code());
    await shell.until(/session of default until[^$]*\n\$$/);
    await enter('aws-iam-login use admin');
    await shell.until(/use admin\n[^$]*\$$/);
    await enter('aws sts get-caller-identity --query Arn');
    await shell.until(/assumed-role[^$]*\n\$$/);
    expire(home.credentials);
    process.kill(Number(fs.readFileSync(join(home.folder, 'pid'), 'utf8')), 'SIGUSR1');
    await enter('# the next morning');
    await shell.until(/morning\n[^$]*Enter MFA code[^\n]*:$/);
    await enter(phone.code());
    await shell.until(/morning\n[^$]*Enter MFA code[^\n]*: \d{6}\n[^$]*\$$/);
    await enter('aws-iam-login list');
    await shell.until(/list\n[^$]*reader[^$]*\n\$$/);
    return await shell.styled();
  } finally {
    await closeTerminals();
    await aws.close();
    home.remove();
  }
};

const account = '444455556666';

const roleProfile = (name: string): string =>
  `\n[profile ${name}]\nrole_arn = arn:aws:iam::${account}:role/${name}\nsource_profile = default-sts\n`;

// A night passes in a moment: for the shell by a signal, for the file by an edit. `aws` says what AWS would.
const overnight = `echo $$ >~/pid
trap 'export AWS_IAM_LOGIN_EXPIRES_AT=1577836800 AWS_IAM_LOGIN_RENEW_AT=1577836800' USR1
aws() { printf '"%s"\\n' "$('${process.execPath}' '${join(root, 'build', 'who-am-i.cjs')}')"; }`;

const expire = (file: string): void =>
  fs.writeFileSync(
    file,
    fs.readFileSync(file, 'utf8').replaceAll(/^expiration = .*/gm, 'expiration = 2020-01-01 00:00:00+00:00'),
  );
