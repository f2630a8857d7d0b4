"""Tool calls: made-up function lists with varied names, a request, the call, the result, the answer."""
import json

from .facts import COUNTRIES
from .sums import sum_key
from .text import Sample, bot, cap, say, system, typed, user

CITIES = [c["capital"] for c in COUNTRIES.values()] + """Hamburg Munich Milan Lyon Porto Boston Chicago Seattle Toronto
Sydney Mumbai Osaka Naples Bergen Leeds Oxford Geneva Zurich Seville Krakow Denver Dallas Venice""".split()
NAMES = "Anna Ben Carla David Emma Finn Grace Henry Iris Jack Karen Leo Mia Noah Olga Paul Rosa Sam Tina Will".split()
TOPICS_TO_FIND = """whales|old bridges|solar power|green tea|the moon landing|chess openings|sourdough bread|electric cars|roman history|
bird songs|model trains|mountain bikes|black holes|garden herbs|paper planes|jazz music|wind energy|coral reefs|train tickets|good books|
vegetable soup|honey bees|volcanoes|running shoes|castles in Spain""".replace("\n", "").split("|")
DISHES = "pizza pasta soup bread salad pancakes curry noodles rice cake sandwiches tea coffee".split()
TASKS = ["buy milk", "call the doctor", "water the plants", "pay the rent", "feed the cat", "clean the kitchen", "send the report", "book a table", "walk the dog", "fix the bike"]
LANGS = "German French Spanish Italian".split()
PHRASES = {"good morning": "guten Morgen|bonjour|buenos dias|buongiorno", "thank you": "danke|merci|gracias|grazie",
           "good night": "gute Nacht|bonne nuit|buenas noches|buona notte", "how are you": "wie geht es dir|comment vas-tu|como estas|come stai",
           "I am hungry": "ich habe Hunger|j'ai faim|tengo hambre|ho fame", "see you soon": "bis bald|a bientot|hasta pronto|a presto",
           "where is the station": "wo ist der Bahnhof|ou est la gare|donde esta la estacion|dove si trova la stazione"}
COLOURS = "red blue green yellow white pink orange purple".split()
ROOMS = ["kitchen", "bedroom", "living room", "office", "garage", "bathroom", "hall", "garden"]


def _weather(rng):
    city = rng.choice(CITIES)
    t, sky = rng.randint(-5, 35), rng.choice(("sunny", "cloudy", "rainy", "windy", "foggy", "clear"))
    unit = rng.choice(("celsius", "fahrenheit"))
    extra = {rng.choice(("unit", "units")): {"type": "string", "enum": ["celsius", "fahrenheit"]}} if rng.random() < 0.3 else {}
    asks_unit = {k: ("string", unit) for k in extra} if rng.random() < 0.4 else {}
    return dict(extra=extra, names=["get_weather", "weather", "current_weather", "weather_lookup", "fetch_weather", "getWeather"],
                about=["Get the weather for a city", "Current weather in a place", "Look up the weather"],
                args={rng.choice(("city", "location", "place")): ("string", city), **asks_unit},
                ask=["What is the weather in [0] in [1]?", "Tell me the weather in [0], in [1]."] if asks_unit else ["What is the weather in [0]?", "What's the weather like in [0]?", "How is the weather in [0] today?", "Is it raining in [0]?",
                     "Weather in [0]?", "How warm is it in [0]?", "Tell me the weather in [0]."],
                result={"temperature": t, "condition": sky}, answer=f"It is {sky} in {city}, with {t} degrees.", must=[str(t)])


def _time(rng):
    city = rng.choice(CITIES)
    clock = f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"
    return dict(names=["get_time", "current_time", "clock", "time_in", "get_current_time", "local_time"], about=["Get the time in a city", "Current local time"],
                args={rng.choice(("city", "location", "timezone", "place")): ("string", city)},
                ask=["What time is it in [0]?", "What is the time in [0]?", "Tell me the time in [0].", "What's the local time in [0]?"],
                result={"time": clock}, answer=f"It is {clock} in {city}.", must=[clock])


