#!/usr/bin/python3
"""Turn the recipe into token files: `corpus.py OUT_PREFIX SEED COUNT` writes OUT_PREFIX.npz."""
import sys

import numpy as np

import recipe
from chat import render
from tokenizer import Tokenizer

LONGEST = 1024


def encode(tok, sample):
    ids, learn = [], []
    for text, trained in render(sample.messages, sample.tools):
        part = tok.encode(text)
        ids += part
        learn += [trained] * len(part)
    return ids, learn


def main():
    out, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    tok = Tokenizer.load(__file__.replace("corpus.py", "tokenizer.json"))
    ids, learn, ends = [], [], [0]
    for s in recipe.samples(seed, count):
        i, l = encode(tok, s)
        if len(i) <= LONGEST:
            ids += i
            learn += l
            ends.append(len(ids))
    np.savez(out, ids=np.array(ids, np.uint16), learn=np.array(learn, bool), ends=np.array(ends, np.int64))
    print(f"{len(ends) - 1} samples, {len(ids)} tokens, {sum(learn)} of them learnt")


if __name__ == "__main__":
    main()
