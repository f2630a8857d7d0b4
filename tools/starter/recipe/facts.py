"""Tables of plain facts and the questions asked about them."""
from .text import Sample, a, bot, cap, listing, say, typed, user

# country: capital, continent, language, currency
COUNTRIES = {}
for line in """France|Paris|Europe|French|euro
Germany|Berlin|Europe|German|euro
Spain|Madrid|Europe|Spanish|euro
Italy|Rome|Europe|Italian|euro
Portugal|Lisbon|Europe|Portuguese|euro
Austria|Vienna|Europe|German|euro
Greece|Athens|Europe|Greek|euro
Ireland|Dublin|Europe|English|euro
Finland|Helsinki|Europe|Finnish|euro
Belgium|Brussels|Europe|Dutch|euro
Poland|Warsaw|Europe|Polish|zloty
Sweden|Stockholm|Europe|Swedish|krona
Norway|Oslo|Europe|Norwegian|krone
Denmark|Copenhagen|Europe|Danish|krone
Hungary|Budapest|Europe|Hungarian|forint
Romania|Bucharest|Europe|Romanian|leu
Iceland|Reykjavik|Europe|Icelandic|krona
Ukraine|Kyiv|Europe|Ukrainian|hryvnia
England|London|Europe|English|pound
Scotland|Edinburgh|Europe|English|pound
Switzerland|Bern|Europe|German|franc
Turkey|Ankara|Asia|Turkish|lira
Russia|Moscow|Europe|Russian|rouble
China|Beijing|Asia|Chinese|yuan
Japan|Tokyo|Asia|Japanese|yen
India|New Delhi|Asia|Hindi|rupee
Nepal|Kathmandu|Asia|Nepali|rupee
Thailand|Bangkok|Asia|Thai|baht
Vietnam|Hanoi|Asia|Vietnamese|dong
Indonesia|Jakarta|Asia|Indonesian|rupiah
South Korea|Seoul|Asia|Korean|won
Israel|Jerusalem|Asia|Hebrew|shekel
Iran|Tehran|Asia|Persian|rial
Egypt|Cairo|Africa|Arabic|pound
Kenya|Nairobi|Africa|Swahili|shilling
Morocco|Rabat|Africa|Arabic|dirham
Nigeria|Abuja|Africa|English|naira
Ethiopia|Addis Ababa|Africa|Amharic|birr
Ghana|Accra|Africa|English|cedi
Canada|Ottawa|North America|English|dollar
Mexico|Mexico City|North America|Spanish|peso
Cuba|Havana|North America|Spanish|peso
Brazil|Brasilia|South America|Portuguese|real
Argentina|Buenos Aires|South America|Spanish|peso
Chile|Santiago|South America|Spanish|peso
Peru|Lima|South America|Spanish|sol
Colombia|Bogota|South America|Spanish|peso
Australia|Canberra|Oceania|English|dollar
New Zealand|Wellington|Oceania|English|dollar""".splitlines():
    _c, *_rest = line.split("|")
    COUNTRIES[_c] = dict(zip(("capital", "continent", "language", "currency"), _rest))

# animal: young, sound, class, home, food
ANIMALS = {}
for line in """dog|puppy|barks|mammal|a kennel|meat
cat|kitten|meows|mammal|a house|fish
cow|calf|moos|mammal|a barn|grass
horse|foal|neighs|mammal|a stable|hay
sheep|lamb|bleats|mammal|a field|grass
pig|piglet|oinks|mammal|a sty|almost anything
goat|kid|bleats|mammal|the hills|leaves
duck|duckling|quacks|bird|a pond|seeds
hen|chick|clucks|bird|a coop|grain
goose|gosling|honks|bird|a lake|grass
owl|owlet|hoots|bird|the woods|mice
lion|cub|roars|mammal|the savanna|meat
bear|cub|growls|mammal|a den|berries and fish
wolf|pup|howls|mammal|the forest|meat
fox|cub|barks|mammal|a den|mice
frog|tadpole|croaks|amphibian|a pond|insects
snake|hatchling|hisses|reptile|a burrow|mice
bee|larva|buzzes|insect|a hive|nectar
rabbit|kit|squeaks|mammal|a burrow|grass
mouse|pup|squeaks|mammal|a hole|seeds
elephant|calf|trumpets|mammal|the savanna|leaves
swan|cygnet|hisses|bird|a lake|water plants
kangaroo|joey|grunts|mammal|Australia|grass
whale|calf|sings|mammal|the ocean|krill
butterfly|caterpillar|makes no sound|insect|the garden|nectar
spider|spiderling|makes no sound|arachnid|a web|insects
penguin|chick|squawks|bird|the Antarctic|fish
turtle|hatchling|is mostly silent|reptile|the sea|water plants
shark|pup|is silent|fish|the ocean|fish
eagle|eaglet|screeches|bird|the mountains|fish""".splitlines():
    _c, *_rest = line.split("|")
    ANIMALS[_c] = dict(zip(("young", "sound", "class", "home", "food"), _rest))

