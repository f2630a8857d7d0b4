"""Muon for the matrices, Adam for embeddings, norms and routers, shared out over workers.

Muon (K. Jordan, 2024): momentum whose update is orthogonalised by a Newton-Schulz
iteration. It reaches a given loss in far fewer tokens than Adam, which is what counts
when a CPU pays for every token. Parameter i belongs to worker i % world.
"""
import torch


def orthogonalise(g, steps=5):
    """g [..., rows, cols] -> nearest semi-orthogonal matrices, approximately."""
    a, b, c = 3.4445, -4.7750, 2.0315
    flip = g.shape[-2] > g.shape[-1]
    x = g.transpose(-1, -2) if flip else g
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        m = x @ x.transpose(-1, -2)
        x = a * x + (b * m + c * (m @ m)) @ x
    return x.transpose(-1, -2) if flip else x


class Optimizer:
    """The part of the update that worker `rank` does; step() adds up every worker's gradient."""

    def __init__(self, model, rank=0, world=1, lr=0.02, embd_lr=0.04, adam_lr=0.004, momentum=0.95, decay=0.01):
        self.lr, self.embd_lr, self.adam_lr, self.momentum, self.decay = lr, embd_lr, adam_lr, momentum, decay
        self.mine, self.state, at = [], {"step": 0}, 0
        cost = [0.0] * world
        for name, p in model.named_parameters():
            muon = p.dim() >= 2 and "token_embd" not in name and "gate_inp" not in name
            owner = cost.index(min(cost))
            cost[owner] += p.numel() * (1 if muon else 0.1)
            if owner == rank:
                self.mine.append((name, at, p.numel(), muon))
                self.state[name] = [torch.zeros_like(p) for _ in range(1 if muon else 2)]
            at += p.numel()

    @torch.no_grad()
    def step(self, scale, grads, model):
        """`scale` is the schedule's factor on both learning rates."""
        params = dict(model.named_parameters())
        self.state["step"] += 1
        t = self.state["step"]
        for name, at, size, muon in self.mine:
            p = params[name]
            grad = sum(g[at:at + size] for g in grads).view_as(p)
            if muon:
                mom = self.state[name][0]
                mom.lerp_(grad, 1 - self.momentum)
                update = orthogonalise(grad.lerp(mom, self.momentum))
                rate = self.lr * scale * max(1.0, p.shape[-2] / p.shape[-1]) ** 0.5
                p.mul_(1 - self.lr * scale * self.decay).add_(update, alpha=-rate)
            else:
                m, v = self.state[name]
                m.lerp_(grad, 0.1)
                v.lerp_(grad.square(), 0.02)
                rate = self.embd_lr if "token_embd" in name else self.adam_lr
                if "gate_inp" in name:
                    rate *= 0.1  # a calm router keeps its pairs of experts
                p.sub_(scale * rate * (m / (1 - 0.9 ** t)) / ((v / (1 - 0.98 ** t)).sqrt() + 1e-8))

    def state_dict(self):
        return self.state

    def load_state_dict(self, state):
        self.state = state
