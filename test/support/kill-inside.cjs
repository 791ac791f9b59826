// Kills the rotation that it is loaded into (NODE_OPTIONS=--require) inside one of its steps: at the n-th turn of the
// event loop's work (timers, sockets, promises) since the step before has said that it is done.
//
//   KILL_STEP   the number of the step, as the program shows it: 1/6 …
//   KILL_AT     the number of the turn, from 1; none: never
//   KILL_LOG    a file that gets one line per step: its number and its turns
const { createHook } = require('node:async_hooks');
const fs = require('node:fs');

const { KILL_STEP, KILL_AT, KILL_LOG } = process.env;
const { kill, pid } = process;
const append = fs.appendFileSync;
let step = 1;
let turns = 0;

createHook({
  before() {
    turns += 1;
    if (step === Number(KILL_STEP) && turns === Number(KILL_AT)) {
      kill(pid, 'SIGKILL');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  },
}).enable();

const { write } = process.stderr;
process.stderr.write = function report(text, ...rest) {
  const done = / ([1-6])\/6 /.exec(String(text))?.[1];
  if (done !== undefined) {
    if (KILL_LOG) append(KILL_LOG, `${done} ${turns}\n`);
    step = Number(done) + 1;
    turns = 0;
  }
  return write.call(this, text, ...rest);
};
