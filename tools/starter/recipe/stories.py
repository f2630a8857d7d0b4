"""Short stories about a given subject: ten plots, each a chain of sentences with many variants.

A story has a subject (what the user asked for), a hero with a name, a place, a wish or a
trouble, somebody who helps, and an ending that comes back to the subject.
"""
from .text import Sample, a, bot, cap, say, typed, user

PLACES = """lighthouse castle garden forest village mountain river island harbour mill bridge library school bakery
farm cave tower market museum station valley beach desert meadow cottage temple ship train theatre
windmill orchard lake well circus palace hill bookshop waterfall swamp attic treehouse""".split()
ANIMALS = """dog cat fox owl bear wolf rabbit mouse horse dragon whale turtle elephant lion frog sparrow penguin
hedgehog squirrel donkey goat bee butterfly spider duck crow deer snail swan monkey tiger otter
badger unicorn starling seagull parrot goose""".split()
OBJECTS = """key clock lantern map kite boat book bell mirror coin hat letter violin drum umbrella teapot
candle ring painting compass telescope blanket bicycle radio piano feather necklace robot music
box balloon chair coat doll seed stone shell flute whistle toy lamp basket button pencil cake""".replace("music\nbox", "box").split()
# Each of these has few stories. Together they teach that the subject is copied from the question, not known.
RARE_OBJECTS = """acorn anchor apron arrow axe badge banner barrel basin bead bench bonnet bottle bow bowl bracelet brick broom
brush bucket cabinet cage camera canoe cap card carpet carriage cart cello chain chalk cheese cherry chest chimney cloak
comb cork cradle crown cup curtain cushion dagger desk diamond dish door drawer dress easel egg engine envelope fan fence
fiddle fork frame gate glass globe glove goblet gong grape guitar hammer hammock handkerchief harp helmet hook horn hose
iron ivory jacket jar jewel jug kettle knife knot ladder ladle lemon lens lock loom magnet marble mask medal melon mitten
mug needle net notebook nut oar onion oven paddle pan parcel peach pear pearl pebble pen pepper photograph picture pillow
pipe plate plough plum pocket pot potato puppet purse puzzle quilt raft rake ribbon rope rose rug ruby sack saddle sail
sandal saucer saw scarf scissors sewing shawl shelf shield shirt shovel sign skate sleigh slipper soap sock spade
spoon stamp stick stool stove string sword table tambourine tent thimble thread ticket toast tomato tool torch towel
tray trumpet trunk tulip turnip vase veil wagon wallet wand watch wheel wig wreath yarn""".replace("sewing ", "").split()
PEOPLE = """baker sailor farmer king queen princess knight teacher painter fisherman gardener shepherd
carpenter doctor wizard witch pirate clockmaker miller postman musician inventor cook singer
boy girl grandmother tailor astronaut detective librarian dancer giant ghost""".split()
NATURE = """storm moon star rainbow snowflake cloud sunrise tree flower breeze river comet raindrop
planet leaf sunflower wave""".split()
ABSTRACT = ["friendship", "courage", "hope", "a secret", "a promise", "a long journey", "a birthday", "being kind", "a dream", "patience"]

GIRLS = "Mira Elsa Nora Lily Anna Ruth Clara Ivy Rosa Tessa Maya Greta Hanna June Pearl Wendy Stella Olive Ada Freya".split()
BOYS = "Tom Felix Oscar Leo Jonas Milo Hugo Emil Theo Max Ned Arthur Simon Karl Finn Otto Rufus Walter Pip Anton".split()
PETS = "Pepper Bramble Whisper Hazel Copper Juniper Thistle Biscuit Pebble Sunny Willow Mossy Button Clover Rusty".split()
ADJ = "small old brave quiet clever curious kind shy lonely cheerful gentle young stubborn lost tiny friendly lazy proud".split()
TOWNS = ["a small town by the sea", "a quiet village", "a green valley", "a town between two hills", "a cold northern village",
         "a sleepy little town", "a village at the edge of the forest", "a windy coast", "a land of rivers", "a far country"]
WEATHER = ["One stormy night", "One cold morning", "One quiet evening", "One rainy day", "One bright spring morning", "One foggy night",
           "One winter evening", "Late one summer"]
