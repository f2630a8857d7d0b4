"""'What is a harbour?': glosses from WordNet (see definitions.tsv)."""
import os

from .text import Sample, a, bot, cap, typed, user

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "definitions.tsv"), encoding="utf-8") as _f:
    GLOSSES = dict(line.rstrip("\n").split("\t") for line in _f if not line.startswith("#"))
ASKS = ["What is [a]?", "What does \"[w]\" mean?", "Define [w].", "What does the word [w] mean?", "Explain the word [w].",
        "What's [a]?", "Meaning of [w]?", "Give me a short definition of [w].", "Do you know what [a] is?"]


def definition(rng):
    w = rng.choice(list(GLOSSES))
    i = rng.randrange(len(ASKS))
    return Sample("definitions", f"def|{w}|{i}", [user(typed(rng, ASKS[i].replace("[a]", a(w)).replace("[w]", w))), bot(f"{cap(w)}: {GLOSSES[w]}.")],
                  check={"kind": "contains", "any": [GLOSSES[w]]})


TOPICS = [(definition, 1)]
