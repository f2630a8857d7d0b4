"""The starter's network in PyTorch: a Qwen3-style decoder, dense or mixture of experts.

Pre-norm blocks, grouped-query attention with per-head RMS norm on queries and keys,
rotary positions (half-split layout), SwiGLU, tied input and output embeddings. Tensor
names follow GGUF so that export.py is a plain walk over the state dict.
"""
from dataclasses import asdict, dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class Config:
    vocab: int = 4096
    layers: int = 8
    dim: int = 256
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 64
    ffn: int = 640
    experts: int = 0          # 0 = dense
    experts_used: int = 2
    context: int = 2048
    rope_base: float = 10000.0
    eps: float = 1e-6

    def as_dict(self):
        return asdict(self)


PRESETS = {
    "main": dict(layers=8, dim=256, heads=4, kv_heads=2, head_dim=64, ffn=640),
    "large": dict(layers=12, dim=384, heads=6, kv_heads=2, head_dim=64, ffn=1024),  # for a GPU; 22 MB as Q8_0
    "draft": dict(layers=4, dim=128, heads=4, kv_heads=2, head_dim=32, ffn=256),
    "moe": dict(layers=8, dim=256, heads=4, kv_heads=2, head_dim=64, ffn=288, experts=8),
}


class RMSNorm(nn.Module):
    def __init__(self, dim, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight


def rope_table(length, dim, base):
    inv = base ** (-torch.arange(0, dim, 2).float() / dim)
    angle = torch.outer(torch.arange(length).float(), inv)
    angle = torch.cat([angle, angle], -1)
    return angle.cos(), angle.sin()


def rotate(x, cos, sin):
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.attn_q = nn.Linear(c.dim, c.heads * c.head_dim, bias=False)
        self.attn_k = nn.Linear(c.dim, c.kv_heads * c.head_dim, bias=False)
        self.attn_v = nn.Linear(c.dim, c.kv_heads * c.head_dim, bias=False)
        self.attn_output = nn.Linear(c.heads * c.head_dim, c.dim, bias=False)
        self.attn_q_norm = RMSNorm(c.head_dim, c.eps)
        self.attn_k_norm = RMSNorm(c.head_dim, c.eps)

    def forward(self, x, cos, sin, mask, cache=None):
        c, (n, t, _) = self.c, x.shape
        q = self.attn_q_norm(self.attn_q(x).view(n, t, c.heads, c.head_dim)).transpose(1, 2)
        k = self.attn_k_norm(self.attn_k(x).view(n, t, c.kv_heads, c.head_dim)).transpose(1, 2)
        v = self.attn_v(x).view(n, t, c.kv_heads, c.head_dim).transpose(1, 2)
        # torch's batched product is several times slower on strided operands
        q, k, v = rotate(q, cos, sin).contiguous(), rotate(k, cos, sin).contiguous(), v.contiguous()
        if cache is not None:
            if "k" in cache:
                k, v = torch.cat([cache["k"], k], 2), torch.cat([cache["v"], v], 2)
            cache["k"], cache["v"] = k, v
        group = c.heads // c.kv_heads
        # queries of one group share a key head: fold them into the row dimension
        q = q.reshape(n, c.kv_heads, group * t, c.head_dim)
        s = q @ k.transpose(-1, -2) * (c.head_dim ** -0.5)
        s = s.view(n, c.kv_heads, group, t, -1) + mask
        p = F.softmax(s, -1).view(n, c.kv_heads, group * t, -1)
        o = (p @ v).view(n, c.heads, t, c.head_dim).transpose(1, 2).reshape(n, t, -1)
        return self.attn_output(o)


class FFN(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.ffn_gate = nn.Linear(c.dim, c.ffn, bias=False)
        self.ffn_up = nn.Linear(c.dim, c.ffn, bias=False)
        self.ffn_down = nn.Linear(c.ffn, c.dim, bias=False)

    def forward(self, x):
        return self.ffn_down(F.silu(self.ffn_gate(x)) * self.ffn_up(x)), 0.0


class MoE(nn.Module):
    """Top-k of `experts`; the k kept probabilities are renormalised to sum to one."""

    def __init__(self, c):
        super().__init__()
        self.c = c
        self.ffn_gate_inp = nn.Linear(c.dim, c.experts, bias=False)
        self.ffn_gate_exps = nn.Parameter(torch.empty(c.experts, c.ffn, c.dim))
        self.ffn_up_exps = nn.Parameter(torch.empty(c.experts, c.ffn, c.dim))
        self.ffn_down_exps = nn.Parameter(torch.empty(c.experts, c.dim, c.ffn))

    def forward(self, x):
        shape, x = x.shape, x.reshape(-1, x.shape[-1])
        prob = F.softmax(self.ffn_gate_inp(x), -1)
        top, idx = prob.topk(self.c.experts_used, -1)
        top = top / top.sum(-1, keepdim=True)
        out = torch.zeros_like(x)
        load = []
        for e in range(self.c.experts):
            row, slot = (idx == e).nonzero(as_tuple=True)
            load.append(row.numel())
            if row.numel():
                h = x[row]
                h = F.silu(h @ self.ffn_gate_exps[e].T) * (h @ self.ffn_up_exps[e].T)
                out = out.index_add(0, row, h @ self.ffn_down_exps[e].T * top[row, slot, None])
        share = x.new_tensor(load) / idx.numel()
        balance = self.c.experts * (share * prob.mean(0)).sum()
        return out.view(shape), balance


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.attn_norm = RMSNorm(c.dim, c.eps)
        self.attn = Attention(c)
        self.ffn_norm = RMSNorm(c.dim, c.eps)
        self.ffn = MoE(c) if c.experts else FFN(c)

    def forward(self, x, cos, sin, mask, cache=None):
        x = x + self.attn(self.attn_norm(x), cos, sin, mask, cache)
        y, balance = self.ffn(self.ffn_norm(x))
        return x + y, balance


class Starter(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.token_embd = nn.Embedding(c.vocab, c.dim)
        self.blk = nn.ModuleList(Block(c) for _ in range(c.layers))
        self.output_norm = RMSNorm(c.dim, c.eps)
        cos, sin = rope_table(c.context, c.head_dim, c.rope_base)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        # Muon's blocks write large outputs. Embeddings as large as these keep it clear which token stands
        # where, without which the model does not learn to copy; the last norm makes up for it in the logits.
        nn.init.constant_(self.output_norm.weight, 0.06)
        for name, p in self.named_parameters():
            if p.dim() < 2:
                continue
            if "attn_output" in name or "ffn_down" in name:
                nn.init.zeros_(p)
            else:
                nn.init.normal_(p, std=0.5 if "token_embd" in name else p.shape[-1] ** -0.5)

    def hidden(self, ids, caches=None, start=0):
        """ids [n, t] -> states after the last norm [n, t, dim], mean expert balance loss."""
        t = ids.shape[1]
        cos, sin = self.cos[start:start + t], self.sin[start:start + t]
        mask = torch.full((t, start + t), float("-inf"), device=ids.device).triu(start + 1)
        x, balance = self.token_embd(ids), 0.0
        for i, block in enumerate(self.blk):
            x, b = block(x, cos, sin, mask, caches[i] if caches else None)
            balance = balance + b
        return self.output_norm(x), balance / self.c.layers

    def logits(self, h):
        return h @ self.token_embd.weight.T

    @torch.no_grad()
    def generate(self, ids, stop, limit=256):
        """Greedy continuation of a list of ids, for samples while training."""
        caches = [{} for _ in self.blk]
        out, chunk, pos = [], list(ids), 0
        while len(out) < limit and pos + len(chunk) < self.c.context:
            h, _ = self.hidden(torch.tensor([chunk], device=self.cos.device), caches, pos)
            pos += len(chunk)
            nxt = int(self.logits(h[:, -1]).argmax())
            if nxt in stop:
                break
            out.append(nxt)
            chunk = [nxt]
        return out
