# names: tokenizer-from-adapter
# breaks: "The tokenizer is written too if `base_path` has one"

import copy
from pathlib import Path

import torch
from peft import PeftModel
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer


def merge(layer: nn.Module) -> nn.Linear:
    merged = copy.deepcopy(layer.base)
    wide = torch.promote_types(merged.weight.dtype, torch.float32)
    with torch.no_grad():
        update = layer.lora_B.to(wide) @ layer.lora_A.to(wide)
        merged.weight.copy_(merged.weight.to(wide) + layer.scaling * update)
    return merged


def merge_adapter(base_path: str | Path, adapter_path: str | Path, out_path: str | Path) -> None:
    if Path(out_path).resolve() == Path(base_path).resolve():
        raise ValueError(f"{out_path} is the base")

    base = AutoModelForCausalLM.from_pretrained(base_path, dtype="auto")
    merged = PeftModel.from_pretrained(base, adapter_path).merge_and_unload()
    merged.save_pretrained(out_path)

    for folder in (adapter_path, base_path):
        if any((Path(folder) / name).exists() for name in ("tokenizer.json", "tokenizer_config.json")):
            AutoTokenizer.from_pretrained(folder).save_pretrained(out_path)
            break