def _search(rng):
    what = rng.choice(TOPICS_TO_FIND)
    title = say(rng, "{All about|A guide to|The story of|News on} [w]", w=what)
    return dict(names=["search", "web_search", "search_web", "find", "lookup", "search_documents"], about=["Search the web", "Find documents about a topic", "Search for information"],
                args={rng.choice(("query", "q", "text", "topic")): ("string", what)},
                ask=["Search for [0].", "Find something about [0].", "Look up [0].", "Can you search the web for [0]?", "Search the web for [0]."],
                result={"results": [title]}, answer=f"I found this: {title}.", must=[title])


def _calc(rng):
    op = rng.choice("+-*")
    x, y = rng.randint(2, rng.choice((99, 999))), rng.randint(2, 99)
    r = {"+": x + y, "-": x - y, "*": x * y}[op]
    if rng.random() < 0.5:
        word = {"+": "plus", "-": "minus", "*": "times"}[op]
        return dict(names=["calculator", "calculate", "calc", "evaluate", "compute", "math"], about=["Evaluate an arithmetic expression", "Do a calculation"],
                    args={rng.choice(("expression", "expr", "formula")): ("string", f"{x} {op} {y}")},
                    ask=[f"What is {x} {op} {y}?", f"Calculate {x} {op} {y}.", f"How much is {x} {word} {y}?", f"Compute {x} {op} {y}."],
                    result={"result": r}, answer=f"{x} {op} {y} = {r}.", must=[str(r)])
    name, word = {"+": ("add", "Add [0] and [1]."), "-": ("subtract", "What is [0] minus [1]?"), "*": ("multiply", "Multiply [0] by [1].")}[op]
    return dict(names=[name, f"{name}_numbers"], about=[f"{cap(name)} two numbers"], args={rng.choice(("a", "x")): ("integer", x), rng.choice(("b", "y")): ("integer", y)},
                ask=[word], result={"result": r}, answer=f"The result is {r}.", must=[str(r)])


def _mail(rng):
    n, t = rng.choice(NAMES), rng.choice(TASKS)
    return dict(names=["send_message", "message", "send_email", "send_text", "notify"], about=["Send a message to a person", "Write to someone"],
                args={rng.choice(("to", "recipient", "name")): ("string", n), rng.choice(("text", "body", "message")): ("string", t)},
                ask=["Send [0] a message: [1].", "Tell [0] to [1].", "Write to [0]: [1].", "Message [0] and say [1]."],
                result={"status": "sent"}, answer=f"I sent the message to {n}.", must=[n])


def _remind(rng):
    t, h = rng.choice(TASKS), f"{rng.randint(1, 12)} {rng.choice(('am', 'pm'))}"
    return dict(names=["set_reminder", "add_reminder", "create_reminder", "remind"], about=["Set a reminder", "Remind the user of a task at a time"],
                args={rng.choice(("task", "text", "title")): ("string", t), rng.choice(("time", "at", "when")): ("string", h)},
                ask=["Remind me to [0] at [1].", "Set a reminder to [0] at [1].", "At [1], remind me to [0]."],
                result={"ok": True}, answer=f"Done. I will remind you to {t} at {h}.", must=[t])


def _light(rng):
    room, c = rng.choice(ROOMS), rng.choice(COLOURS)
    if rng.random() < 0.5:
        return dict(names=["set_light", "light_color", "set_lamp"], about=["Set the colour of a lamp", "Change a light"],
                    args={rng.choice(("room", "place")): ("string", room), rng.choice(("color", "colour")): ("string", c)},
                    ask=["Make the [0] light [1].", "Set the light in the [0] to [1].", "Turn the [0] lamp [1]."], result={"ok": True},
                    answer=f"The light in the {room} is now {c}.", must=[c])
    on = rng.random() < 0.5
    return dict(names=["switch_light", "toggle_light", "set_light_state"], about=["Turn a light on or off"],
                args={"room": ("string", room), "on": ("boolean", on)}, ask=[f"Turn {'on' if on else 'off'} the light in the [0].", f"Switch {'on' if on else 'off'} the [0] light."],
                result={"ok": True}, answer=f"The light in the {room} is {'on' if on else 'off'}.", must=[room])