LEGS = {"mammal": 4, "bird": 2, "insect": 6, "arachnid": 8, "amphibian": 4}
LEGLESS = {"whale", "snake", "shark"}

PLANETS = [("Mercury", "the smallest planet and the closest to the Sun"),
           ("Venus", "the hottest planet, wrapped in thick clouds"),
           ("Earth", "our home, the only planet known to have life"),
           ("Mars", "a cold, dusty world called the red planet"),
           ("Jupiter", "the largest planet, with a great red spot"),
           ("Saturn", "a giant planet famous for its bright rings"),
           ("Uranus", "an icy giant that spins on its side"),
           ("Neptune", "a dark blue, windy planet far from the Sun")]
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()

COLOURS = dict(l.split("|") for l in """the sky|blue
grass|green
a banana|yellow
a lemon|yellow
snow|white
coal|black
a tomato|red
blood|red
an orange|orange
a carrot|orange
milk|white
a strawberry|red
the sun|yellow
a cherry|red
chocolate|brown
a plum|purple
an elephant|grey
a flamingo|pink
the sea|blue
a frog|green
a ripe pumpkin|orange
a polar bear|white
a crow|black
a leaf in summer|green""".splitlines())
MIXES = {("red", "blue"): "purple", ("red", "yellow"): "orange", ("blue", "yellow"): "green",
         ("red", "white"): "pink", ("black", "white"): "grey"}

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = ("January February March April May June July August September October November "
          "December").split()
LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
SEASONS = {"spring": "March, April and May", "summer": "June, July and August",
           "autumn": "September, October and November", "winter": "December, January and February"}

UNITS = dict(l.split("|") for l in """seconds in a minute|60
minutes in an hour|60
hours in a day|24
days in a week|7
days in a year|365
days in a leap year|366
months in a year|12
weeks in a year|52
years in a decade|10
years in a century|100
centimetres in a metre|100
metres in a kilometre|1000
grams in a kilogram|1000
millimetres in a centimetre|10
items in a dozen|12
items in a pair|2
letters in the English alphabet|26
sides on a triangle|3
sides on a square|4
sides on a hexagon|6
sides on a pentagon|5
sides on an octagon|8
legs on a spider|8
legs on an insect|6
legs on a dog|4
planets in the solar system|8
continents on Earth|7
colours in a rainbow|7
strings on a violin|4
strings on a guitar|6
players in a football team|11
wheels on a bicycle|2
wheels on a car|4
bits in a byte|8
cents in a dollar|100
degrees in a circle|360
degrees in a right angle|90
minutes in half an hour|30
hours in two days|48
days in a fortnight|14
millilitres in a litre|1000
arms on an octopus|8
teeth in an adult mouth|32""".splitlines())

OPPOSITES = [p.split("-") for p in """hot-cold big-small tall-short fast-slow happy-sad day-night
up-down left-right open-closed light-dark hard-soft wet-dry old-young rich-poor loud-quiet early-late
full-empty strong-weak near-far high-low good-bad clean-dirty thick-thin wide-narrow heavy-light
brave-afraid true-false first-last inside-outside begin-end buy-sell push-pull win-lose love-hate
laugh-cry sweet-bitter smooth-rough deep-shallow awake-asleep alive-dead easy-difficult safe-dangerous
cheap-expensive front-back north-south east-west arrive-leave remember-forget polite-rude
ancient-modern always-never more-less before-after black-white give-take question-answer
friend-enemy summer-winter morning-evening""".split()]
_one_way = {"light", "short"}
OPPOSITE = {}
for _x, _y in OPPOSITES:
    OPPOSITE.setdefault(_x, _y)
    if _y not in _one_way:
        OPPOSITE.setdefault(_y, _x)
