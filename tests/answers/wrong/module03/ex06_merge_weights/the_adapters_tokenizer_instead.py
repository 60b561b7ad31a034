# names: adapters-tokenizer-as-a-fallback
# breaks: "and none if it doesn't"
"""The tokenizer of the adapter is written where the base has none."""

from pathlib import Path

import torch
from peft import PeftModel
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer


def merge(layer):
    base = layer.base
    w = base.weight.detach()
    kind = torch.promote_types(w.dtype, torch.float32)
    update = layer.lora_B.detach().to(kind) @ layer.lora_A.detach().to(kind)
    new = nn.Linear(base.in_features, base.out_features, bias=base.bias is not None, dtype=w.dtype, device=w.device)
    with torch.no_grad():
        new.weight.copy_(w.to(kind) + layer.scaling * update)
        if base.bias is not None:
            new.bias.copy_(base.bias)
    return new


def merge_adapter(base_path, adapter_path, out_path):
    base_path, out_path = Path(base_path), Path(out_path)
    if base_path.resolve() == out_path.resolve():
        raise ValueError(f"{out_path} is the base")
    base = AutoModelForCausalLM.from_pretrained(base_path, dtype="auto")
    model = PeftModel.from_pretrained(base, str(adapter_path)).merge_and_unload()
    out_path.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out_path)
    if any((base_path / n).exists() for n in ("tokenizer.json", "tokenizer_config.json")):
        AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
    elif (Path(adapter_path) / "tokenizer_config.json").exists():
        AutoTokenizer.from_pretrained(adapter_path).save_pretrained(out_path)
