"""Conversations of several turns: follow-ups that need the turn before, memory, system prompts."""
from . import facts, smalltalk, stories, sums
from .facts import ANIMALS, COUNTRIES, OPPOSITE
from .text import Sample, a, bot, cap, listing, say, system, typed, user

PEOPLE = """Anna Ben Carla David Emma Finn Grace Henry Iris Jack Karen Leo Mia Noah Olga Paul Rosa Sam Tina Will Alex Nina
Tom Lucy Peter Maria Hans Sofia Victor Laura Martin Julia Robert Eva Daniel Sara Mark Alice George Helen Ravi Yuki Omar Lina""".split()
LIKES = "tea coffee chess football music cats dogs trains books films gardening running painting cooking stars swimming maps puzzles".split()
JOBS = "teacher baker nurse farmer student driver painter doctor writer cook sailor pilot gardener singer".split()


def _turns(rng, *pairs):
    out = []
    for q, ans in pairs:
        out += [user(typed(rng, q)), bot(ans)]
    return out


def what_about(rng):
    """'And its currency?', 'What about Spain?'"""
    c, d = rng.sample(list(COUNTRIES), 2)
    x, y = COUNTRIES[c], COUNTRIES[d]
    i = rng.randrange(len(facts.CAPITAL_ASKS))
    also = [f"capital|{c}|{i}"]
    first = (facts.CAPITAL_ASKS[i].replace("[c]", c), f"The capital of {c} is {x['capital']}.")
    if rng.random() < 0.5:
        q = say(rng, "{What about|And|How about|And what about|And for} [d]?", d=d)
        pairs = [first, (q, f"The capital of {d} is {y['capital']}.")]
        return Sample("follow-up", f"about|{c}|{d}", _turns(rng, *pairs), check={"kind": "contains", "any": [y["capital"]]}, also=also)
    f = rng.choice(("currency", "language", "continent"))
    q = {"currency": "{And its currency|What is its currency|Which currency does it use|And what money do they use there}?",
         "language": "{And its language|What language do they speak there|Which language is spoken there|And the language}?",
         "continent": "{And which continent is it on|Which continent is that on|Where is it|What continent is it in}?"}[f]
    ans = say(rng, {"currency": "The currency of [c] is the [v].", "language": "The main language of [c] is [v].", "continent": "[c] is in [v]."}[f], c=c, v=x[f])
    pairs = [first, (say(rng, q), ans)]
    if rng.random() < 0.3:
        pairs.append((say(rng, "{What about|And|How about} [d]?", d=d),
                      say(rng, {"currency": "The currency of [c] is the [v].", "language": "The main language of [c] is [v].", "continent": "[c] is in [v]."}[f], c=d, v=y[f])))
        return Sample("follow-up", f"field3|{c}|{d}|{f}", _turns(rng, *pairs), check={"kind": "contains", "any": [y[f]]}, also=also)
    return Sample("follow-up", f"field|{c}|{f}|{q[:9]}", _turns(rng, *pairs), check={"kind": "contains", "any": [x[f]]}, also=also)


def animal_about(rng):
    n, m = rng.sample([k for k in ANIMALS], 2)
    f = rng.choice(("young", "food", "class"))
    q = {"young": "What is a baby [n] called?", "food": "What does [a] eat?", "class": "What kind of animal is [a]?"}[f]
    ans = {"young": lambda k: f"A baby {k} is called {a(ANIMALS[k]['young'])}.", "food": lambda k: f"{cap(a(k))} eats {ANIMALS[k]['food']}.",
           "class": lambda k: f"{cap(a(k))} is {a(ANIMALS[k]['class'])}." if k != "shark" else "A shark is a fish."}[f]
    q = q.replace("[n]", n).replace("[a]", a(n))
    if rng.random() < 0.6:
        follow = say(rng, "{What about|And|How about} [m]?", m=a(m))
        return Sample("follow-up", f"animal|{n}|{m}|{f}", _turns(rng, (q, ans(n)), (follow, ans(m))), check={"kind": "contains", "any": [ANIMALS[m][f]]})
    g = rng.choice([k for k in ("young", "food", "class") if k != f])
    follow = {"young": "{And what is its baby called|What are its young called}?", "food": "{And what does it eat|What does it eat}?", "class": "{What kind of animal is it|And what kind of animal is that}?"}[g]
    ans2 = {"young": f"A baby {n} is called {a(ANIMALS[n]['young'])}.", "food": f"{cap(a(n))} eats {ANIMALS[n]['food']}.", "class": f"{cap(a(n))} is {a(ANIMALS[n]['class'])}." if n != "shark" else "A shark is a fish."}[g]
    return Sample("follow-up", f"animalit|{n}|{f}|{g}", _turns(rng, (q, ans(n)), (say(rng, follow), ans2)), check={"kind": "contains", "any": [ANIMALS[n][g]]})


