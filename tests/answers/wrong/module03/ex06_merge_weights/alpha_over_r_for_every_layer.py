# names: alpha-over-r-for-all
# breaks: "and may have other scales than alpha / r"
# Sums by hand with lora_alpha / r, which rank-stabilized adapters and patterns are not.

import copy
import json
from pathlib import Path

import torch
from safetensors.torch import load_file
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

    model = AutoModelForCausalLM.from_pretrained(base_path)
    settings = json.loads((Path(adapter_path) / "adapter_config.json").read_text())
    tensors = load_file(Path(adapter_path) / "adapter_model.safetensors")
    for name in [name for name in tensors if name.endswith("lora_A.weight")]:
        module = model.get_submodule(name.removeprefix("base_model.model.").removesuffix(".lora_A.weight"))
        update = tensors[name.replace("lora_A", "lora_B")].float() @ tensors[name].float()
        update = settings["lora_alpha"] / settings["r"] * (update.T if settings["fan_in_fan_out"] else update)
        module.weight.data = (module.weight.data.float() + update).to(module.weight.dtype)
    for name in [name for name in tensors if "lora_" not in name]:
        model.get_parameter(name.removeprefix("base_model.model.")).data.copy_(tensors[name])
    model.save_pretrained(out_path)

    if any((Path(base_path) / name).exists() for name in ("tokenizer.json", "tokenizer_config.json")):
        AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
