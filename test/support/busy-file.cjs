// Another program writes a file in place without a pause: each look at the file finds it written since the look before.
// Loaded with NODE_OPTIONS=--require for a program of its own, or required by a test for its own process (arm, disarm).
// The time for which an edit tries passes ten times as fast meanwhile.
//
//   BUSY_FILE    the file, which is written as it is at the start, with a count
//   BUSY_WHILE   another file: while it is there
const fs = require('node:fs');

const { statSync, existsSync, readFileSync, writeFileSync } = fs;
const now = performance.now.bind(performance);

/** Begins to write. */
exports.arm = (file, mark) => {
  const text = readFileSync(file, 'utf8');
  let count = 0;
  fs.statSync = (...args) => {
    if (args[0] === file && existsSync(mark)) writeFileSync(file, `${text}# ${(count += 1)}\n`);
    return statSync(...args);
  };
  performance.now = () => 10 * now();
};

exports.disarm = () => {
  fs.statSync = statSync;
  performance.now = now;
};

const { BUSY_FILE, BUSY_WHILE } = process.env;
if (BUSY_FILE) exports.arm(BUSY_FILE, BUSY_WHILE);