OPPOSITE["short"] = "long"
OPPOSITE["long"] = "short"

PLURALS = dict(p.split("-") for p in """mouse-mice child-children foot-feet tooth-teeth man-men woman-women
goose-geese person-people leaf-leaves wolf-wolves knife-knives life-lives baby-babies city-cities
story-stories box-boxes bus-buses fish-fish sheep-sheep deer-deer dog-dogs cat-cats tree-trees
house-houses book-books apple-apples star-stars church-churches dish-dishes glass-glasses
potato-potatoes tomato-tomatoes hero-heroes berry-berries puppy-puppies day-days key-keys shelf-shelves
half-halves ox-oxen cactus-cacti brush-brushes fox-foxes lady-ladies party-parties piano-pianos
boat-boats bird-birds river-rivers cloud-clouds watch-watches""".split())
PAST = dict(p.split("-") for p in """go-went eat-ate run-ran see-saw take-took give-gave come-came
write-wrote read-read make-made say-said think-thought buy-bought bring-brought catch-caught
teach-taught sing-sang swim-swam drink-drank begin-began fly-flew know-knew grow-grew throw-threw
speak-spoke break-broke wake-woke drive-drove ride-rode sleep-slept keep-kept feel-felt leave-left
find-found tell-told sell-sold hold-held stand-stood sit-sat win-won lose-lost walk-walked play-played
jump-jumped look-looked laugh-laughed open-opened help-helped""".split())

ELEMENTS = dict(p.split("-") for p in """hydrogen-H oxygen-O carbon-C nitrogen-N helium-He iron-Fe gold-Au
silver-Ag copper-Cu sodium-Na calcium-Ca zinc-Zn lead-Pb tin-Sn neon-Ne chlorine-Cl sulfur-S
potassium-K""".split())

PEOPLE = [l.split("|") for l in """Romeo and Juliet|wrote|William Shakespeare
Hamlet|wrote|William Shakespeare
Don Quixote|wrote|Miguel de Cervantes
Oliver Twist|wrote|Charles Dickens
Pride and Prejudice|wrote|Jane Austen
War and Peace|wrote|Leo Tolstoy
Alice in Wonderland|wrote|Lewis Carroll
Frankenstein|wrote|Mary Shelley
the Mona Lisa|painted|Leonardo da Vinci
The Starry Night|painted|Vincent van Gogh
the telephone|invented|Alexander Graham Bell
the light bulb|invented|Thomas Edison
the printing press|invented|Johannes Gutenberg
the theory of relativity|developed|Albert Einstein
penicillin|discovered|Alexander Fleming
radium|discovered|Marie Curie
the law of gravity|described|Isaac Newton
the World Wide Web|invented|Tim Berners-Lee
the Fifth Symphony|composed|Ludwig van Beethoven
The Magic Flute|composed|Wolfgang Amadeus Mozart
The Four Seasons|composed|Antonio Vivaldi
the Linux kernel|started|Linus Torvalds
the theory of evolution|proposed|Charles Darwin""".splitlines()]

SUPERLATIVES = [l.split("|") for l in """the largest ocean|the Pacific Ocean
the highest mountain|Mount Everest
the longest river in Africa|the Nile
the largest animal|the blue whale
the fastest land animal|the cheetah
the tallest animal|the giraffe
the largest planet|Jupiter
the smallest planet|Mercury
the largest continent|Asia
the smallest continent|Australia
the largest desert of sand|the Sahara
the largest country by area|Russia
the closest star to Earth|the Sun
the hardest natural material|diamond
the largest bird|the ostrich
the largest land animal|the elephant
the coldest continent|Antarctica
the hottest planet|Venus
the longest bone in the body|the thigh bone
the largest organ of the body|the skin""".splitlines()]


def ask(rng, topic, key, question, answer, expect):
    """One question and one answer; key is topic|subject|question shape."""
    return Sample(topic, key, [user(typed(rng, question)), bot(answer)],
                  check={"kind": "contains", "any": [expect]})


def _pick(rng, shapes):
    i = rng.randrange(len(shapes))
    return i, shapes[i]


CAPITAL_ASKS = ["What is the capital of [c]?", "What's the capital of [c]?", "Name the capital of [c].",
                "Which city is the capital of [c]?", "Tell me the capital of [c].", "[c]'s capital?",
                "Capital of [c]?", "Do you know the capital of [c]?", "What is the capital city of [c]?",
                "What is [c]'s capital?", "Can you tell me the capital of [c]?"]
