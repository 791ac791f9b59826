// Preloaded where root tests what other users may do: from here on the process is theirs.
const id = Number(process.env.RUN_AS);
process.setgroups([]);
process.setgid(id);
process.setuid(id);
