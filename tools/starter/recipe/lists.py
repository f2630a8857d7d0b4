"""Short lists of a kind, saying things again, and yes-or-no questions about kinds."""
from . import facts, stories
from .text import Sample, a, bot, cap, listing, say, spelled, typed, user

KINDS = {k: v.split() for k, v in {
    "fruits": "apple pear banana cherry orange lemon plum grape peach strawberry mango melon",
    "vegetables": "carrot potato onion cabbage pea bean tomato cucumber lettuce pumpkin spinach leek",
    "animals": "dog cat horse cow lion bear fox owl rabbit elephant frog whale",
    "birds": "owl eagle duck swan crow sparrow starling penguin robin goose parrot hen",
    "colours": "red blue green yellow white black orange purple pink brown grey",
    "trees": "oak pine birch maple willow poplar beech elm ash",
    "flowers": "rose tulip daisy lily violet sunflower poppy orchid iris",
    "tools": "hammer saw drill spade axe screwdriver file wrench",
    "instruments": "piano violin guitar drum flute trumpet harp cello",
    "sports": "football tennis swimming running cycling rowing chess boxing skiing",
    "drinks": "water tea coffee milk juice lemonade cocoa",
    "clothes": "shirt coat hat shoe sock scarf glove dress jacket",
    "insects": "bee ant butterfly beetle fly wasp mosquito ladybird",
    "fish": "salmon trout tuna cod herring carp eel",
    "metals": "iron gold silver copper tin lead zinc",
    "jobs": "baker teacher nurse farmer sailor doctor cook pilot tailor",
}.items()}
KINDS["countries"] = list(facts.COUNTRIES)
KINDS["capitals"] = [c["capital"] for c in facts.COUNTRIES.values()]
ONE = {"fruits": "fruit", "vegetables": "vegetable", "animals": "animal", "birds": "bird", "colours": "colour", "trees": "tree", "flowers": "flower", "tools": "tool",
       "instruments": "instrument", "drinks": "drink", "insects": "insect", "metals": "metal"}
WORDS = sorted({w for k in ("fruits", "animals", "tools", "flowers", "jobs", "clothes") for w in KINDS[k]})
ANY = sorted({*WORDS, *stories.PLACES, *stories.ANIMALS, *stories.OBJECTS, *stories.GIRLS, *stories.BOYS, *KINDS["capitals"], *KINDS["countries"]})


def name_some(rng):
    kind = rng.choice(list(KINDS))
    n = rng.randint(2, 5)
    items = rng.sample(KINDS[kind], n)
    q = say(rng, "{Name|List|Give me|Tell me|Can you name} {[n]|[w]} [k]{ please|}.", n=n, w=spelled(n), k=kind)
    form = rng.random()
    if form < 0.25:
        q = q.rstrip(".") + " as a list."
        text = "\n".join("- " + cap(i) for i in items)
    else:
        text = cap(listing(items)) + "."
    return Sample("lists", f"some|{kind}|{n}|{q[:7]}", [user(typed(rng, q)), bot(text)], check={"kind": "list", "of": KINDS[kind], "count": n})


def is_it(rng):
    kind = rng.choice(list(ONE))
    word = rng.choice(KINDS[kind] if rng.random() < 0.5 else KINDS[rng.choice(list(ONE))])
    yes = word in KINDS[kind] or (kind == "animals" and word in sum((KINDS[k] for k in ("birds", "insects", "fish")), []))
    right = ONE[kind] if yes else next(ONE[k] for k in ONE if word in KINDS[k])
    w = word if word in KINDS["colours"] + KINDS["metals"] + KINDS["drinks"] else a(word)
    q = say(rng, "{Is [x] [k]|Would you call [x] [k]}?", x=w, k=a(ONE[kind]))
    text = f"Yes, {w} is {a(right)}." if yes else f"No, {w} is {a(right)}."
    return Sample("lists", f"isit|{word}|{kind}", [user(typed(rng, q)), bot(text)], check={"kind": "contains", "any": ["Yes" if yes else "No"]})


def echo(rng):
    n = rng.randint(1, 8)
    words = " ".join(rng.choice(ANY) for _ in range(n))
    q = say(rng, "{Repeat after me|Say this|Say|Repeat|Write}: [w]", w=words)
    text = cap(words) + "."
    if rng.random() < 0.3:
        q = say(rng, "{Write this in capital letters|In capitals, please}: [w]", w=words)
        text = words.upper()
    return Sample("lists", f"echo|{words}", [user(q), bot(text)], check={"kind": "contains", "any": [text.rstrip(".")]})


def order(rng):
    n = rng.randint(3, 5)
    if rng.random() < 0.6:
        items = [str(x) for x in rng.sample(range(1, 60), n)]
        done = sorted(items, key=int)
        q = say(rng, "{Sort|Put in order}{ these numbers|}: [w]", w=", ".join(items))
    else:
        items = rng.sample(WORDS, n)
        done = sorted(items)
        q = say(rng, "{Sort these words by the alphabet|Put in alphabetical order}: [w]", w=", ".join(items))
    text = ", ".join(done)
    return Sample("lists", f"order|{text}", [user(typed(rng, q)), bot(cap(text) + ".")], check={"kind": "contains", "any": [text]})


TOPICS = [(name_some, 5), (is_it, 3), (echo, 10), (order, 2)]
