import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startLocalAws } from './server.ts';

// Read before anybody can know that this runs, and end the parent.
const parent = process.ppid;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    user: { type: 'string', default: 'jane' },
    path: { type: 'string', default: '/' },
    account: { type: 'string', default: '123456789012' },
    partition: { type: 'string', default: 'aws' },
    state: { type: 'string' },
    'with-parent': { type: 'boolean', default: false },
    'with-stdin': { type: 'boolean', default: false },
  },
});

// The local AWS as a process: one user with a key and an MFA device, one JSON line on stdout once it listens. The
// secrets go to the file of --state only; --with-parent and --with-stdin end it with whoever started it.
const aws = await startLocalAws({ port: Number(values.port) });
const { user: name, path, account, partition } = values;
const user = aws.createUser({ name, path, account, partition });
const { serialNumber, seed } = aws.addMfaDevice(user);

if (values.state !== undefined) {
  const state = { url: aws.url, user, device: { serialNumber, seed } };
  writeFileSync(values.state, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
}
const { secretAccessKey: _, ...shown } = user;

const end = (): void => {
  process.exit(0);
};
process.on('SIGTERM', end);
process.on('SIGINT', end);
if (values['with-stdin']) process.stdin.on('end', end).on('error', end).resume();
if (values['with-parent']) {
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, 250).unref();
}
console.log(JSON.stringify({ url: aws.url, control: `${aws.url}/_local/`, user: shown, serialNumber }));
