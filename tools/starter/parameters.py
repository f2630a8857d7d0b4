"""Parameters of a model: as the tensors of a GGUF, and back again.

A GGUF holds them rounded to Q8_0 and without the optimizer; that is enough to train on from where the
checkpoint is gone (`train.py --init models/starter.gguf`).
"""
import numpy as np
import torch

import gguf


def q8_0(x):
    """float32 [..., n] with n a multiple of 32 -> blocks of an f16 scale and 32 int8."""
    b = x.reshape(-1, 32)
    scale = np.abs(b).max(1, keepdims=True) / 127
    inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    out = np.empty(len(b), dtype=[("d", "<f2"), ("q", "i1", 32)])
    out["d"] = scale[:, 0]
    out["q"] = np.rint(b * inverse)
    return out.tobytes()


def floats(kind, raw):
    """What q8_0 wrote, or plain float32 -> float32 [n]."""
    if kind == gguf.F32:
        return np.frombuffer(raw, "<f4")
    blocks = np.frombuffer(raw, [("d", "<f2"), ("q", "i1", 32)])
    return (blocks["d"][:, None].astype(np.float32) * blocks["q"]).reshape(-1)


def gguf_name(name):
    name = name.replace(".attn.", ".").replace(".ffn.", ".")
    return name if name.endswith(".weight") else name + ".weight"


def tensors(state):
    for name, p in state.items():
        x = p.numpy().astype(np.float32)
        shape = list(reversed(x.shape))
        if x.ndim == 1 or "gate_inp" in name:
            yield gguf_name(name), shape, gguf.F32, x.tobytes()
        else:
            yield gguf_name(name), shape, gguf.Q8_0, q8_0(x)


def load(path, names):
    """State dict of the parameters called `names`, from a checkpoint or from a GGUF that export.py wrote."""
    if not path.endswith(".gguf"):
        return torch.load(path, map_location="cpu")["model"]
    stored, out = gguf.read(path)[1], {}
    for name in names:
        shape, kind, raw = stored[gguf_name(name)]
        out[name] = torch.tensor(floats(kind, raw).reshape(list(reversed(shape))))
    return out