def _translate(rng):
    p, l = rng.choice(list(PHRASES)), rng.choice(LANGS)
    text = PHRASES[p].split("|")[LANGS.index(l)]
    return dict(names=["translate", "translate_text", "translator"], about=["Translate a text"],
                args={"text": ("string", p), rng.choice(("language", "to", "target")): ("string", l)},
                ask=["Translate \"[0]\" into [1].", "How do you say \"[0]\" in [1]?", "Say \"[0]\" in [1]."], result={rng.choice(("text", "translation", "result")): text},
                answer=f"In {l}, \"{p}\" is \"{text}\".", must=[text])


def _order(rng):
    d, k = rng.choice(DISHES), rng.randint(1, 9)
    return dict(names=["order_food", "order", "place_order", "add_to_cart"], about=["Order food", "Put an item in the cart"],
                args={rng.choice(("item", "dish", "product")): ("string", d), rng.choice(("count", "quantity", "amount")): ("integer", k)},
                ask=[f"Order {k} [0].", f"I would like {k} [0], please.", f"Get me {k} [0]."], result={"status": "ordered", "minutes": 20},
                answer=f"I ordered {k} {d}. It will take 20 minutes.", must=["20"])


def _price(rng):
    d, p = rng.choice(DISHES + ["gold", "milk", "a ticket", "a bike"]), rng.randint(1, 90)
    return dict(names=["get_price", "price_of", "lookup_price", "price"], about=["Get the price of a product", "Find what something costs"],
                args={rng.choice(("product", "item", "name")): ("string", d)}, ask=["How much does [0] cost?", "What is the price of [0]?", "Price of [0]?"],
                result={"price": p, "currency": "euro"}, answer=f"The price of {d} is {p} euro.", must=[str(p)])


def _user(rng):
    n, mail = rng.choice(NAMES), None
    mail = f"{n.lower()}@example.com"
    return dict(names=["find_user", "get_contact", "lookup_user", "get_user"], about=["Find a person in the address book", "Get contact details"],
                args={rng.choice(("name", "user", "person")): ("string", n)}, ask=["What is the email address of [0]?", "Find the contact of [0].", "Look up the user [0].", "Get me the details of [0]."],
                result={"email": mail}, answer=f"The email address of {n} is {mail}.", must=[mail])


def _dice(rng):
    k = rng.choice((6, 6, 8, 10, 12, 20))
    r = rng.randint(1, k)
    return dict(names=["roll_dice", "roll", "dice"], about=["Roll a die"], args={"sides": ("integer", k)},
                ask=["Roll a die with [0] sides.", "Roll a [0]-sided die."], result={"value": r}, answer=f"You rolled a {r}.", must=[str(r)])


def _now(rng):
    clock = f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"
    return dict(names=["now", "get_time", "current_time", "clock"], about=["Get the current time"], args={},
                ask=["What time is it?", "What's the time now?", "Tell me the time."], result={"time": clock}, answer=f"It is {clock}.", must=[clock])


def _generic(rng):
    """A function nobody has seen before: any verb on any noun."""
    verb = rng.choice("open close start stop check book cancel find delete update create show print archive lock share rename copy".split())
    noun = rng.choice("door ticket room file report account project meeting note order invoice song playlist alarm timer folder table car task photo".split())
    if rng.random() < 0.5:
        arg, value = rng.choice((("name", rng.choice(NAMES + CITIES)), ("label", rng.choice(COLOURS)), ("title", rng.choice(TOPICS_TO_FIND)))), None
        (key, value), kind = arg, "string"
        ask = [f"{cap(verb)} the {noun} [0].", f"Please {verb} the {noun} called [0].", f"Can you {verb} the {noun} named [0]?"]
    else:
        key, value, kind = rng.choice(("id", "number", noun + "_id")), rng.randint(1, 999), "integer"
        ask = [f"{cap(verb)} {noun} [0].", f"Please {verb} {noun} number [0].", f"Can you {verb} the {noun} with number [0]?"]
    name = rng.choice((f"{verb}_{noun}", f"{verb}{cap(noun)}", f"{noun}_{verb}", f"{verb}_{noun}"))
    return dict(names=[name], about=[f"{cap(verb)} a {noun}", f"Use this to {verb} a {noun}"], args={key: (kind, value)}, ask=ask,
                result={"status": rng.choice(("ok", "done", "success"))}, answer=f"Done. The {noun} {value} is taken care of.", must=[str(value)])