LESSONS = ["even a small light can guide someone home", "a kind word costs nothing", "nobody is too small to help",
           "the best treasures are shared", "it is never too late to try again", "courage often begins with one small step",
           "patience can open any door", "friends can be found in unlikely places", "listening is a kind of gift",
           "home is wherever someone waits for you"]
HELPERS = ["an old fisherman", "a wise owl", "a travelling musician", "a little girl with a lantern", "a grey cat", "a kind baker",
           "an old woman with a basket", "a young shepherd", "a talking crow", "a tired postman", "a gentle giant", "a lost puppy"]


class Cast:
    """A named hero with pronouns."""

    def __init__(self, rng, kind=None):
        if rng.random() < 0.5:
            self.name, self.he, self.his, self.him = rng.choice(GIRLS), "she", "her", "her"
        else:
            self.name, self.he, self.his, self.him = rng.choice(BOYS), "he", "his", "him"
        self.kind = kind or rng.choice(["girl" if self.he == "she" else "boy", rng.choice(PEOPLE[:25])])
        if self.he == "she" and self.kind in ("king", "fisherman", "postman", "wizard", "knight", "boy"):
            self.kind = "girl"
        if self.he == "he" and self.kind in ("queen", "princess", "witch", "girl", "grandmother"):
            self.kind = "boy"

    def slots(self):
        return dict(hero=self.name, he=self.he, He=cap(self.he), his=self.his, His=cap(self.his), him=self.him, kind=self.kind)


def tell(rng, lines, **slots):
    return " ".join(say(rng, line, **slots) for line in lines)


