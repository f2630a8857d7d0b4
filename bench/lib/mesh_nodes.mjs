// Nodes of one mesh, each a process of its own: here, or in the hosts of an emulated network.
import { execFileSync } from 'node:child_process';
import { starling } from './contenders.mjs';
import { freePort, runToEnd, startServer, tail, temporaryFolder } from './processes.mjs';
import { get } from './sse_client.mjs';

const patience_ms = 30_000;

export async function until(isSo, what) {
  const limit = performance.now() + patience_ms;
  while (!(await isSo())) {
    if (performance.now() > limit) throw new Error(`${what}: not after ${patience_ms / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export async function json(node, path) {
  const answer = await get(node.url, path);
  return answer?.status === 200 ? JSON.parse(answer.body) : null;
}

/**
 * A mesh without nodes. `lab`: a network of lib/netlab.mjs, whose host n is where the n-th node runs; none: all run here.
 * Nodes keep their ports and folders, so that one that died comes back as the same.
 */
export function newMesh({ lab } = {}) {
  const nodes = [];
  const mesh = { nodes };

  const launchOf = (node) => ({
    launch: lab ? (...what) => lab.exec(node.host, ...what) : undefined,
    url: lab ? node.forwarded : undefined,
  });

  async function run(node) {
    const running = await startServer({ name: node.name, command: starling, args: node.args, port: node.port, sign: node.sign, ...launchOf(node) });
    Object.assign(node, running);
    node.id ??= (await json(node, '/api/status')).node_id;
    return node;
  }

  /** `verb`: serve or client; the first node begins the mesh. `host`: of `lab`, if not the next one; `sign`: of startServer(). */
  mesh.add = async (verb, { slots = 4, context = 1024, model, extra = [], invite, host = nodes.length + 1, sign } = {}) => {
    const node = { name: `${verb}-${host}`, host, sign, dataDir: temporaryFolder() };
    node.port = lab ? 9337 : await freePort();
    node.peerPort = lab ? 9338 : await freePort();
    node.args = [verb, '--data-dir', node.dataDir, '--name', node.name, '--port', String(node.port),
      '--peer-port', String(node.peerPort), '--log-format', 'json', '--log-level', 'debug', '--headless', ...extra];
    if (lab) node.args.push('--peer-bind', lab.address(node.host));
    if (verb === 'serve') node.args.push('--slots', String(slots), '--ctx', String(context), '--threads', '1');
    if (model) node.args.push('--model', model);
    if (nodes.length) node.args.push('--join', invite ?? await mesh.invite(verb === 'serve' ? 'worker' : 'client'));
    if (lab) node.forwarded = await lab.forward(node.host, node.port);
    nodes.push(node);
    return run(node);
  };

  mesh.invite = async (role) => {
    const [first] = nodes;
    const args = ['invite', '--data-dir', first.dataDir, '--role', role];
    if (lab) {
      const line = execFileSync('nsenter', [`--net=/run/netns/${lab.name(first.host)}`, '--', starling, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      return line.trim().split('\n').at(-1);
    }
    return (await runToEnd(starling, args)).output.trim().split('\n').at(-1);
  };

  mesh.restart = (node) => run(node);

  /** Waits until `from` may ask every one of `workers`. */
  mesh.sees = async (from, workers) => {
    try {
      await seen(from, workers);
    } catch (error) {
      throw new Error([error.message, ...nodes.map((node) => `${node.name}:\n${tail(node.log, 100_000).split("\n").filter((l) => !l.includes("GET /")).slice(-40).join("\n")}`)].join('\n'));
    }
  };
  const seen = (from, workers) => until(async () => {
    const peers = (await json(from, '/api/peers')) ?? [];
    return workers.every((worker) => peers.some((p) => p.node_id === worker.id && p.state === 'alive' && p.models.length > 0 && p.rtt_ms !== null));
  }, `${from.name} sees ${workers.map((w) => w.name)}`);

  mesh.stop = () => Promise.all(nodes.map((node) => node.stop?.()));
  return mesh;
}
