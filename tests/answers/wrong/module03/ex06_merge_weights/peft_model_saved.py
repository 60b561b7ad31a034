# names: adapter-saved-only
# breaks: "It receives no LoRA weights and no adapter files."

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

    base = AutoModelForCausalLM.from_pretrained(base_path)
    model = PeftModel.from_pretrained(base, adapter_path)
    model.merge_adapter()
    model.save_pretrained(out_path)

    if any((Path(base_path) / name).exists() for name in ("tokenizer.json", "tokenizer_config.json")):
        AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
