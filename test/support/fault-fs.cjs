// Puts a kill or an error in front of one file operation, in any program that calls node:fs by property: loaded with
// NODE_OPTIONS=--require for a built program, or required by a test for its own process (arm, disarm).
//
//   FAULT_FS_UNDER   only operations on paths below this folder count
//   FAULT_FS_AT      the number of the operation, from 1; none: all of them
//   FAULT_FS_OP      only operations of this name count (writeSync, renameSync, …)
//   FAULT_FS_ACTION  kill, torn (half a write, then kill), stop (SIGSTOP), short (half a write), or an error's code
//   FAULT_FS_LOG     a file that gets one line per operation that counts; the last is the faulty one
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');

const byPath =
  `accessSync chmodSync chownSync existsSync lchownSync linkSync lstatSync mkdirSync openSync readdirSync readlinkSync
  renameSync rmSync statSync statfsSync symlinkSync unlinkSync utimesSync writeFileSync appendFileSync`.split(
    /\s+/,
  );
const byEither = ['readFileSync'];
const byDescriptor =
  'closeSync fchmodSync fchownSync fstatSync fsyncSync ftruncateSync futimesSync readSync writeSync'.split(
    ' ',
  );

const original = { ...fs, native: fs.realpathSync.native };
const descriptors = new Set();
let plan;
let count = 0;
let nested = false;

const isUnder = (path) =>
  typeof path === 'string' && (path === plan.under || path.startsWith(`${plan.under}/`));

const counts = (name, args) =>
  plan !== undefined &&
  !nested &&
  (plan.op === undefined || plan.op === name) &&
  (typeof args[0] === 'number' ? descriptors.has(args[0]) : isUnder(args[0]) || isUnder(args[1]));

const writeHalf = (args) => {
  const [fd, data, offset] = args;
  if (typeof data === 'string') return 0;
  const start = typeof offset === 'number' ? offset : 0;
  return original.writeSync(fd, data, start, Math.ceil((data.length - start) / 2));
};

const end = (signal) => {
  process.kill(process.pid, signal);
  // SIGKILL arrives before the call returns, SIGSTOP may need a moment
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
};

const strike = (name, args, proceed) => {
  switch (plan.action) {
    case 'kill':
      return end('SIGKILL');
    case 'torn':
      if (name === 'writeSync') writeHalf(args);
      return end('SIGKILL');
    case 'stop':
      end('SIGSTOP');
      return proceed();
    case 'short':
      return name === 'writeSync' && typeof args[1] !== 'string' ? writeHalf(args) : proceed();
    default:
      throw Object.assign(new Error(`${plan.action}: injected, ${name} '${args[0]}'`), {
        code: plan.action,
        syscall: name,
      });
  }
};

const wrap = (name, call) =>
  function faulty(...args) {
    const proceed = () => {
      const before = nested;
      nested = true;
      try {
        return call.apply(this, args);
      } finally {
        nested = before;
      }
    };
    const counted = counts(name, args);
    if (counted) {
      count += 1;
      if (plan.log) original.appendFileSync(plan.log, `${count} ${name}\n`);
    }
    const result =
      counted && (plan.at === undefined || plan.at === count) ? strike(name, args, proceed) : proceed();
    if (name === 'openSync' && plan !== undefined && isUnder(args[0])) descriptors.add(result);
    if (name === 'closeSync') descriptors.delete(args[0]);
    return result;
  };

for (const name of [...byPath, ...byEither, ...byDescriptor]) fs[name] = wrap(name, original[name]);
fs.realpathSync.native = wrap('realpathSync', original.native);
syncBuiltinESMExports();

/** Starts counting anew. */
exports.arm = (options) => {
  plan = options;
  count = 0;
};

/** Ends the fault; returns how many operations counted. */
exports.disarm = () => {
  plan = undefined;
  return count;
};

const { FAULT_FS_UNDER, FAULT_FS_AT, FAULT_FS_OP, FAULT_FS_ACTION, FAULT_FS_LOG } = process.env;
if (FAULT_FS_UNDER) {
  exports.arm({
    under: FAULT_FS_UNDER,
    at: FAULT_FS_AT ? Number(FAULT_FS_AT) : undefined,
    op: FAULT_FS_OP || undefined,
    action: FAULT_FS_ACTION,
    log: FAULT_FS_LOG,
  });
}