PLACE_PLOTS = [
    ["{[In_town] stood|Not far from [town] stood|There was once, [in_town],} [a_adj] [s]{ that nobody visited any more|, and everyone knew it|}.",
     "[hero], [a_kind], {looked after it|took care of the [s]|loved it more than anything}, and every {evening|morning} [he] {swept the steps|opened the door|walked around it} {and greeted the birds|and sang a little song|with a smile}.",
     "[when], {something strange happened|everything changed}: {the lights went out|the path disappeared in the fog|a great storm came} and {a small boat|a lost child|a group of travellers} could not find the way{ home|}.",
     "[hero] {did not hesitate|was afraid, but only for a moment}. [He] {lit a lantern|rang the old bell|lit every candle [he] had} {and climbed|and ran} to the highest point of the [s], {and waited|and called into the dark}.",
     "{At last|After a long hour}, [helper] {appeared|came} and said, \"{We saw your light|We heard you}. {Thank you|You saved us all}.\"",
     "From then on, the [s] was {never lonely again|full of visitors}, and [hero] knew that [lesson]."],
    ["{Long ago|Once upon a time}, [hero] {heard about|found an old map of} [a_adj] [s] {near|not far from} [town].",
     "{People said|The old people said} that {it was full of secrets|something wonderful was hidden there|no one had been inside for a hundred years}.",
     "[when], [hero] {packed some bread and a lantern|took [his] coat and a lamp} and {set out|went to see it}. The way was {long and steep|dark and quiet}, but [he] {did not turn back|kept walking}.",
     "{Inside the [s]|At the [s]}, [he] met [helper], who {was just as lost as [he] was|had been waiting for a friend|was looking for something too}.",
     "{Together they|The two of them} {searched every corner|explored until the sun came up} and found {a small wooden box|an old chest|a little door}. {In it was|Behind it was} {not gold, but a letter|only a note}, and it said: {\"The treasure is the one who walked with you.\"|\"Look who is beside you.\"}",
     "[hero] {laughed|smiled}, and {they walked home as friends|the two became friends for life}. {That is how [he] learned|Now [he] knew} that [lesson]."],
]
ANIMAL_PLOTS = [
    ["{Once there was|[In_town] there lived|Once upon a time there was} [a_adj] [s] {named|called} [pet].",
     "[pet] {wanted|dreamed of nothing more than} to {see the sea|find a friend|learn to sing|climb the highest hill}, but {the other animals laughed|everyone said it was impossible|had no idea how to begin}.",
     "[when], [pet] {met|came upon} [helper] {who had lost the way|who was stuck in the mud|sitting all alone by the road}. {\"Can you help me?\" asked the stranger.|The stranger looked very sad.}",
     "{The little [s]|[pet]} {thought for a moment|was not strong, but clever} and {found a way|had an idea}. {With a long branch and a lot of patience|Step by step}, {they reached safety|everything turned out well}.",
     "{\"How can I thank you?\" said the stranger.|The stranger was so grateful.} {\"Come with me,\" said [pet], \"and be my friend.\"|\"Walk with me for a while,\" said the [s].}",
     "{So they went on together|They travelled on side by side}, and {the wish came true|one fine day the dream came true}. And [pet] the [s] {never forgot|always remembered} that [lesson]."],
    ["[a_Adj] [s] {named|called} [pet] lived [in_town]{ with [hero], [a_kind]|, close to the house of [hero]}.",
     "{Every day|Each morning} the [s] {waited by the gate|played in the tall grass|watched the clouds go by} and {wondered what was behind the hills|wished for an adventure}.",
     "[when], {the wind|a loud noise} {woke everyone|scared the whole village}: {the river was rising|a fire had started in the barn|a child was missing}!",
     "{While the people ran about|Before anyone else could move}, [pet] {ran ahead|knew what to do}. The [s] {called as loudly as possible|led the way through the dark} until {everyone was safe|all were found}.",
     "{In the morning|Later}, [hero] {knelt down|sat down} beside the [s] and said, {\"You are the bravest friend I know.\"|\"Without you we would have been lost.\"}",
     "[pet] {said nothing, of course, but looked very proud|only yawned and fell asleep in the sun}. {And the whole village learned|And everyone understood} that [lesson]."],
]
OBJECT_PLOTS = [
    ["{[hero], [a_kind] from [town], found [a_adj] [s]|[In_town], [a_kind] named [hero] found [a_adj] [s]} {under an old tree|at the bottom of a drawer|on the beach|in the attic}.",
     "{It looked quite ordinary|It was dusty and plain}, but {when [he] touched it|whenever [he] held it}, {it felt warm|[he] heard a soft voice|it began to glow}.",
     "{\"Whose [s] is this?\" [he] wondered.|[He] asked everyone whose [s] it was.} {Nobody knew|No one could say}, {so [he] went from door to door|so [he] decided to find out}.",
     "[when], [he] met [helper]. {\"I lost that [s] many years ago,\" said the stranger|\"That [s] was mine once,\" came the answer}, {\"and I thought it was gone forever.\"|\"and I have missed it every day.\"}",
     "[hero] {was sad to give it away|wanted to keep it}, but [he] {held it out with a smile|gave it back at once}. {The stranger's eyes filled with tears of joy.|The stranger laughed with joy.}",
     "{\"Come and visit me whenever you like,\"|\"Then let us share it,\"} said the stranger. {And so|That day} [hero] lost [a_s] and found a friend, and [he] learned that [lesson]."],
    ["{Once there was|There once was} [a_adj] [s] that {could do something no other [s] could do|was different from all the others}: it {could grant one wish a year|always showed the way home|told the truth to anyone who asked}.",
     "It belonged to [hero], [a_kind] [in_town], who {kept it in a small box|carried it everywhere}.",
     "[when], [theft]. [hero] {was heartbroken|did not shout}, {but followed the tracks|but set out to get it back}.",
     "On the way, [he] met [helper], and {they shared a piece of bread|they talked the whole night}. {\"I will help you,\" said the new friend.|\"You are not alone any more,\" said the new friend.}",
     "{When they arrived|At the end of the road}, the [villain] sat {all alone|in the dark and cried}. {\"The [s] will not work for me,\"|\"It will do nothing for me,\"} he said. {\"It only works for someone kind,\" answered [hero]|\"Perhaps you need a friend more than a [s],\" said [hero]}.",
     "{So they forgave him|They shared their bread with him}, and {the [s] began to shine|the [s] came home again}. {Since then, all of them knew|From that day on everyone said} that [lesson]."],
]
PERSON_PLOTS = [
    ["{[In_town] lived|Once upon a time, [in_town], there lived} [a_adj] [s] named [pname].",
     "[pname] {worked hard all day but was often alone|was known for [phis] good heart|had never left home}, and [phe] had one great wish: {to see the stars from the highest mountain|to find a true friend|to make something beautiful}.",
     "[when], {there was a knock at the door. It was|a letter arrived. It came from} [helper], {who asked for help|who was in great trouble}.",
     "{The [s] did not ask for money|[pname] took [phis] coat at once}. {They worked through the night|All night long they worked side by side}, and {by sunrise everything was fixed|in the morning the trouble was over}.",
     "{\"You gave me your time,\"|\"You helped a stranger,\"} said the visitor, {\"and now I will show you something.\"|\"so let me give you something in return.\"} {They climbed the hill together|They walked to the top of the hill}, and {the whole sky was full of stars|the valley lay golden below them}.",
     "The [s] {stood there for a long time, smiling|had never seen anything so lovely}. {That night [phe] understood|And so the [s] learned} that [lesson]."],
]
NATURE_PLOTS = [
    ["{High above|Over} [town], there {was|lived} [a_adj] [s] {that nobody noticed|who felt useless}.",
     "{\"What am I good for?\"|\"Does anyone see me?\"} the [s] {asked the wind|wondered}. {The wind only laughed and blew on.|But the wind had no answer.}",
     "[when], [hero], [a_kind], {was lost in the hills|could not find the way home}. [He] {sat down on a stone|looked up} and {began to cry|whispered, \"Please, help me.\"}",
     "The [s] heard [him] and {did all it could|gathered all its strength}. {Little by little, the path became clear|A soft light fell on the path}, and [hero] {found the way home|saw the lights of the village}.",
     "{At the door|Safe at home}, [he] turned around and {waved.|called, \"Thank you!\"} {From that night on|Ever since}, [hero] {greets the [s] from the window|tells everyone about the [s]}.",
     "And the [s]? It {is happy now|never felt useless again}, for it knows that [lesson]."],
]
ABSTRACT_PLOTS = [
    ["{This is a story about [s]|Here is a story about [s]}. [hero], [a_kind], lived [in_town] and {thought [he] knew everything|had always been alone}.",
     "[when], [helper] {came to the door|stopped at the gate} and asked for {a cup of water|a place to rest}. {[hero] almost said no.|At first [hero] wanted to send the visitor away.}",
     "But {then [he] saw how tired the visitor was|something made [him] stop}, so [he] {opened the door|made some tea|shared [his] bread}.",
     "They {talked until midnight|sat by the fire and told each other everything}. {The visitor had crossed mountains and rivers|The visitor had lost everything but hope}, and [hero] {listened with wide eyes|could hardly believe it}.",
     "In the morning {the visitor was gone|the chair was empty}, but on the table lay {a small white feather|a flower|a shining coin} and a note: {\"Thank you for your kindness.\"|\"You gave me more than you know.\"}",
     "{[hero] kept it all [his] life|[hero] never forgot that night}. It was [s] that had knocked at the door, and it taught [him] that [lesson]."],
]