def sum_chain(rng):
    op, x, y, r = sums.operands(rng)
    while r > 100:
        op, x, y, r = sums.operands(rng)
    first = (rng.choice([f"What is {x} {op} {y}?", f"{x} {op} {y}", f"Calculate {x} {op} {y}."]), f"{x} {op} {y} = {r}.")
    kind, also = rng.randrange(4), [sums.sum_key(op, x, y)]
    if kind == 0:
        z = rng.randint(1, 20)
        q, ans, v = say(rng, "{Add [z]|Now add [z]|Plus [z]|And [z] more}{.|?}", z=z), f"{r} + {z} = {r + z}.", r + z
        also.append(sums.sum_key("+", r, z))
    elif kind == 1 and r > 1:
        z = rng.randint(1, r)
        q, ans, v = say(rng, "{Subtract [z]|Take away [z]|Minus [z]|Now subtract [z]}.", z=z), f"{r} - {z} = {r - z}.", r - z
        also.append(sums.sum_key("-", r, z))
    elif kind == 2:
        q, ans, v = say(rng, "{Double that|Double it|Now double it|Times two|Twice that}{.|?}"), f"Twice {r} is {2 * r}.", 2 * r
        also.append(f"double|{r}")
    else:
        z, w = rng.randint(1, 50), rng.randint(1, 50)
        q, ans, v = say(rng, "{And|What about} [z] + [w]?", z=z, w=w), f"{z} + {w} = {z + w}.", z + w
        also.append(sums.sum_key("+", z, w))
    return Sample("follow-up", f"chain|{x}{op}{y}|{q}", _turns(rng, first, (q, ans)), check={"kind": "number", "value": str(v)}, also=also)


def opposite_chain(rng):
    w, z = rng.sample(list(OPPOSITE), 2)
    pairs = [(f"What is the opposite of {w}?", f"The opposite of {w} is {OPPOSITE[w]}."),
             (say(rng, "{And|What about|And of} [z]?", z=z), f"The opposite of {z} is {OPPOSITE[z]}.")]
    return Sample("follow-up", f"oppchain|{w}|{z}", _turns(rng, *pairs), check={"kind": "contains", "any": [OPPOSITE[z]]})


def _middle(rng):
    """A harmless exchange to put between saying something and being asked for it."""
    s = rng.choice((facts.capital, facts.animal, sums.plain, facts.opposite, smalltalk.talk, facts.colour))(rng)
    return (s.messages[0]["content"], s.messages[1]["content"]), s.key


def remember(rng):
    n = rng.choice(PEOPLE)
    kind = rng.randrange(3)
    if kind == 0:
        q = say(rng, "{My name is|I am|I'm|Call me|Hi, I am|Hello, my name is|Hello! I'm} [n].", n=n)
        ans = say(rng, "{Nice to meet you|Hello|Pleased to meet you}, [n]! {How can I help you?|What can I do for you?}", n=n)
        ask, answer, v = say(rng, "{What is my name|What's my name|Do you remember my name|Who am I|Do you know my name}?"), f"Your name is {n}.", n
    elif kind == 1:
        l = rng.choice(LIKES)
        q = say(rng, "I {like|love|really like|enjoy} [l].", l=l)
        ans = say(rng, "{That is nice|How lovely|Good to know}! {What do you like about it?|I will remember that.|Tell me more.}")
        ask, answer, v = say(rng, "What do I {like|love|enjoy}?"), f"You like {l}.", l
    else:
        j = rng.choice(JOBS)
        q = say(rng, "{I am|I'm|I work as} [j].", j=a(j))
        ans = say(rng, "{That sounds interesting|How nice|A fine job}! {Do you like your work?|How long have you done it?}")
        ask, answer, v = say(rng, "{What is my job|What do I do|What's my work}?"), f"You are {a(j)}.", j
    between = [_middle(rng) for _ in range(rng.choice((0, 0, 1, 1, 2, 3, 6)))]
    pairs = [(q, ans)] + [m for m, _ in between] + [(ask, answer)]
    return Sample("memory", f"mem|{v}|{len(pairs)}|{ask}", _turns(rng, *pairs), check={"kind": "contains", "any": [v]}, also=[k for _, k in between])


def name_hello(rng):
    n = rng.choice(PEOPLE)
    q = say(rng, "{My name is|I am|I'm|Hi, I'm|Hello, I am|Hey, this is|Hello, my name is} [n].", n=n)
    return Sample("memory", f"hello|{n}|{q[:8]}", _turns(rng, (q, say(rng, "{Nice to meet you|Hello|Pleased to meet you}, [n]! {How can I help you?|What can I do for you?}", n=n))),
                  check={"kind": "contains", "any": [n]})


