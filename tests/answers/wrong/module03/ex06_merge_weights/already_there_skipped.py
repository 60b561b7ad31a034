# names: earlier-result-kept
# breaks: "`out_path` receives the base's config, and the weights"
# out_path holds a model from an earlier run
import copy
from pathlib import Path

import torch
from peft import PeftModel
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer


def merge(layer: nn.Module) -> nn.Linear:
    base = layer.base
    merged = copy.deepcopy(base)
    wide = torch.promote_types(base.weight.dtype, torch.float32)
    update = layer.scaling * (layer.lora_B.to(wide) @ layer.lora_A.to(wide))  # [out, in]
    with torch.no_grad():
        merged.weight.copy_(base.weight.to(wide) + update)
    return merged


def merge_adapter(base_path: str | Path, adapter_path: str | Path, out_path: str | Path) -> None:
    base_path, out_path = Path(base_path), Path(out_path)
    if out_path.resolve() == base_path.resolve():
        raise ValueError(f"out_path is the folder of the base: {out_path}")
    if (out_path / "model.safetensors").exists():
        return  # merged already
    base = AutoModelForCausalLM.from_pretrained(base_path)  # in the dtype it was stored in
    merged = PeftModel.from_pretrained(base, adapter_path).merge_and_unload()
    merged.save_pretrained(out_path)
    if any(base_path.glob("tokenizer*.json")):
        AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
