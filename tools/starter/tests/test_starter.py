"""`python3 -m unittest discover -s tools/starter/tests`: the standard library is enough; the
tokenizer test needs python3-regex and is skipped without it."""
import json
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
MODELS = os.path.join(HERE, "..", "..", "..", "models")

import gguf  # noqa: E402
import recipe  # noqa: E402
from chat import TEMPLATE, render  # noqa: E402
from recipe.text import a, held_out, listing, say, spelled  # noqa: E402

try:
    from tokenizer import Tokenizer
except ImportError:
    Tokenizer = None


class Recipe(unittest.TestCase):
    def test_same_seed_same_text(self):
        one = [s.messages for s in recipe.samples(3, 300)]
        two = [s.messages for s in recipe.samples(3, 300)]
        other = [s.messages for s in recipe.samples(4, 300)]
        self.assertEqual(one, two)
        self.assertNotEqual(one, other)

    def test_nothing_held_out_is_trained(self):
        for s in recipe.samples(5, 4000):
            self.assertFalse([k for k in s.keys() if held_out(k)])
        for s in recipe.samples(5, 200, evaluation=True):
            self.assertTrue(held_out(s.key))

    def test_the_demo_story_is_trained(self):
        self.assertFalse(held_out("story|lighthouse"))

    def test_every_placeholder_is_filled(self):
        for s in recipe.samples(6, 4000):
            for m in s.messages:
                text = m.get("content") or ""
                self.assertNotRegex(text, r"\[[a-z_]+\]|[{}]\||\|[a-z ]+\}|  ")
                if m["role"] == "assistant" and not m.get("tool_calls"):
                    self.assertTrue(text)

    def test_the_right_answer_passes_its_own_check(self):
        import importlib.machinery
        import importlib.util
        loader = importlib.machinery.SourceFileLoader("starter_eval", os.path.join(HERE, "..", "eval"))
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader("starter_eval", loader))
        loader.exec_module(module)
        known = module.vocabulary()
        for s in recipe.samples(8, 2000, evaluation=True):
            last = s.messages[-1]
            calls = [(c["function"]["name"], c["function"]["arguments"]) for c in last.get("tool_calls") or []]
            answer = {"text": last.get("content") or "", "calls": calls, "ended": True}
            self.assertEqual(module.faults(answer, s.check, known), [], s)

    def test_words(self):
        self.assertEqual([a(w) for w in ("owl", "unicorn", "hour", "cat")], ["an owl", "a unicorn", "an hour", "a cat"])
        self.assertEqual(listing(["x", "y", "z"]), "x, y and z")
        self.assertEqual([spelled(n) for n in (0, 13, 42, 100)], ["zero", "thirteen", "forty-two", "one hundred"])
        import random
        self.assertIn(say(random.Random(1), "{a|b {c|d}} [n]", n="e"), ("a e", "b c e", "b d e"))


class Chat(unittest.TestCase):
    def test_turns(self):
        text = "".join(t for t, _ in render([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}], prompt=True))
        self.assertEqual(text, "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n")

    def test_only_the_assistant_is_learnt(self):
        learnt = "".join(t for t, l in render([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]) if l)
        self.assertEqual(learnt, "Hello!<|im_end|>")

    def test_call(self):
        call = {"function": {"name": "add", "arguments": {"a": 1, "b": "é"}}}
        text = "".join(t for t, _ in render([{"role": "assistant", "content": "", "tool_calls": [call]}]))
        self.assertIn('<tool_call>\n{"name": "add", "arguments": {"a": 1, "b": "é"}}\n</tool_call><|im_end|>', text)


class Gguf(unittest.TestCase):
    def test_round_trip(self):
        meta = {"a": 7, "b": 1.5, "c": "é", "d": ["x", "yy"], "e": [1, -2], "f": False}
        tensors = [("t", [32, 2], gguf.Q8_0, bytes(range(68))), ("n", [3], gguf.F32, b"\0" * 12)]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.gguf")
            gguf.write(path, meta, tensors)
            got, back = gguf.read(path)
        self.assertEqual(got, meta)
        self.assertEqual(back, {n: (s, k, d) for n, s, k, d in tensors})

    def test_shipped_models(self):
        files = [f for f in os.listdir(MODELS) if f.endswith(".gguf")]
        self.assertIn("starter.gguf", files)
        total = 0
        for f in files:
            path = os.path.join(MODELS, f)
            total += os.path.getsize(path)
            meta, tensors = gguf.read(path)
            self.assertEqual(meta["tokenizer.chat_template"], TEMPLATE)
            with open(os.path.join(HERE, "..", "tokenizer.json"), encoding="utf-8") as t:
                self.assertEqual(meta["tokenizer.ggml.merges"], json.load(t)["merges"])
            self.assertIn("token_embd.weight", tensors)
            arch = meta["general.architecture"]
            self.assertEqual(sum(n.endswith("attn_q.weight") for n in tensors), meta[f"{arch}.block_count"])
        self.assertLess(os.path.getsize(os.path.join(MODELS, "starter.gguf")), 24e6)
        self.assertLess(total, 40e6)


@unittest.skipUnless(Tokenizer, "needs python3-regex")
class Tokens(unittest.TestCase):
    def test_round_trip(self):
        tok = Tokenizer.load(os.path.join(HERE, "..", "tokenizer.json"))
        for text in ("", "Hello, world!", "naïve café — 日本語 🐦‍⬛\n\n\tx", "a\r\nb   c ", "12345", "\x00\x7f", "don't WE'RE", "<|im_end|> <tool_call>"):
            self.assertEqual(tok.decode(tok.encode(text)), text)
        self.assertEqual(len(tok.encode("12345")), 5)
        self.assertEqual(tok.encode("<|im_end|>"), [tok.ids["<|im_end|>"]])
        self.assertGreater(len(tok.encode("<|im_end|>", special=False)), 1)


if __name__ == "__main__":
    unittest.main()
