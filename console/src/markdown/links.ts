// Addresses and character references in text that a model wrote. Nothing here trusts it.

const longest_address = 2_000;

const named: Record<string, string> = {
  amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', copy: '©', reg: '®', trade: '™', deg: '°', plusmn: '±',
  times: '×', divide: '÷', middot: '·', bull: '•', hellip: '…', ndash: '–', mdash: '—', lsquo: '‘', rsquo: '’', ldquo: '“',
  rdquo: '”', laquo: '«', raquo: '»', larr: '←', uarr: '↑', rarr: '→', darr: '↓', le: '≤', ge: '≥', ne: '≠', euro: '€',
  pound: '£', sect: '§', frac12: '½', infin: '∞', alpha: 'α', beta: 'β', gamma: 'γ', pi: 'π', micro: 'µ',
};

function code_point(digits: string, radix: number): string {
  const value = Number.parseInt(digits, radix);
  return value > 0 && value <= 0x10ffff && !(value >= 0xd800 && value <= 0xdfff) ? String.fromCodePoint(value) : '\ufffd';
}

/// "&lt;" is "<": it becomes text, never HTML.
export function decode_references(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|(\w{2,8}));/g, (whole, decimal?: string, hex?: string, name?: string) => {
    if (decimal) return code_point(decimal, 10);
    if (hex) return code_point(hex, 16);
    return (name && Object.hasOwn(named, name) && named[name]) || whole;
  });
}

/// The address to put into a link, or null: then the link is shown as text. Only whole http, https and mailto addresses, and
/// none with a name before the host: https://bank.example@other.example leads elsewhere than it reads.
export function safe_address(written: string): string | null {
  const plain = decode_references(written).trim();
  if (plain.length > longest_address || /[\u0000-\u0020\u007f]/.test(plain)) return null;
  if (!/^(?:https?:\/\/|mailto:)/i.test(plain)) return null;
  try {
    const url = new URL(plain);
    if (!['http:', 'https:', 'mailto:'].includes(url.protocol) || url.username || url.password) return null;
    return url.href;
  } catch {
    return null;
  }
}