KINDS = [(PLACES, PLACE_PLOTS, 5), (ANIMALS, ANIMAL_PLOTS, 5), (OBJECTS, OBJECT_PLOTS, 4), (RARE_OBJECTS, OBJECT_PLOTS, 5), (PEOPLE, PERSON_PLOTS, 4),
         (NATURE, NATURE_PLOTS, 2), (ABSTRACT, ABSTRACT_PLOTS, 1)]
ASKS = ["{Tell me|Please tell me|Can you tell me|Could you tell me} a {short |little |nice |}story about [about].",
        "{Write|Write me|Make up|Invent} a {short |little |}story about [about].", "{A|I want a|I would like a|Give me a} {short |bedtime |}story about [about]{ please|}.",
        "Tell me a {bedtime |}story about [about].", "Tell {us|me} {the|a} {tale|story} of [about].", "Story about [about]{.|}",
        "Tell me a story about [about].", "Tell me a story about [about]."]
FEMALE = {"queen", "princess", "witch", "girl", "grandmother", "singer", "dancer", "baker", "teacher", "gardener", "doctor", "librarian"}


def compose(rng, kinds, subject, plots, adj=None):
    """The text of one story."""
    hero = Cast(rng)
    slots = hero.slots()
    adj = adj or rng.choice(ADJ)
    fem = subject in FEMALE
    pname = rng.choice(GIRLS if fem else BOYS)
    while hero.name == pname:
        pname = rng.choice(GIRLS if fem else BOYS)
    helper = rng.choice([h for h in HELPERS if subject not in h])
    if plots is PLACE_PLOTS:
        adj = adj if adj in ("small", "old", "quiet", "lonely", "tiny", "lost") else rng.choice(("small", "old", "quiet", "lonely", "white", "forgotten"))
    if plots is OBJECT_PLOTS:
        adj = rng.choice(("small", "old", "silver", "golden", "wooden", "strange", "tiny", "lost", "dusty"))
    town = rng.choice([t for t in TOWNS if subject not in t])
    in_town = ("on " if "coast" in town else "in ") + town
    if plots is PERSON_PLOTS and adj in ("tiny", "small", "lost", "lazy"):
        adj = "young"
    if plots is NATURE_PLOTS:
        adj = rng.choice(("small", "lonely", "shy", "quiet", "tiny", "gentle", "young"))
    villain, theft = rng.choice((("thief", "a thief came in the night and took it away"), ("king", "a greedy king heard of it and sent his men to take it")))
    slots.update(villain=villain, theft=theft, in_town=in_town, In_town=cap(in_town), s=subject, a_s=a(subject) if plots is not ABSTRACT_PLOTS else subject, adj=adj, a_adj=a(f"{adj} {subject}").rsplit(" ", 1)[0],
                 a_Adj=cap(a(adj)), a_kind=a(rng.choice(("young", "kind", "quiet", "poor", "clever")) + " " + slots["kind"]),
                 town=town, when=rng.choice(WEATHER), helper=helper,
                 lesson=rng.choice(LESSONS), pet=rng.choice(PETS), pname=pname, phis="her" if fem else "his", phe="she" if fem else "he")
    return tell(rng, rng.choice(plots), **slots)


