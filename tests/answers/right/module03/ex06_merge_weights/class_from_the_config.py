"""The class that the config names, loaded and merged in float32 and cast back; einsum in the layer."""

from pathlib import Path

import torch
import transformers
from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
from safetensors.torch import load_file
from torch import einsum, nn


class Merged(nn.Linear):
    """A linear layer made of a LoRA layer."""

    def __init__(self, layer):
        weight, bias = layer.base.weight, layer.base.bias
        super().__init__(weight.shape[1], weight.shape[0], bias=bias is not None, device=weight.device)
        self.to(weight.dtype)
        update = einsum("or,ri->oi", layer.lora_B.float(), layer.lora_A.float())
        self.weight = nn.Parameter((weight.float() + update.mul(layer.scaling)).detach().to(weight.dtype, copy=True))
        if bias is not None:
            self.bias = nn.Parameter(bias.detach().clone())


def merge(layer):
    return Merged(layer)


def merge_adapter(base_path, adapter_path, out_path):
    base_path, adapter_path, out_path = (Path(path).resolve() for path in (base_path, adapter_path, out_path))
    if base_path == out_path:
        raise ValueError(f"the result cannot be written over its base {base_path}")
    config = transformers.AutoConfig.from_pretrained(base_path)
    base = getattr(transformers, config.architectures[0]).from_pretrained(base_path, dtype=torch.float32)
    model = get_peft_model(base, LoraConfig.from_pretrained(adapter_path))
    set_peft_model_state_dict(model, load_file(adapter_path / "adapter_model.safetensors"))
    plain = model.merge_and_unload(safe_merge=True).to(config.dtype)
    plain.save_pretrained(out_path)
    if {"tokenizer.json", "tokenizer_config.json"} & {file.name for file in base_path.iterdir()}:
        transformers.AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