MAKERS = [_generic, _generic, _generic, _weather, _weather, _time, _search, _calc, _calc, _mail, _remind, _light, _translate, _order, _price, _user, _dice, _now]


def spec(rng, d, name):
    props = {k: {"type": kind} for k, (kind, _) in d["args"].items()}
    required = [k for k in props if k not in d.get("extra", {})]
    props.update(d.get("extra", {}))
    if rng.random() < 0.3:
        for k in props:
            props[k]["description"] = say(rng, "{The [k]|[k]}", k=k)
    return {"type": "function", "function": {"name": name, "description": rng.choice(d["about"]) + rng.choice(("", ".")),
            "parameters": {"type": "object", "properties": props, "required": required}}}


SYSTEMS = [None, None, None, "You are a helpful assistant.", "Use the tools when they help.", "You are an assistant with tools."]


def call(rng):
    d = rng.choice(MAKERS)(rng)
    name = rng.choice(d["names"])
    tools = [spec(rng, d, name)]
    taken = {name}
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        other = rng.choice(MAKERS)
        o = other(rng)
        on = rng.choice(o["names"])
        if set(o["names"]) & set(d["names"]) or on in taken:
            continue
        taken.add(on)
        tools.append(spec(rng, o, on))
    rng.shuffle(tools)
    values = {k: v for k, (_, v) in d["args"].items()}
    q = rng.choice(d["ask"])
    for i, v in enumerate(values.values()):
        q = q.replace(f"[{i}]", str(v))
    sys_text = rng.choice(SYSTEMS)
    head = [system(sys_text)] if sys_text else []
    key = f"tool|{name}|{'|'.join(map(str, values.values()))}"
    roll = rng.random()
    if roll < 0.12:  # tools are there but not needed
        from . import facts, smalltalk
        s = smalltalk.identity(rng) if rng.random() < 0.5 else facts.capital(rng)
        return Sample("tools", "notool|" + s.key, head + s.messages, tools, s.check, also=[s.key])
    messages = head + [user(typed(rng, q) if rng.random() < 0.3 else q),
                       {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": {"name": name, "arguments": values}}]}]
    if roll < 0.5:
        return Sample("tools", key, messages, tools, {"kind": "tool", "name": name, "arguments": values})
    result = d["result"]
    if rng.random() < 0.25 and len(result) == 1:
        text = str(next(iter(result.values()))) if not isinstance(next(iter(result.values())), (list, bool)) else json.dumps(result)
    else:
        text = json.dumps(result)
    messages += [{"role": "tool", "content": text}, bot(d["answer"])]
    return Sample("tools", key, messages, tools, {"kind": "contains", "any": d["must"]})


def as_json(rng):
    """JSON answers on request."""
    kind, also = rng.randrange(5), []
    if kind == 0:
        n, age = rng.choice(NAMES), rng.randint(3, 90)
        q = say(rng, "{Give me|Write|Return} {a JSON object|JSON} with {the |}name [n] and {the |}age [a].", n=n, a=age)
        out = {"name": n, "age": age}
    elif kind == 1:
        c = rng.choice(list(COUNTRIES))
        q = say(rng, "{Give me|Return|Answer with} {a JSON object|JSON} {for|about} [c] with the keys country and capital.", c=c)
        out = {"country": c, "capital": COUNTRIES[c]["capital"]}
    elif kind == 2:
        items = rng.sample(COLOURS + DISHES, rng.randint(2, 4))
        q = f"Write these as a JSON array: {', '.join(items)}."
        out = items
    elif kind == 3:
        n, city = rng.choice(NAMES), rng.choice(CITIES)
        q = say(rng, "{Extract the name and the city|Return name and city} as JSON: [n] {lives in|comes from|is from} [c].", n=n, c=city)
        out = {"name": n, "city": city}
    else:
        x, y = rng.randint(1, 20), rng.randint(1, 20)
        also = [sum_key("+", x, y)]
        q = say(rng, "What is [x] + [y]? Answer {in JSON|as JSON|as a JSON object} with the key result.", x=x, y=y)
        out = {"result": x + y}
    return Sample("json", f"json|{q}", [user(typed(rng, q)), bot(json.dumps(out))], check={"kind": "json", "value": out}, also=also)


TOPICS = [(call, 12), (as_json, 3)]