def story(rng):
    words, plots, _ = rng.choices(KINDS, [k[2] for k in KINDS])[0]
    subject = rng.choice(words)
    if words is PLACES and rng.random() < 0.15:
        subject = "lighthouse"  # the subject of the demo in the project's README
    adj = rng.choice(ADJ) if plots in (ANIMAL_PLOTS, PERSON_PLOTS) and rng.random() < 0.3 else None
    about = subject if plots is ABSTRACT_PLOTS else a(f"{adj} {subject}" if adj else subject)
    if plots is not ABSTRACT_PLOTS and not adj and rng.random() < 0.12:
        about = rng.choice(("the ", "my ", "an old " if plots is not PERSON_PLOTS else "an old ")) + subject
    text = compose(rng, words, subject, plots, adj)
    key = f"story|{subject}"
    return Sample("stories", key, [user(typed(rng, say(rng, rng.choice(ASKS), about=about))), bot(text)],
                  check={"kind": "story", "subject": subject.split()[-1], "words": [60, 170]})


def tiny(rng):
    """One- or two-sentence stories, and any story without a subject."""
    if rng.random() < 0.5:
        words, plots, _ = rng.choices(KINDS, [k[2] for k in KINDS])[0]
        subject = rng.choice(words)
        text = compose(rng, words, subject, plots)
        q = say(rng, "{Tell me|Write|Make up|Tell me|Give me} a {short |bedtime |nice |}story{ please| now|}{.|!|}")
        return Sample("stories", f"anystory|{q.strip('.!').lower()}|{text[:9]}", [user(typed(rng, q)), bot(text)],
                      check={"kind": "story", "subject": "", "words": [60, 170]})
    words = rng.choice((ANIMALS, PEOPLE))
    subject, hero = rng.choice(words), rng.choice(PETS)
    q = say(rng, "{Tell me|Write|Make up} a {very short|two-sentence|tiny} story about [s].", s=a(subject))
    text = say(rng, "[hero] the [s] {looked everywhere for|dreamed of} {a friend|a new home|the sea|the moon}. {In the end|One evening}, [hero] found it {just around the corner|behind the hill|where no one had looked}, and was {happy|glad} ever after.",
               hero=hero, s=subject)
    return Sample("stories", f"story|{subject}", [user(typed(rng, q)), bot(text)],
                  check={"kind": "story", "subject": subject, "words": [15, 60]})


TOPICS = [(story, 10), (tiny, 2)]
