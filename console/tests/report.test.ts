import { describe, expect, it } from 'vitest';
import type { Peer } from '../src/live/types';
import { redact } from '../src/pages/health/redact';
import { type ReportFrom, report } from '../src/pages/health/report';

const hex = '9a41be07'.repeat(8);
const random = 'f4Xk9LmQ2vTz7Rb1Ns8Wc3Yd6Gh5Jp0K';

/// What is written somewhere, and the part of it that must not survive.
const secrets: [text: string, secret: string][] = [
  ['joins with starling:AQsq1uRR_x-yAeF3bbbbbbbb now', 'AQsq1uRR'],
  ['#/share?join=starling%3AAQsq1uRRxAeF3bbbbbbbb', 'AQsq1uRR'],
  ['starling-invite-abcdefghabcdefgh', 'abcdefgh'],
  ['authorization: Bearer abc.def-123', 'abc.def-123'],
  ['Authorization: Basic dXNlcjpwYXNz', 'dXNlcjpwYXNz'],
  ['{"authorization":"Bearer short1"}', 'short1'],
  ['bearer  hunter2', 'hunter2'],
  [`control_token ${hex}`, hex],
  [hex.toUpperCase(), hex.toUpperCase()],
  ['HF_TOKEN=hf_AbCdEfGhIjKlMn', 'AbCdEfGh'],
  ['the hub wants hf_zzzzzzzzzzzz', 'hf_zzzzzzzzzzzz'],
  ['key sk-proj-abcd1234efgh', 'abcd1234'],
  ['ghp_abcdefghij0123456789', 'abcdefghij'],
  ['github_pat_11ABCDEFG_xyz12345', '11ABCDEFG'],
  ['AKIAIOSFODNN7EXAMPLE', 'IOSFODNN7'],
  ['glpat-ABCDEFGHIJKL', 'ABCDEFGHIJKL'],
  ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', 'eyJzdWIiOiIxIn0'],
  ['api_key=letmein', 'letmein'],
  ['"api-key": "letmein"', 'letmein'],
  ['password: hunter2!', 'hunter2'],
  ['client_secret=s3cr3t', 's3cr3t'],
  ['Cookie: session=deadbeef', 'deadbeef'],
  ['mail ada.lovelace+x@example.org or call', 'lovelace'],
  ['mail ada@localhost', 'ada@'],
  ['/home/ada/.local/share/starling', 'ada'],
  ['open "/home/ada": no such file', 'ada'],
  ['/var/home/ada/x', 'ada'],
  ['/Users/ada/models/x.gguf', 'ada'],
  ['C:\\Users\\ada\\x', 'ada'],
  ['/root/x', '/root'],
  ['https://ada:pw@hub.example.org/a', 'pw'],
  ['https://pw1234@hub.example.org/a', 'pw1234'],
  ['https://hub.example.org/a/b?sig=opensesame&x=1', 'opensesame'],
  ['GET /api/history?node_id=opensesame 200', 'opensesame'],
  ['http://localhost:9337/#/share?join=opensesame', 'opensesame'],
  [`odd word ${random} here`, random],
  ['-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA\n-----END PRIVATE KEY-----', 'MC4CAQAw'],
  ['-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk', 'b3BlbnNzaC1rZXk'],
];

describe('what is taken out', () => {
  it.each(secrets)('%s', (text, secret) => {
    expect(redact(text)).not.toContain(secret);
    expect(redact(`before ${text} after`)).not.toContain(secret);
  });

  it('is also what the page itself holds', () => {
    expect(redact('sent my key: plainword', ['plainword'])).not.toContain('plainword');
  });

  it('leaves what is needed to help', () => {
    const kept = [
      'Meta-Llama-3-70B-Instruct-Q4_K_M is ready: 80 layers, 8192 tokens of context',
      'qwen2.5-coder-32b-instruct-q4_k_m is ready',
      'listens: mesh, udp 0.0.0.0:9338',
      'llama-70b-q4_k_m: goes on after 41 tokens at 9a41be07 (the connection was lost)',
      'hf://owner/repo/file.gguf',
      'attic (1f3a9c02) is connected',
    ];
    for (const text of kept) expect(redact(text)).toBe(text);
    expect(redact(hex)).toBe('9a41be07');
    expect(redact('/home/ada/.local/share')).toBe('~/.local/share');
  });

  it('takes no time over a hostile line', () => {
    const began = performance.now();
    for (const piece of ['a', '/', '?', 'a@', '://', '-', 'starling:', 'token=']) redact(piece.repeat(20_000));
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});

const peer: Peer & { extra: string } = {
  node_id: hex, name: 'ada-laptop', role: 'worker', state: 'alive', rtt_ms: 1.5, path: 'direct', health: null, models: [], version: '1', extra: 'unlisted',
};

const from: ReportFrom = {
  about: {
    version: '0.4.0', versions: [{ name: 'llama.cpp', version: 'v0.5.0' }], platform: 'Linux', data_dir: '/home/ada/x', started_unix_s: 1,
    listens: [{ what: 'API', protocol: 'tcp', address: '127.0.0.1:9337', who: '' }], contacts: [{ host: 'private.example.org', why: '', when: 'now' }],
  },
  status: null,
  peers: [peer],
  deployments: [],
  models: [],
  sharing: null,
  log: Array.from({ length: 300 }, (_, seq) => ({ seq, time: 't', level: 'info' as const, message: `line ${seq} ${secrets[seq % secrets.length]![0]}` })),
  browser: 'a browser',
};

describe('the report', () => {
  const text = report(from);

  it('has no secret of its log', () => {
    for (const [, secret] of secrets) {
      if (secret === 'pw') continue; // two letters are found anywhere
      expect(text.includes(secret) ? secret : '').toBe('');
    }
  });

  it('names machines by the beginning of their id, and only the fields that it lists', () => {
    expect(text).toContain('9a41be07: worker, alive');
    expect(text).not.toContain('ada-laptop');
    expect(text).not.toContain('unlisted');
    expect(text).not.toContain('private.example.org');
  });

  it('has the last 200 lines of the log', () => {
    expect(text).not.toContain('line 99 ');
    expect(text).toContain('line 100 ');
    expect(text).toContain('line 299 ');
  });

  it('has something for each part, whatever is not known', () => {
    expect(text).toContain('## Node\nnothing');
    expect(text).toContain('llama.cpp v0.5.0');
  });
});
