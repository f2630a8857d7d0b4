#!/usr/bin/python3
"""`upcycle.py DENSE.pt OUT.pt`: a dense checkpoint with every FFN turned into 8 experts.

The experts come in pairs: the dense layer's hidden units, but for the least important ones, are
cut into two halves, and each pair holds both, with outputs doubled. The router starts with the
same weights for both experts of a pair, so the top two are one pair with a weight of one half
each, and the mixture computes what the dense layer did. A little noise lets the pairs part ways.
"""
import sys

import torch

from model import PRESETS, Config, Starter


def main():
    source, out = sys.argv[1:3]
    torch.manual_seed(1)
    saved = torch.load(source)
    dense, c = saved["model"], Config(**PRESETS["moe"])
    state = Starter(c).state_dict()
    for name in state:
        if ".ffn." not in name:
            state[name] = dense[name].clone()
    for layer in range(c.layers):
        at = f"blk.{layer}.ffn."
        gate, up, down = (dense[at + f"ffn_{k}.weight"] for k in ("gate", "up", "down"))
        weight = gate.norm(dim=1) * up.norm(dim=1) * down.norm(dim=0)
        keep = weight.argsort(descending=True)[:2 * c.ffn]
        router = torch.randn(c.experts // 2, c.dim) * 2 / c.dim ** 0.5
        state[at + "ffn_gate_inp.weight"] = router.repeat_interleave(2, 0)
        for e in range(c.experts):
            half = keep[e % 2::2]
            for name, w in (("gate", gate[half]), ("up", up[half]), ("down", 2 * down[:, half])):
                state[at + f"ffn_{name}_exps"][e] = w * (1 + 0.03 * torch.randn_like(w))
    torch.save({"config": c.as_dict(), "model": state, "step": 0}, out)


if __name__ == "__main__":
    main()