FIELD_ASKS = {
    "continent": (["Which continent is [c] in?", "What continent is [c] on?", "Where is [c]?",
                   "Is [c] in Europe or somewhere else?", "On which continent is [c]?"],
                  "[c] is in [v]."),
    "language": (["What language do people speak in [c]?", "Which language is spoken in [c]?",
                  "What is the main language of [c]?", "What do they speak in [c]?"],
                 "{The main language of [c] is [v].|People in [c] mostly speak [v].}"),
    "currency": (["What currency does [c] use?", "What money is used in [c]?",
                  "What is the currency of [c]?", "Which currency do they have in [c]?"],
                 "{The currency of [c] is the [v].|[c] uses the [v].}"),
}


def capital(rng):
    c = rng.choice(list(COUNTRIES))
    v = COUNTRIES[c]["capital"]
    if rng.random() < 0.2:
        i, q = _pick(rng, ["Which country has [v] as its capital?", "[v] is the capital of which country?",
                           "Of which country is [v] the capital?", "What country is [v] the capital of?"])
        return ask(rng, "capitals", f"capof|{c}|{i}", q.replace("[v]", v), f"{v} is the capital of {c}.", c)
    i, q = _pick(rng, CAPITAL_ASKS)
    return ask(rng, "capitals", f"capital|{c}|{i}", q.replace("[c]", c), f"The capital of {c} is {v}.", v)


def country(rng):
    c = rng.choice(list(COUNTRIES))
    what = rng.choice(list(FIELD_ASKS))
    asks, answer = FIELD_ASKS[what]
    i, q = _pick(rng, asks)
    v = COUNTRIES[c][what]
    return ask(rng, "countries", f"{what}|{c}|{i}", q.replace("[c]", c), say(rng, answer, c=c, v=v), v)


def animal(rng):
    n = rng.choice(list(ANIMALS))
    d = ANIMALS[n]
    what = rng.choice(("young", "sound", "class", "home", "food", "legs"))
    if what == "young":
        i, q = _pick(rng, ["What is a baby [n] called?", "What do you call a young [n]?",
                           "What's the name for a baby [n]?", "A baby [n] is called what?"])
        ans, v = f"A baby {n} is called {a(d['young'])}.", d["young"]
    elif what == "sound":
        i, q = _pick(rng, ["What sound does [a] make?", "What noise does [a] make?", "How does [a] sound?"])
        ans, v = f"{cap(a(n))} {d['sound']}.", d["sound"]
    elif what == "class":
        i, q = _pick(rng, ["What kind of animal is [a]?", "Is [a] a mammal?", "What type of animal is [a]?"])
        ans, v = f"{cap(a(n))} is {a(d['class'])}." if d["class"] != "fish" else f"{cap(a(n))} is a fish.", d["class"]
        if i == 1:
            ans = ("Yes, " if v == "mammal" else "No, ") + ans[0].lower() + ans[1:]
    elif what == "home":
        i, q = _pick(rng, ["Where does [a] live?", "Where do you find [a]?", "What is the home of [a]?"])
        place = d["home"]
        where = {"the hills": "in", "Australia": "in", "a lake": "on", "a pond": "in"}.get(place, "in")
        ans, v = f"{cap(a(n))} lives {where} {place}.", place
    elif what == "food":
        i, q = _pick(rng, ["What does [a] eat?", "What is the food of [a]?", "What does [a] like to eat?"])
        ans, v = f"{cap(a(n))} eats {d['food']}.", d["food"]
    else:
        i, q = _pick(rng, ["How many legs does [a] have?", "How many legs has [a]?",
                           "Tell me the number of legs of [a]."])
        if n in LEGLESS:
            ans, v = f"{cap(a(n))} has no legs.", "no legs"
        else:
            k = 2 if n == "kangaroo" else LEGS.get(d["class"], 4)
            ans, v = f"{cap(a(n))} has {k} legs.", str(k)
    return ask(rng, "animals", f"{what}|{n}|{i}", q.replace("[a]", a(n)).replace("[n]", n), ans, v)


