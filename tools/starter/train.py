#!/usr/bin/python3
"""Train one model on token files, on as many single-threaded worker processes as there are cores.

Workers share the parameters and one gradient buffer each; every step they take micro-batches
from a common counter, meet, and each updates its part of the parameters. One thread per worker
and one meeting per step keep the speed when other programs want the same cores. With --device
there is one worker, in this process, on that device.

Schedule: warm-up, constant, then linear decay to zero over the last part of the run. The run
ends at --steps, or at --until (UTC, HH:MM), whichever is given; with --until the decay follows
the clock. Checkpoints hold parameters, optimizer and step, and a run with the same --out resumes.
"""
import argparse
import datetime
import os
import threading
import time

import numpy as np
import torch
import torch.multiprocessing as mp
import torch.nn.functional as F

import parameters
from model import PRESETS, Config, Starter
from optim import Optimizer
from tokenizer import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
POOL = 4096             # samples sorted by length together
DECAY_FROM = 0.65       # share of the run after which the rate falls


class Batches:
    """Step number -> micro-batches. A pure function of the seed, so any worker can compute any step."""

    def __init__(self, path, seed, per_step, micro_tokens):
        d = np.load(path)
        self.ids, self.learn, self.ends = d["ids"], d["learn"], d["ends"]
        self.seed, self.per_step, self.pool_no, self.micro = seed, per_step, -1, []
        self.count, self.micro_tokens = len(self.ends) - 1, micro_tokens
        self.start = []      # first micro-batch number of each pool seen so far

    def _pool(self, number):
        pools = max(1, self.count // POOL)
        epoch, part = divmod(number, pools)
        order = np.random.default_rng((self.seed, epoch)).permutation(self.count)[part * POOL:(part + 1) * POOL]
        length = self.ends[order + 1] - self.ends[order]
        order = order[np.argsort(length, kind="stable")]
        micro, current = [], []
        for k in order:
            n = int(self.ends[k + 1] - self.ends[k])
            if current and n * (len(current) + 1) > self.micro_tokens:
                micro.append(current)
                current = []
            current.append(int(k))
        micro.append(current)
        np.random.default_rng((self.seed, number, 7)).shuffle(micro)
        return micro

    def step(self, number):
        """The sample groups of one step; steps walk the pools in order."""
        if not self.start:
            self.start, self.micro, self.pool_no = [0], self._pool(0), 0
        while number < self.start[self.pool_no] // self.per_step:
            raise ValueError("steps only go forward")
        while (number - self.start[self.pool_no] + 1) * self.per_step > len(self.micro):
            used = len(self.micro) // self.per_step
            self.start.append(self.start[self.pool_no] + used)
            self.pool_no += 1
            self.micro = self._pool(self.pool_no)
        at = (number - self.start[self.pool_no]) * self.per_step
        return self.micro[at:at + self.per_step]

    def tensors(self, group):
        """-> ids [n, t], targets [n, t], weight [n, t] (0 where nothing is learnt)."""
        n = max(int(self.ends[k + 1] - self.ends[k]) for k in group)
        ids = np.zeros((len(group), n), np.int64)
        weight = np.zeros((len(group), n), np.float32)
        for row, k in enumerate(group):
            lo, hi = self.ends[k], self.ends[k + 1]
            ids[row, :hi - lo] = self.ids[lo:hi]
            learn = self.learn[lo:hi]
            # short answers count more per token than long stories
            weight[row, :hi - lo] = learn * np.clip((40 / max(1, learn.sum())) ** 0.5, 0.5, 2.5)
        return torch.from_numpy(ids[:, :-1]), torch.from_numpy(ids[:, 1:]), torch.from_numpy(weight[:, 1:])


def scale_at(progress, step, warmup=50):
    up = min(1.0, (step + 1) / warmup)
    down = 1.0 if progress < DECAY_FROM else max(0.0, (1 - progress) / (1 - DECAY_FROM))
    return up * down


def flat_views(model, flat):
    """Gradient views of one shared buffer, in parameter order."""
    at = 0
    for p in model.parameters():
        p.grad = flat[at:at + p.numel()].view_as(p)
        at += p.numel()


def worker(rank, world, a, model, grads, shared, barrier, counter):
    torch.set_num_threads(1)
    batches, device = Batches(a.data, a.seed, a.micro, a.micro_tokens), a.device
    opt = Optimizer(model, rank=rank, world=world, lr=a.lr, embd_lr=a.embd_lr, adam_lr=a.adam_lr)
    part = f"{a.out}.opt{rank}"
    if os.path.exists(part) and shared[0] > 0:
        opt.load_state_dict(torch.load(part, map_location=device))
    flat_views(model, grads[rank])
    tok = Tokenizer.load(f"{HERE}/tokenizer.json")
    begun, tokens, last = time.time(), 0, time.time()
    losses = []
    while True:
        step = int(shared[0])
        groups = batches.step(step)
        total = sum(float(batches.tensors(g)[2].sum()) for g in groups)
        grads[rank].zero_()
        loss_sum = 0.0
        while True:
            with counter.get_lock():
                mine = counter.value
                counter.value += 1
            if mine >= len(groups):
                break
            ids, targets, weight = (x.to(device) for x in batches.tensors(groups[mine]))
            h, balance = model.hidden(ids)
            where = weight > 0
            ce = F.cross_entropy(model.logits(h[where]), targets[where], reduction="none")
            loss = (ce * weight[where]).sum() / total
            (loss + 0.01 * balance / len(groups)).backward()
            loss_sum += float(loss)
        shared[2 + rank] = loss_sum
        barrier.wait()
        if rank == 0:
            counter.value = 0
            now = time.time()
            progress = (now - a.begin) / (a.end - a.begin) if a.end else step / a.steps
            shared[1] = progress
        barrier.wait()
        opt.step(scale_at(float(shared[1]), step), grads, model)
        barrier.wait()
        if rank == 0:
            shared[0] += 1
        done = float(shared[1]) >= 1
        if rank == 0:
            losses.append(float(shared[2:2 + world].sum()))
            tokens += sum(batches.tensors(g)[0].numel() for g in groups)
            if (step + 1) % 20 == 0:
                now = time.time()
                print(f"{datetime.datetime.utcnow():%H:%M:%S} step {step + 1} loss {np.mean(losses[-20:]):.3f} "
                      f"progress {float(shared[1]):.3f} {tokens / (now - begun):.0f} tokens/s", flush=True)
            saving = done or time.time() - last > a.every
            shared[2 + world] = 1.0 if saving else 0.0
        barrier.wait()
        if shared[2 + world] > 0:
            torch.save(opt.state_dict(), part + ".tmp")
            os.replace(part + ".tmp", part)
            if rank == 0:
                last = time.time()
                torch.save({"config": model.c.as_dict(), "model": {k: v.cpu() for k, v in model.state_dict().items()}, "step": step + 1, "begin": a.begin}, a.out + ".tmp")
                os.replace(a.out + ".tmp", a.out)
                show(model, tok)
        barrier.wait()
        if done:
            return


PROMPTS = ["Hello!", "Who are you?", "What is the capital of Japan?", "What is 27 + 35?", "Tell me a story about a lighthouse."]


def show(model, tok):
    for p in PROMPTS:
        ids = tok.encode(f"<|im_start|>user\n{p}<|im_end|>\n<|im_start|>assistant\n")
        print("   >", p, "|", tok.decode(model.generate(ids, tok.stop, 60 if p != PROMPTS[-1] else 130)), flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--preset", choices=PRESETS, default="main")
    p.add_argument("--data", required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--init", help="start from the parameters of this checkpoint or GGUF")
    p.add_argument("--steps", type=int, default=0)
    p.add_argument("--until", help="UTC time HH:MM")
    p.add_argument("--micro", type=int, default=4, help="micro-batches per step")
    p.add_argument("--micro-tokens", type=int, default=768, help="padded tokens in a micro-batch; 768 fit the caches of one core")
    p.add_argument("--device", default="cpu")
    p.add_argument("--lr", type=float, default=0.02)
    p.add_argument("--embd-lr", type=float, default=0.04)
    p.add_argument("--adam-lr", type=float, default=0.004)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--workers", type=int, default=os.cpu_count())
    p.add_argument("--every", type=int, default=180, help="seconds between checkpoints")
    a = p.parse_args()
    torch.manual_seed(a.seed)
    model = Starter(Config(**PRESETS[a.preset]))
    step, a.begin, a.end = 0, time.time(), 0
    if a.until:
        day = datetime.datetime.now(datetime.timezone.utc)
        hour, minute = map(int, a.until.split(":"))
        a.end = day.replace(hour=hour, minute=minute, second=0).timestamp()
    if os.path.exists(a.out):
        saved = torch.load(a.out)
        model.load_state_dict(saved["model"])
        step, a.begin = saved["step"], saved["begin"]
    elif a.init:
        model.load_state_dict(parameters.load(a.init, model.state_dict()))
    if a.device == "cpu":
        model.share_memory()
    else:
        model.to(a.device)
        a.workers = 1
    size = sum(q.numel() for q in model.parameters())
    print(f"{a.preset}: {size / 1e6:.2f} M parameters, from step {step}", flush=True)
    grads = [torch.zeros(size, device=a.device) for _ in range(a.workers)]
    shared = torch.zeros(3 + a.workers, dtype=torch.float64).share_memory_()
    shared[0] = step
    if a.device != "cpu":
        return worker(0, 1, a, model, grads, shared, threading.Barrier(1), mp.Value("i", 0))
    for g in grads:
        g.share_memory_()
    context = mp.get_context("spawn")
    barrier, counter = context.Barrier(a.workers), context.Value("i", 0)
    procs = [context.Process(target=worker, args=(r, a.workers, a, model, grads, shared, barrier, counter)) for r in range(a.workers)]
    for q in procs:
        q.start()
    for q in procs:
        q.join()
    raise SystemExit(max(q.exitcode for q in procs))


if __name__ == "__main__":
    main()
