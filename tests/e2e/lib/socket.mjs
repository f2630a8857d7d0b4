// A client that sends exactly the bytes it is given.
import net from 'node:net';

export class RawClient {
  constructor(port) {
    this.received = '';
    this.closed = false;
    this.socket = net.connect({ port, host: '127.0.0.1' });
    this.socket.on('data', (data) => (this.received += data.toString('latin1')));
    this.socket.on('error', () => (this.closed = true));
    this.socket.on('close', () => (this.closed = true));
    this.connected = new Promise((resolve) => this.socket.once('connect', resolve));
  }

  async send(bytes) {
    await this.connected;
    this.socket.write(bytes);
  }

  /** Waits until the text is there, the connection ended, or the patience did. */
  async waitFor(text, timeoutMs = 10_000) {
    const until = Date.now() + timeoutMs;
    while (!this.received.includes(text) && !this.closed && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return this.received.includes(text);
  }

  async waitForClose(timeoutMs = 10_000) {
    const until = Date.now() + timeoutMs;
    while (!this.closed && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    return this.closed;
  }

  close() {
    this.socket.destroy();
  }
}

/** A random number generator with a seed, so that a failure can be repeated (mulberry32). */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
