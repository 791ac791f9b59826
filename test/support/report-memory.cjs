// Preloaded into the program: says at its end how much memory it took at most, in MB, on stderr.
process.on('exit', () => {
  process.stderr.write(`most memory: ${Math.round(process.resourceUsage().maxRSS / 1024)} MB\n`);
});