def said(rng):
    """'What did I just say?' and 'Repeat that.'"""
    s = rng.choice((facts.capital, facts.animal, sums.plain, facts.opposite, facts.unit, smalltalk.talk))(rng)
    q, ans = s.messages[0]["content"], s.messages[1]["content"]
    if rng.random() < 0.5:
        ask, answer = say(rng, "{What did I just say|What did I say|What was my question|What did I just ask|What did I ask you}?"), f'You said: "{q}"'
    else:
        ask, answer = say(rng, "{Can you repeat that|Say that again|Repeat your answer|Please repeat that|What did you say|Pardon}?"), ans
    return Sample("follow-up", f"said|{q}|{ask[:9]}", [user(q), bot(ans), user(ask), bot(answer)], check={"kind": "contains", "any": [answer]}, also=[s.key])


REASONS = [
    ("Why is the sky blue?", "Air scatters blue light from the Sun more than red light, so the sky looks blue."),
    ("Why do leaves fall in autumn?", "Trees drop their leaves to save water and energy in winter."),
    ("Why do we sleep?", "Sleep gives the body and the mind time to rest and repair."),
    ("Why is the sea salty?", "Rivers wash salt out of the rocks and carry it to the sea."),
    ("Why does ice float?", "Ice is lighter than water because water expands when it freezes."),
    ("Why do birds fly south?", "They fly south in winter to find food and warmth."),
    ("Why is the grass green?", "Grass contains chlorophyll, a green substance that catches sunlight."),
    ("Why do cats purr?", "Cats often purr when they are calm and content."),
    ("Why does it rain?", "Water rises from the sea as vapour, forms clouds and falls back as rain."),
    ("Why is there day and night?", "The Earth turns around once a day, so each side faces the Sun and then turns away."),
    ("Why do we have seasons?", "The Earth is tilted, so each half gets more sunlight in its summer and less in its winter."),
    ("Why do bees make honey?", "Bees make honey as food for the winter."),
    ("Why does the moon shine?", "The moon has no light of its own. It reflects the light of the Sun."),
    ("Why do stars twinkle?", "Moving air bends the light of the stars on its way to us."),
    ("Why is the sun hot?", "Deep inside the Sun, hydrogen turns into helium and sets free a great deal of energy."),
    ("Why do we need water?", "Our bodies are mostly water and need it for nearly everything they do."),
    ("Why do we eat?", "Food gives our bodies energy and the material to grow."),
    ("Why do dogs wag their tails?", "A wagging tail often shows that a dog is excited or happy."),
    ("How do planes fly?", "Their wings push air down as they move forward, and that lifts the plane up."),
    ("How does a boat float?", "A boat pushes water aside, and the water pushes back and holds it up."),
    ("How do plants eat?", "Plants make their food from sunlight, water and air."),
    ("How do magnets work?", "A magnet has a field around it that pulls on iron and on other magnets."),
    ("How does a rainbow form?", "Raindrops bend sunlight and split it into its colours."),
    ("How do fish breathe?", "Fish take oxygen out of the water with their gills."),
    ("How does a lamp work?", "Electric current makes a part of the lamp glow and give light."),
    ("How do I make tea?", "Boil some water, pour it over the tea, wait three minutes and take the tea out."),
    ("How do I make pancakes?", "Mix flour, milk and eggs, pour a little into a hot pan and turn it once."),
    ("How do I plant a seed?", "Put it in loose soil, cover it, water it a little and give it light."),
    ("How do I boil an egg?", "Put it in boiling water for about eight minutes, then cool it in cold water."),
    ("How do I make a sandwich?", "Take two slices of bread and put butter, cheese and some salad between them."),
    ("How do I fall asleep?", "Put the screens away, make the room dark and breathe slowly."),
    ("How do computers work?", "A computer follows simple instructions very fast, using tiny switches that are on or off."),
]


def why(rng):
    q, ans = rng.choice(REASONS)
    i = rng.randrange(4)
    asks = [q, "Can you explain: " + q[0].lower() + q[1:], "I would like to know: " + q[0].lower() + q[1:], q]
    return Sample("reasons", f"why|{q}|{i}", _turns(rng, (asks[i], ans)), check={"kind": "contains", "any": [ans[:24]]})


