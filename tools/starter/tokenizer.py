#!/usr/bin/python3
"""Byte-level BPE: training, encoding and decoding, as llama.cpp's `gpt2` model with the `qwen2` split.

Needs python3-regex. `python3 tokenizer.py train OUT.json --samples N` trains on the recipe.
"""
import collections
import functools
import json
import sys

import regex

from chat import SPECIAL, USER_DEFINED

SPLIT = regex.compile(r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"
                      r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
MARKS = regex.compile("(" + "|".join(regex.escape(t) for t in SPECIAL + USER_DEFINED) + ")")


def byte_alphabet():
    """GPT-2's printable stand-in for every byte."""
    keep = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table, extra = {}, 0
    for b in range(256):
        if b in keep:
            table[b] = chr(b)
        else:
            table[b] = chr(256 + extra)
            extra += 1
    return table


BYTES = byte_alphabet()
UNBYTES = {c: b for b, c in BYTES.items()}


def train(texts, vocab):
    """-> list of merges. Greedy pair counting over distinct words."""
    counts = collections.Counter()
    for text in texts:
        for part in MARKS.split(text):
            if not MARKS.fullmatch(part):
                counts.update(SPLIT.findall(part))
    words = [([BYTES[b] for b in w.encode()], n) for w, n in counts.items()]
    pairs, where = collections.Counter(), collections.defaultdict(set)
    for i, (w, n) in enumerate(words):
        for p in zip(w, w[1:]):
            pairs[p] += n
            where[p].add(i)
    merges = []
    while len(merges) < vocab - 256 - len(SPECIAL) - len(USER_DEFINED):
        best, n = max(pairs.items(), key=lambda kv: (kv[1], kv[0]))
        if n < 2:
            break
        merges.append(best)
        for i in list(where[best]):
            w, n = words[i]
            for p in zip(w, w[1:]):
                pairs[p] -= n
                if not pairs[p]:
                    del pairs[p]
                where[p].discard(i)
            out, k = [], 0
            while k < len(w):
                if k + 1 < len(w) and (w[k], w[k + 1]) == best:
                    out.append(w[k] + w[k + 1])
                    k += 2
                else:
                    out.append(w[k])
                    k += 1
            words[i] = (out, n)
            for p in zip(out, out[1:]):
                pairs[p] += n
                where[p].add(i)
    return merges


class Tokenizer:
    def __init__(self, merges, vocab):
        """`vocab` pads the token list to a round number with unused tokens."""
        self.merges = [tuple(m) for m in merges]
        self.tokens = [BYTES[b] for b in range(256)] + [a + b for a, b in self.merges]
        while len(self.tokens) < vocab - len(SPECIAL) - len(USER_DEFINED):
            self.tokens.append(f"<unused{len(self.tokens)}>")
        self.first_special = len(self.tokens)
        self.tokens += USER_DEFINED + SPECIAL
        self.ids = {t: i for i, t in enumerate(self.tokens)}
        self.rank = {m: i for i, m in enumerate(self.merges)}
        self.stop = [self.ids["<|im_end|>"], self.ids["<|endoftext|>"]]
        self.word = functools.lru_cache(200000)(self._word)

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as f:
            d = json.load(f)
        return cls([m.split(" ") for m in d["merges"]], d["vocab"])

    def save(self, path):
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"vocab": len(self.tokens), "merges": [" ".join(m) for m in self.merges]}, f, ensure_ascii=False, indent=0)

    def _word(self, text):
        w = [BYTES[b] for b in text.encode()]
        while len(w) > 1:
            best = min(range(len(w) - 1), key=lambda i: self.rank.get((w[i], w[i + 1]), 1 << 30))
            if (w[best], w[best + 1]) not in self.rank:
                break
            w[best:best + 2] = [w[best] + w[best + 1]]
        return [self.ids[t] for t in w]

    def encode(self, text, special=True):
        out = []
        for part in MARKS.split(text) if special else [text]:
            if special and part in self.ids and MARKS.fullmatch(part):
                out.append(self.ids[part])
            else:
                for word in SPLIT.findall(part):
                    out += self.word(word)
        return out

    def decode(self, ids):
        raw = b""
        for i in ids:
            t = self.tokens[i]
            raw += t.encode() if i >= self.first_special or t.startswith("<unused") else bytes(UNBYTES[c] for c in t)
        return raw.decode("utf-8", "replace")


def main():
    import recipe
    from chat import render
    out, count, vocab = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    texts = ("".join(t for t, _ in render(s.messages, s.tools)) for s in recipe.samples(1, count))
    tok = Tokenizer(train(texts, vocab), vocab)
    tok.save(out)
    print(len(tok.merges), "merges;", len(tok.tokens), "tokens; last:", tok.merges[-5:])


if __name__ == "__main__":
    main()
