// A program for tests of the network: `udp.mjs echo PORT` answers every datagram and prints it; `udp.mjs ping ADDRESS
// PORT COUNT INTERVAL_MS EXPECTED` sends datagrams (all at once for 0), waits for so many answers, at most a second longer
// than it sends, and prints the round trips in ms as JSON. `udp.mjs listen GROUP PORT ADDRESS` prints what comes to a
// multicast group on the interface of an address, a line each, with what is no text as ?, and from where.
import dgram from 'node:dgram';
import net from 'node:net';
import { setTimeout } from 'node:timers/promises';

const [what, ...args] = process.argv.slice(2);
const patienceMs = 1000;

function echo(port) {
  const socket = dgram.createSocket('udp6'); // takes IPv4 too
  socket.on('message', (message, from) => {
    console.log(String(message));
    socket.send(message, from.port, from.address);
  });
  socket.bind(port, '::', () => console.log('ready'));
}

async function ping(address, port, count, intervalMs, expected) {
  const socket = dgram.createSocket(net.isIPv6(address) ? 'udp6' : 'udp4');
  const sent = [];
  const roundTrips = [];
  const enough = new Promise((resolve) => socket.on('message', (message) => {
    roundTrips.push(performance.now() - sent[Number(message)]);
    if (roundTrips.length >= expected) resolve();
  }));
  while (sent.length < count) {
    const number = sent.push(performance.now()) - 1;
    socket.send(String(number), port, address);
    if (intervalMs > 0) await setTimeout(intervalMs);
  }
  await Promise.race([enough, setTimeout(patienceMs)]);
  console.log(JSON.stringify(roundTrips));
  process.exit();
}

function listen(group, port, on) {
  const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true });
  socket.on('message', (message, from) => console.log(`${message.toString('latin1').replace(/[^ -~]/g, '?')} ${from.address}`));
  socket.bind(Number(port), group, () => {
    socket.addMembership(group, on);
    console.log('ready');
  });
}

if (what === 'echo') echo(Number(args[0]));
else if (what === 'listen') listen(...args);
else ping(args[0], ...args.slice(1).map(Number));
