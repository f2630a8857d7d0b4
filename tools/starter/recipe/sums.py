"""Small sums, counting and comparing numbers."""
from .text import Sample, bot, cap, listing, say, spelled, typed, user

NAMES = "Anna Ben Carla David Emma Finn Grace Henry Iris Jack Karen Leo Mia Noah Olga Paul Rosa Sam Tina Will".split()
THINGS = "apples books pencils coins shells marbles stamps eggs cookies balloons flowers stones cards cups hats".split()


def _sum(rng, question, answer, key, expect):
    return Sample("sums", key, [user(typed(rng, question)), bot(answer)],
                  check={"kind": "number", "value": str(expect)})


def sum_key(op, x, y, shape=""):
    """Sums are held out whole, in both orders; products, which must be learnt by heart, per wording."""
    if op == "*":
        return f"product|{x}*{y}|{shape}"
    return f"sum|{min(x, y)}+{max(x, y)}" if op == "+" else f"sum|{x}-{y}"


def operands(rng):
    """op, x, y, result; easy ones more often."""
    op = rng.choice("++--*")
    if op == "*":
        x, y = rng.randint(0, 12), rng.randint(0, 12)
        return op, x, y, x * y
    top = rng.choice((10, 10, 10, 20, 50, 100))
    x, y = rng.randint(0, top), rng.randint(0, top)
    if op == "-" and y > x:
        x, y = y, x
    return op, x, y, x + y if op == "+" else x - y


WORD = {"+": "plus", "-": "minus", "*": "times"}


def plain(rng):
    op, x, y, r = operands(rng)
    shape = rng.randrange(9)
    sx, sy = str(x), str(y)
    if rng.random() < 0.08:
        sx, sy = spelled(x), spelled(y)
    w = WORD[op]
    sign = rng.choice(("*", "x")) if op == "*" else op
    q = ["What is [x] [w] [y]?", "What's [x] [s] [y]?", "[x] [s] [y]", "[x] [s] [y] = ?", "How much is [x] [w] [y]?",
         "Calculate [x] [s] [y].", "[x] [w] [y]?", "What is [x] [s] [y]?", "[x] [s] [y] ="][shape]
    q = q.replace("[x]", sx).replace("[y]", sy).replace("[w]", w).replace("[s]", sign)
    if shape in (2, 3, 5, 7, 8, 1):
        ans = f"{x} {sign} {y} = {r}."
    else:
        ans = f"{x} {w} {y} is {r}."
    return _sum(rng, q, ans, sum_key(op, x, y, shape), r)


def story_sum(rng):
    n, t = rng.choice(NAMES), rng.choice(THINGS)
    if rng.random() < 0.5:
        x, y = rng.randint(1, 20), rng.randint(1, 20)
        q = say(rng, "[n] has [x] [t] and {gets|finds|buys|is given} [y] more. How many [t] does [n] have{ now|}?",
                n=n, t=t, x=x, y=y)
        return _sum(rng, q, f"{x} + {y} = {x + y}, so {n} has {x + y} {t}.", sum_key("+", x, y), x + y)
    x = rng.randint(2, 20)
    y = rng.randint(1, x - 1)
    q = say(rng, "[n] has [x] [t] and {gives away|loses|sells} [y]{ of them|}. How many {[t] |}are left?",
            n=n, t=t, x=x, y=y)
    return _sum(rng, q, f"{x} - {y} = {x - y}, so {n} has {x - y} {t} left.", sum_key("-", x, y), x - y)


def double(rng):
    x = rng.randint(1, 50)
    if rng.random() < 0.5:
        q = say(rng, "What is {double|twice} [x]?", x=x)
        return _sum(rng, q, f"Twice {x} is {2 * x}.", f"double|{x}", 2 * x)
    q = say(rng, "What is half of [x]?", x=2 * x)
    return _sum(rng, q, f"Half of {2 * x} is {x}.", f"half|{x}", x)


def counting(rng):
    if rng.random() < 0.3:
        x, step = rng.randint(2, 12), rng.randint(4, 10)
        if x > 10:
            step = 5
        if rng.random() < 0.3:
            q = say(rng, "Count {down|backwards} from [x]{ to 1|}.", x=step)
            return Sample("counting", f"down|{step}|{q[:12]}", [user(typed(rng, q)), bot(", ".join(map(str, range(step, 0, -1))) + ".")],
                          check={"kind": "contains", "any": [", ".join(map(str, range(step, 0, -1)))]})
        out = ", ".join(str(x * i) for i in range(1, step + 1))
        q = say(rng, "Count by [x]s to [e].", x=x, e=x * step)
        return Sample("counting", f"by|{x}|{step}", [user(typed(rng, q)), bot(out + ".")],
                      check={"kind": "contains", "any": [out]})
    lo = rng.choice((1, 1, 1, rng.randint(0, 40)))
    hi = lo + rng.randint(3, 19)
    q = say(rng, "{Count|Please count|Can you count} {from [lo] to|from [lo] up to} [hi].", lo=lo, hi=hi)
    if lo == 1 and rng.random() < 0.5:
        q = f"Count to {hi}."
    out = ", ".join(str(i) for i in range(lo, hi + 1))
    return Sample("counting", f"count|{lo}|{hi}", [user(typed(rng, q)), bot(out + ".")],
                  check={"kind": "contains", "any": [out]})


def compare(rng):
    kind = rng.randrange(4)
    if kind == 0:
        x, y = rng.sample(range(0, 100), 2)
        big = rng.random() < 0.6
        q = say(rng, "Which {number |}is {[w]}, [x] or [y]?", w="bigger" if big else "smaller", x=x, y=y)
        r = max(x, y) if big else min(x, y)
        ans, key = f"{r} is {'bigger' if big else 'smaller'}", f"cmp|{x}|{y}"
        return Sample("sums", key, [user(typed(rng, q)), bot(ans + ".")], check={"kind": "contains", "any": [ans]})
    x = rng.randint(0, 99)
    if kind == 1:
        up = rng.random() < 0.6
        q = say(rng, "What {number |}comes {[w]} [x]?", w="after" if up else "before", x=x + 1)
        r = x + 2 if up else x
        ans, key = f"{r} comes {'after' if up else 'before'} {x + 1}", f"next|{x}|{up}"
        return Sample("sums", key, [user(typed(rng, q)), bot(ans + ".")], check={"kind": "contains", "any": [ans]})
    if kind == 2:
        q = say(rng, "Is [x] {even or odd|odd or even}?", x=x)
        return Sample("sums", f"even|{x}", [user(typed(rng, q)), bot(f"{x} is {'odd' if x % 2 else 'even'}.")],
                      check={"kind": "contains", "any": [f"is {'odd' if x % 2 else 'even'}"]})
    q = say(rng, "{Write [x] in words.|How do you write [x] in words?|Spell the number [x].}", x=x)
    return Sample("sums", f"spell|{x}", [user(typed(rng, q)), bot(cap(spelled(x)) + ".")],
                  check={"kind": "contains", "any": [cap(spelled(x))]})


TOPICS = [(plain, 12), (story_sum, 3), (double, 1), (counting, 2), (compare, 3)]
