// Old JavaScript on purpose: it has to run where nothing else does.
var wanted = require('../package.json')
  .engines.node.replace(/[^0-9.]/g, '')
  .split('.');
var found = process.versions.node.split('.');
if (+found[0] < +wanted[0] || (+found[0] === +wanted[0] && +found[1] < +wanted[1])) {
  console.error(
    'aws-iam-login: Node ' +
      process.versions.node +
      ' is too old: ' +
      wanted.join('.') +
      ' or newer is needed',
  );
  process.exit(1);
}
