// --name value and --flag, with defaults; an unknown one ends the program with the list.
export function parse(defaults) {
  const values = { ...defaults };
  const args = process.argv.slice(2);
  while (args.length) {
    const name = args.shift().replace(/^--/, '').replaceAll('-', '_');
    if (!(name in defaults)) {
      console.error(`bench: there is no --${name}; there are: ${Object.keys(defaults).map((n) => `--${n.replaceAll('_', '-')}`).join(' ')}`);
      process.exit(2);
    }
    const kind = typeof defaults[name];
    if (kind === 'boolean') values[name] = true;
    else if (kind === 'number') {
      values[name] = Number(args.shift());
      if (!Number.isFinite(values[name])) { console.error(`bench: --${name} needs a number`); process.exit(2); }
    } else values[name] = args.shift();
  }
  return values;
}
