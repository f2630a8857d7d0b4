"""The data recipe: every topic module makes seeded samples; this mixes and splits them."""
import random

from . import definitions, dialogue, facts, lists, smalltalk, stories, sums, tools
from .text import held_out

# Shares of samples, not of tokens: stories are long, sums are short.
MIX = [(smalltalk, 12), (facts, 24), (lists, 9), (sums, 44), (definitions, 4), (stories, 18), (tools, 11), (dialogue, 17)]


def draw(rng, modules=MIX):
    """One sample of any split."""
    module = rng.choices([m for m, _ in modules], [w for _, w in modules])[0]
    maker = rng.choices([f for f, _ in module.TOPICS], [w for _, w in module.TOPICS])[0]
    return maker(rng)


def samples(seed, count, evaluation=False, modules=MIX):
    """`count` samples of the training split, or of the held-out one."""
    rng = random.Random(seed)
    made = 0
    while made < count:
        s = draw(rng, modules)
        if held_out(s.key) if evaluation else not any(map(held_out, s.keys())):
            made += 1
            yield s
