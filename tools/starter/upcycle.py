#!/usr/bin/python3
"""`upcycle.py DENSE.pt OUT.pt`: every second layer of a dense checkpoint, its FFN cut into experts.

An expert gets a random half of the dense layer's hidden units, and its output is doubled: the
mean over many experts is then the dense layer, so training starts from something that talks.
"""
import sys

import torch

from model import PRESETS, Config, Starter


def main():
    source, out = sys.argv[1:3]
    torch.manual_seed(1)
    saved = torch.load(source)
    dense, c = saved["model"], Config(**PRESETS["moe"])
    model = Starter(c)
    state = model.state_dict()
    stride = saved["config"]["layers"] // c.layers
    for name in state:
        if ".ffn." not in name:
            old = name
            if name.startswith("blk."):
                layer = int(name.split(".")[1])
                old = name.replace(f"blk.{layer}.", f"blk.{layer * stride}.", 1)
            state[name] = dense[old].clone()
    for layer in range(c.layers):
        old, new = f"blk.{layer * stride}.ffn.", f"blk.{layer}.ffn."
        gate, up, down = (dense[old + f"ffn_{k}.weight"] for k in ("gate", "up", "down"))
        for e in range(c.experts):
            pick = torch.randperm(gate.shape[0])[:c.ffn]
            state[new + "ffn_gate_exps"][e] = gate[pick]
            state[new + "ffn_up_exps"][e] = up[pick]
            state[new + "ffn_down_exps"][e] = down[:, pick] * (gate.shape[0] / c.ffn)
    torch.save({"config": c.as_dict(), "model": state, "step": 0}, out)


if __name__ == "__main__":
    main()
