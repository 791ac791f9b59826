import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';

/** A certificate with its key, PEM, and where the certificate lies. */
export type Certificate = { readonly key: string; readonly cert: string; readonly path: string };

/** Makes a certificate authority in a folder. */
export const makeAuthority = (folder: string, name: string): Certificate =>
  make(folder, name, ['-addext', 'basicConstraints=critical,CA:TRUE']);

/** Makes a server's certificate for names (`DNS:*.example.com`, `IP:127.0.0.1`), signed by an authority. */
export const makeServerCertificate = (
  folder: string,
  name: string,
  altNames: readonly string[],
  authority: Certificate,
): Certificate => {
  const keyPath = join(folder, `${authority.path.split('/').at(-1) ?? ''}.key`);
  fs.writeFileSync(keyPath, authority.key, { mode: 0o600 });
  const signing = ['-CA', authority.path, '-CAkey', keyPath];
  const names = ['-addext', `subjectAltName=${altNames.join(',')}`];
  return make(folder, name, [...signing, ...names, '-addext', 'basicConstraints=CA:FALSE']);
};

const make = (folder: string, name: string, options: readonly string[]): Certificate => {
  const [keyPath, path] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', keyPath];
  execFileSync(
    'openssl',
    ['req', '-x509', ...key, '-out', path, '-days', '2', '-subj', `/CN=${name}`, ...options],
    { stdio: 'ignore' },
  );
  return { key: fs.readFileSync(keyPath, 'utf8'), cert: fs.readFileSync(path, 'utf8'), path };
};