def shorter(rng):
    """'Make it shorter.' and 'Another one.' after a story."""
    words, plots, _ = rng.choices(stories.KINDS, [k[2] for k in stories.KINDS])[0]
    subject = rng.choice(words)
    about = subject if plots is stories.ABSTRACT_PLOTS else a(subject)
    text = stories.compose(rng, words, subject, plots)
    if rng.random() < 0.4:
        ask, answer = say(rng, "{Another one|One more|Tell me another one|Another story}{ please|}{.|!|}"), stories.compose(rng, words, subject, plots)
        return Sample("stories", f"story|{subject}", _turns(rng, (f"Tell me a story about {about}.", text), (ask, answer)),
                      check={"kind": "story", "subject": subject.split()[-1], "words": [60, 170]})
    parts = text.split(". ")
    answer = parts[0] + ". " + text[text[:-1].rfind(". ") + 2:] if ". " in text[:-1] else text
    ask = say(rng, "{Make it shorter|Shorter, please|Can you make it shorter|Tell it in two sentences|Can you say that more briefly}{.|}")
    return Sample("follow-up", f"short|{subject}|{ask[:9]}", _turns(rng, (f"Tell me a story about {about}.", text), (ask, answer)),
                  check={"kind": "story", "subject": subject.split()[-1], "words": [15, 70]}, also=[f"story|{subject}"])


def mixed(rng):
    """A longer chat: unrelated turns one after the other."""
    makers = [facts.capital, facts.country, facts.animal, facts.planet, facts.calendar, sums.plain, smalltalk.talk, smalltalk.identity, facts.grammar, facts.unit]
    pairs, keys, last = [], [], None
    for _ in range(rng.choice((2, 2, 3, 4, 5, 6, 10, 16))):
        last = rng.choice(makers)(rng)
        pairs.append((last.messages[0]["content"], last.messages[1]["content"]))
        keys.append(last.key)
    if rng.random() < 0.2:
        last = stories.story(rng)
        pairs.append((last.messages[0]["content"], last.messages[1]["content"]))
        keys.append(last.key)
    return Sample("chat", f"mixed|{last.key}", _turns(rng, *pairs), check=last.check, also=keys)


BRIEF = ["Answer briefly.", "Be brief.", "Answer in one word.", "Give short answers.", "Reply with one word only."]
PERSONAS = ["Captain Brine|pirate", "Professor Quill|teacher", "Nimbus|robot", "Rosie|gardener", "Sir Galen|knight", "Chef Marlo|cook", "Orbit|space guide",
            "Luna|librarian", "Max|coach", "Ada|assistant", "Pixel|robot", "Sage|helper", "Echo|assistant", "Iris|guide", "Milo|tutor", "Nova|assistant"]


def with_system(rng):
    roll = rng.random()
    if roll < 0.3:
        s = rng.choice((facts.capital, facts.country, facts.opposite, sums.plain, facts.animal))(rng)
        v = s.check.get("value") or s.check["any"][0]
        return Sample("system", "brief|" + s.key, [system(rng.choice(BRIEF)), s.messages[0], bot(cap(v) + ".")], check={"kind": "exact", "value": v}, also=[s.key])
    if roll < 0.65:
        name, job = rng.choice(PERSONAS).split("|")
        sys_text = say(rng, "{You are [n], {a friendly|a helpful|a cheerful|an old} [j].|Your name is [n]. You are {a friendly|a helpful} [j].|You are [n] the [j]{. Be friendly|}.}", n=name, j=job)
        if rng.random() < 0.5:
            ask, answer = say(rng, "{Who are you?|What is your name?|What's your name?|Introduce yourself.}"), say(rng, "I am [n], {your [j]|[x]}. How can I help you?", n=name, j=job, x=a(job))
        else:
            ask, answer = say(rng, "{Hi|Hello|Hey|Good morning}{!|.|}"), say(rng, "Hello! I am [n], {your [j]|[x]}. How can I help you?", n=name, j=job, x=a(job))
        return Sample("system", f"persona|{name}|{ask[:7]}", [system(sys_text), user(ask), bot(answer)], check={"kind": "contains", "any": [name]})
    if roll < 0.8:
        n = rng.choice(PEOPLE)
        sys_text = say(rng, "{The user's name is|The user is called|You are talking to} [n].", n=n)
        if rng.random() < 0.5:
            ask, answer = say(rng, "{Hi|Hello|Good evening}!"), say(rng, "Hello, [n]! How can I help you?", n=n)
        else:
            ask, answer = say(rng, "{What is my name|Do you know my name|Who am I}?"), f"Your name is {n}."
        return Sample("system", f"sysname|{n}|{ask[:5]}", [system(sys_text), user(ask), bot(answer)], check={"kind": "contains", "any": [n]})
    s = rng.choice((smalltalk.talk, facts.capital, facts.animal, sums.plain, stories.story))(rng)
    sys_text = rng.choice(["You are a helpful assistant.", "You are a friendly assistant.", "You are a helpful AI assistant.", "Be polite and clear.",
                           "Answer the questions of the user.", "You are Starling's starter model."])
    return Sample(s.topic, s.key, [system(sys_text)] + s.messages, check=s.check)


TOPICS = [(what_about, 5), (animal_about, 2), (sum_chain, 3), (opposite_chain, 1), (remember, 4), (name_hello, 4), (said, 2), (why, 2),
          (shorter, 2), (mixed, 5), (with_system, 6)]
