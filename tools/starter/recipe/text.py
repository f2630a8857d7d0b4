"""Small text helpers shared by every topic: a seeded phrase expander and grammar bits."""
import re
import zlib
from dataclasses import dataclass, field

HELD_OUT_SHARE = 16  # one key in sixteen is never trained on


def held_out(key):
    """True for the samples that belong to the evaluation, by a stable hash of their key."""
    return zlib.crc32(("starling:" + key).encode()) % HELD_OUT_SHARE == 0


@dataclass
class Sample:
    """One conversation.

    `key` decides the split; `also` holds the keys of what else is said in it, so that nothing held
    out is trained inside another conversation; `check` tells eval how to score the last turn.
    """
    topic: str
    key: str
    messages: list
    tools: list = None
    check: dict = field(default_factory=dict)
    also: list = field(default_factory=list)

    def keys(self):
        return [self.key, *self.also]


_choice = re.compile(r"\{([^{}]*)\}")


def say(rng, pattern, **slots):
    """Expand {a|b|c} choices (nested ones too), then fill [slot] names."""
    while True:
        m = _choice.search(pattern)
        if not m:
            break
        pattern = pattern[:m.start()] + rng.choice(m.group(1).split("|")) + pattern[m.end():]
    for name, value in slots.items():
        pattern = pattern.replace(f"[{name}]", str(value))
    return re.sub(r" +", " ", pattern).strip()


def a(noun):
    """'a lighthouse', 'an owl'."""
    silent = noun.startswith(("hour", "honest"))
    hard = noun.startswith(("uni", "use", "one", "euro"))
    return ("an " if (noun[0] in "aeiouAEIOU" and not hard) or silent else "a ") + noun


def cap(text):
    return text[:1].upper() + text[1:]


def listing(items, word="and"):
    items = list(items)
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + f" {word} " + items[-1]


def typed(rng, text):
    """What a user would really type: now and then no capital, no full stop, a please."""
    roll = rng.random()
    if roll < 0.10:
        text = text.lower()
    if rng.random() < 0.12:
        text = text.rstrip(".?!")
    if rng.random() < 0.05:
        text = rng.choice(["Hey, ", "Okay. ", "So, ", "Quick question: "]) + text[:1].lower() + text[1:]
    return text


def user(text):
    return {"role": "user", "content": text}


def bot(text):
    return {"role": "assistant", "content": text}


def system(text):
    return {"role": "system", "content": text}


NUMBERS = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
           "fifteen sixteen seventeen eighteen nineteen").split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def spelled(n):
    """0..100 in words."""
    if n < 20:
        return NUMBERS[n]
    if n == 100:
        return "one hundred"
    return TENS[n // 10 - 2] + ("-" + NUMBERS[n % 10] if n % 10 else "")
