// Prompts of exactly n tokens, no two of them alike, the same in every run of the benchmark.

/** mulberry32: small, seeded, good enough to make prompts differ from the first token on. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// Ordinary tokens in every vocabulary of some size: above bytes and specials at its start, below specials at its end.
const first_token = 300;
const last_token = 999;

export function tokens(count, seed) {
  const next = random(seed);
  return Array.from({ length: count }, () => first_token + Math.floor(next() * (last_token - first_token + 1)));
}