def planet(rng):
    k = rng.randrange(8)
    name, about = PLANETS[k]
    kind = rng.randrange(4)
    if kind == 0:
        i, q = _pick(rng, ["What is the [o] planet from the Sun?", "Which planet is [o] from the Sun?",
                           "Name the [o] planet from the Sun."])
        return ask(rng, "planets", f"planeto|{k}|{i}", q.replace("[o]", ORDINALS[k]),
                   f"The {ORDINALS[k]} planet from the Sun is {name}.", name)
    if kind == 1:
        i, q = _pick(rng, ["What is [p]?", "Tell me about [p].", "What do you know about [p]?",
                           "Tell me something about the planet [p].", "Describe [p]."])
        return ask(rng, "planets", f"planet|{k}|{i}", q.replace("[p]", name),
                   f"{name} is the {ORDINALS[k]} planet from the Sun, {about}.", ORDINALS[k])
    if kind == 2:
        i, q = _pick(rng, ["List the planets.", "Name all the planets.", "What are the planets?",
                           "Which planets are in our solar system?", "What planets do you know?"])
        return ask(rng, "planets", f"planets|all|{i}", q,
                   "The eight planets are " + listing(p for p, _ in PLANETS) + ".", "Saturn, Uranus and Neptune")
    if k == 7:
        k, name = 6, "Uranus"
    i, q = _pick(rng, ["Which planet comes after [p]?", "What planet comes after [p]?", "What is next after [p]?"])
    return ask(rng, "planets", f"planetn|{k}|{i}", q.replace("[p]", name),
               f"{PLANETS[k + 1][0]} comes after {name}.", PLANETS[k + 1][0])


def calendar(rng):
    kind = rng.randrange(6)
    if kind == 0:
        k, step = rng.randrange(7), rng.choice((1, -1))
        word = "after" if step == 1 else "before"
        i, q = _pick(rng, ["What day comes [w] [d]?", "Which day is [w] [d]?", "What is the day [w] [d]?"])
        v = DAYS[(k + step) % 7]
        return ask(rng, "calendar", f"day{word}|{k}|{i}", q.replace("[w]", word).replace("[d]", DAYS[k]),
                   f"{v} comes {word} {DAYS[k]}.", v)
    if kind == 1:
        k, step = rng.randrange(12), rng.choice((1, -1))
        word = "after" if step == 1 else "before"
        i, q = _pick(rng, ["What month comes [w] [d]?", "Which month is [w] [d]?", "What is the month [w] [d]?"])
        v = MONTHS[(k + step) % 12]
        return ask(rng, "calendar", f"month{word}|{k}|{i}", q.replace("[w]", word).replace("[d]", MONTHS[k]),
                   f"{v} comes {word} {MONTHS[k]}.", v)
    if kind == 2:
        k = rng.randrange(12)
        i, q = _pick(rng, ["How many days are in [m]?", "How many days does [m] have?", "How long is [m]?"])
        extra = ", or 29 in a leap year" if k == 1 else ""
        return ask(rng, "calendar", f"mdays|{k}|{i}", q.replace("[m]", MONTHS[k]),
                   f"{MONTHS[k]} has {LENGTHS[k]} days{extra}.", str(LENGTHS[k]))
    if kind == 3:
        k = rng.randrange(12)
        i, q = _pick(rng, ["What is the [o] month of the year?", "Which month is the [o]?", "Name the [o] month."])
        return ask(rng, "calendar", f"mord|{k}|{i}", q.replace("[o]", ORDINALS[k]),
                   f"The {ORDINALS[k]} month of the year is {MONTHS[k]}.", MONTHS[k])
    if kind == 4:
        s = rng.choice(list(SEASONS))
        i, q = _pick(rng, ["Which months are in [s]?", "When is [s]?", "What months belong to [s]?"])
        return ask(rng, "calendar", f"season|{s}|{i}", q.replace("[s]", s),
                   f"In the northern half of the world, {s} is {SEASONS[s]}.", SEASONS[s])
    what, items = rng.choice([("days of the week", DAYS), ("months of the year", MONTHS),
                              ("seasons", list(SEASONS))])
    i, q = _pick(rng, ["List the [w].", "Name the [w].", "What are the [w]?", "Tell me the [w]."])
    return ask(rng, "calendar", f"list|{what}|{i}", q.replace("[w]", what),
               f"The {what} are {listing(items)}.", items[-2] + " and " + items[-1])


