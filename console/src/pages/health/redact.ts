// Takes out of a text what nobody who reads it should have: secrets, and who the person is. It would rather take too
// much; what is left is for somebody who helps. Pure.

const left_out = '[left out]';
const least_random = 24; // characters; shorter ones are words
const random_changes = 0.3; // of neighbours in a random word that differ in kind; about 0.6 is usual, a name has less

type Rule = [pattern: RegExp, put: string | ((...found: string[]) => string)];

const rules: Rule[] = [
  // What stands before the host of an address, and after its path.
  [/(:\/\/)[^\s/?#@"']+@/g, (_, before = '') => before],
  [/(?<=\S)\?[^\s"']+/g, ''],
  [/#[^\s"'#=]{0,200}=[^\s"']*/g, ''],
  [/-----BEGIN [A-Z ]+-----[\s\S]*?(?:-----END [A-Z ]+-----|$)/g, '[key left out]'],
  [/starling(?::|%3A)[A-Za-z0-9_-]{8,}/gi, '[invite left out]'],
  [/starling-invite[A-Za-z0-9_-]*/gi, '[invite left out]'],
  [/\bhf_[A-Za-z0-9]{6,}/g, left_out],
  [/\b(?:sk|pk|rk|ghp|gho|ghs|ghu|glpat|xox[a-z])[-_][A-Za-z0-9_-]{8,}/g, left_out],
  [/\bgithub_pat_\w{8,}/g, left_out],
  [/\bAKIA[A-Z0-9]{12,}/g, left_out],
  [/\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g, left_out],
  [/\b(bearer|basic)\s+[^\s"',;]+/gi, (_, kind = '') => `${kind} ${left_out}`],
  [
    /((?:api[_-]?key|token|secret|passw(?:or)?d|passphrase|authorization|cookie|join)["']?\s{0,3}[:=]\s{0,3}["']?)(?!\[|(?:bearer|basic)\b)[^\s"',;&]+/gi,
    (_, name = '') => `${name}${left_out}`,
  ],
  [/[\w.+-]{1,100}@[\w-]+(?:\.[\w-]+)*/g, '[e-mail left out]'],
  [/(?:\/var)?\/(?:home|Users)\/[^/\s"':,;)]+/g, '~'],
  [/\/root(?=[/\s"':,;)]|$)/gm, '~'],
  [/\b[A-Za-z]:\\Users\\[^\\\s"':,;)]+/g, '~'],
  [/\b([0-9a-f]{8})[0-9a-f]{24,}\b/gi, (_, start = '') => start],
];

function kind_of(letter: string): number {
  return letter >= '0' && letter <= '9' ? 0 : letter >= 'a' && letter <= 'z' ? 1 : letter >= 'A' && letter <= 'Z' ? 2 : 3;
}

/// "Meta-Llama-3-70B-Instruct-Q4_K_M" is a name; "f4Xk9LmQ2vTz…" is not.
function looks_random(word: string): boolean {
  let changes = 0;
  for (let i = 1; i < word.length; i += 1) {
    const [before, here] = [kind_of(word[i - 1]!), kind_of(word[i]!)];
    if (before !== here && before !== 3 && here !== 3) changes += 1;
  }
  return changes / word.length > random_changes;
}

/// `known`: secrets that this page has itself.
export function redact(text: string, known: readonly string[] = []): string {
  let out = text;
  for (const secret of known) {
    if (secret.length >= 4) out = out.replaceAll(secret, left_out);
  }
  for (const [pattern, put] of rules) {
    out = typeof put === 'string' ? out.replace(pattern, put) : out.replace(pattern, put);
  }
  return out.replace(new RegExp(`[A-Za-z0-9_-]{${least_random},}`, 'g'), (word) => (looks_random(word) ? left_out : word));
}
