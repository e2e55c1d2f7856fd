// Takes addresses out of a lock file: `resolved` is left out by .npmrc, `funding` here. Hashes stay.
const fs = require("node:fs");

const [, , path] = process.argv;
const lock = JSON.parse(fs.readFileSync(path, "utf8"));
for (const entry of Object.values(lock.packages)) {
  delete entry.funding;
  delete entry.resolved;
}
fs.writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