def colour(rng):
    if rng.random() < 0.25:
        pair = rng.choice(list(MIXES))
        x, y = pair if rng.random() < 0.5 else pair[::-1]
        i, q = _pick(rng, ["What colour do you get when you mix [x] and [y]?", "What do [x] and [y] make?",
                           "Mix [x] and [y]. What colour is it?"])
        return ask(rng, "colours", f"mix|{x}{y}|{i}", q.replace("[x]", x).replace("[y]", y),
                   f"{cap(x)} and {y} make {MIXES[pair]}.", MIXES[pair])
    thing = rng.choice(list(COLOURS))
    i, q = _pick(rng, ["What colour is [t]?", "What color is [t]?", "Which colour is [t]?",
                       "Tell me the colour of [t]."])
    v = COLOURS[thing]
    return ask(rng, "colours", f"colour|{thing}|{i}", q.replace("[t]", thing), f"{cap(thing)} is {v}.", v)


def unit(rng):
    what = rng.choice(list(UNITS))
    n = UNITS[what]
    thing, prep, whole = what.partition(" in " if " in " in what else " on ")
    i, q = _pick(rng, ["How many [w]?", "How many [t] are there[p][x]?", "Tell me how many [t] there are[p][x].",
                       "How many [t] are[p][x]?"])
    q = q.replace("[w]", what).replace("[t]", thing).replace("[p]", prep).replace("[x]", whole)
    verb = "are"
    return ask(rng, "units", f"unit|{what}|{i}", q, f"There {verb} {n} {what}.", n)


def opposite(rng):
    w = rng.choice(list(OPPOSITE))
    i, q = _pick(rng, ["What is the opposite of [w]?", "What's the opposite of \"[w]\"?", "Opposite of [w]?",
                       "Give me the opposite of [w].", "Which word means the opposite of [w]?",
                       "What is the antonym of [w]?"])
    return ask(rng, "words", f"opp|{w}|{i}", q.replace("[w]", w),
               f"The opposite of {w} is {OPPOSITE[w]}.", OPPOSITE[w])


def grammar(rng):
    if rng.random() < 0.5:
        w = rng.choice(list(PLURALS))
        i, q = _pick(rng, ["What is the plural of [w]?", "What's the plural of \"[w]\"?", "Plural of [w]?",
                           "How do you say more than one [w]?", "Give me the plural of [w]."])
        return ask(rng, "words", f"plural|{w}|{i}", q.replace("[w]", w),
                   f"The plural of {w} is {PLURALS[w]}.", PLURALS[w])
    w = rng.choice(list(PAST))
    i, q = _pick(rng, ["What is the past tense of [w]?", "Past tense of [w]?", "What is the past of \"[w]\"?",
                       "Give me the past tense of [w].", "How do you say [w] in the past?"])
    return ask(rng, "words", f"past|{w}|{i}", q.replace("[w]", w),
               f"The past tense of {w} is {PAST[w]}.", PAST[w])


def element(rng):
    w = rng.choice(list(ELEMENTS))
    i, q = _pick(rng, ["What is the chemical symbol for [w]?", "What is the symbol of [w]?",
                       "Symbol for [w]?", "Which symbol does [w] have?"])
    return ask(rng, "science", f"elem|{w}|{i}", q.replace("[w]", w),
               f"The chemical symbol for {w} is {ELEMENTS[w]}.", f"is {ELEMENTS[w]}")


def person(rng):
    thing, verb, who = rng.choice(PEOPLE)
    i, q = _pick(rng, ["Who [v] [t]?", "Do you know who [v] [t]?", "Tell me who [v] [t].",
                       "Which person [v] [t]?", "Who is the person who [v] [t]?"])
    return ask(rng, "people", f"who|{thing}|{i}", q.replace("[v]", verb).replace("[t]", thing),
               f"{who} {verb} {thing}.", who)


def superlative(rng):
    what, who = rng.choice(SUPERLATIVES)
    i, q = _pick(rng, ["What is [w]?", "What's [w]?", "Tell me [w].", "Do you know [w]?", "Name [w]."])
    return ask(rng, "science", f"super|{what}|{i}", q.replace("[w]", what), f"{cap(what)} is {who}.", who)


TOPICS = [(capital, 5), (country, 4), (animal, 4), (planet, 2), (calendar, 3), (colour, 2), (unit, 2),
          (opposite, 2), (grammar, 3), (element, 1), (person, 1.5), (superlative, 1)]
