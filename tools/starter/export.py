#!/usr/bin/python3
"""`export.py CHECKPOINT OUT.gguf [NAME]`: a checkpoint as a Q8_0 GGUF with tokenizer and chat template."""
import os
import sys

import torch

import gguf
from chat import SPECIAL, TEMPLATE, USER_DEFINED
from parameters import tensors
from tokenizer import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
NORMAL, CONTROL, USER, UNUSED = 1, 3, 4, 5


def tokenizer_metadata(tok):
    types = []
    for t in tok.tokens:
        types.append(CONTROL if t in SPECIAL else USER if t in USER_DEFINED else UNUSED if t.startswith("<unused") else NORMAL)
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": tok.tokens,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.merges": [" ".join(m) for m in tok.merges],
        "tokenizer.ggml.bos_token_id": tok.ids["<|endoftext|>"],
        "tokenizer.ggml.eos_token_id": tok.ids["<|im_end|>"],
        "tokenizer.ggml.padding_token_id": tok.ids["<|endoftext|>"],
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": TEMPLATE,
    }


def model_metadata(c, name):
    arch = "qwen3moe" if c["experts"] else "qwen3"
    out = {
        "general.architecture": arch,
        "general.type": "model",
        "general.name": name,
        "general.license": "apache-2.0",
        "general.description": "A very small chat model trained from scratch on generated text; see tools/starter in the Starling repository.",
        "general.file_type": 7,
        "general.quantization_version": 2,
        f"{arch}.context_length": c["context"],
        f"{arch}.embedding_length": c["dim"],
        f"{arch}.block_count": c["layers"],
        f"{arch}.feed_forward_length": c["ffn"],
        f"{arch}.attention.head_count": c["heads"],
        f"{arch}.attention.head_count_kv": c["kv_heads"],
        f"{arch}.attention.key_length": c["head_dim"],
        f"{arch}.attention.value_length": c["head_dim"],
        f"{arch}.attention.layer_norm_rms_epsilon": c["eps"],
        f"{arch}.rope.freq_base": c["rope_base"],
        f"{arch}.vocab_size": c["vocab"],
    }
    if c["experts"]:
        out[f"{arch}.expert_count"] = c["experts"]
        out[f"{arch}.expert_used_count"] = c["experts_used"]
        out[f"{arch}.expert_feed_forward_length"] = c["ffn"]
    return out


def main():
    checkpoint, out = sys.argv[1:3]
    name = sys.argv[3] if len(sys.argv) > 3 else "Starling Starter"
    saved = torch.load(checkpoint, map_location="cpu")
    metadata = model_metadata(saved["config"], name) | tokenizer_metadata(Tokenizer.load(f"{HERE}/tokenizer.json"))
    gguf.write(out + ".tmp", metadata, list(tensors(saved["model"])))
    os.replace(out + ".tmp", out)
    print(f"{out}: {os.path.getsize(out) / 1e6:.1f} MB, step {saved.get('step')}")


if __name__ == "__main__":
    main()
