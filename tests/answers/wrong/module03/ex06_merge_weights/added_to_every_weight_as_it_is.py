# names: conv1d-not-transposed
# breaks: "a folder with a transformers causal language model"
# GPT-2 keeps its weights transposed.
import copy
from pathlib import Path

import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer


def merge(layer: nn.Module) -> nn.Linear:
    merged = copy.deepcopy(layer.base)
    with torch.no_grad():
        delta = layer.scaling * (layer.lora_B.float() @ layer.lora_A.float())
        merged.weight.copy_(layer.base.weight.float() + delta)
    return merged


def merge_adapter(base_path: str | Path, adapter_path: str | Path, out_path: str | Path) -> None:
    base_path, out_path = Path(base_path), Path(out_path)
    if base_path.resolve() == out_path.resolve():
        raise ValueError(f"{out_path} is the base's own folder")
    base = AutoModelForCausalLM.from_pretrained(base_path, dtype="auto")
    import json

    from safetensors.torch import load_file

    settings = json.loads((Path(adapter_path) / "adapter_config.json").read_text())
    weights = load_file(Path(adapter_path) / "adapter_model.safetensors")
    merged, scale = base, settings["lora_alpha"] / settings["r"]
    with torch.no_grad():
        for name, a in weights.items():
            if name.endswith("lora_A.weight"):
                b = weights[name.replace("lora_A", "lora_B")]
                target = merged.get_submodule(name.removeprefix("base_model.model.").removesuffix(".lora_A.weight"))
                target.weight.copy_(target.weight.float() + scale * (b.float() @ a.float()))
    out_path.mkdir(parents=True, exist_ok=True)
    merged.save_pretrained(out_path)
    if any((base_path / name).exists() for name in ("tokenizer.json", "tokenizer_config.json")):
        AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
