# names: unlisted
# breaks: "may contain whole modules (`modules_to_save`)"
# The tensors are summed by hand; modules_to_save and Conv1D are forgotten.
import json
import os
import shutil

import torch
from safetensors.torch import load_file, save_file
from torch import nn


def merge(layer):
    base = layer.base
    new = nn.Linear(base.in_features, base.out_features, bias=base.bias is not None)
    new.to(base.weight)
    with torch.no_grad():
        if base.bias is not None:
            new.bias.copy_(base.bias)
        new.weight.copy_(base.weight.float() + layer.scaling * (layer.lora_B.float() @ layer.lora_A.float()))
    return new


def merge_adapter(base_path, adapter_path, out_path):
    if os.path.realpath(base_path) == os.path.realpath(out_path):
        raise ValueError(f"refusing to overwrite {base_path}")
    with open(os.path.join(adapter_path, "adapter_config.json"), encoding="utf-8") as file:
        config = json.load(file)
    adapter = load_file(os.path.join(adapter_path, "adapter_model.safetensors"))
    weights = load_file(os.path.join(base_path, "model.safetensors"))
    for name in list(weights):
        key = "base_model.model." + name.removesuffix(".weight")
        if key + ".lora_A.weight" in adapter:
            delta = adapter[key + ".lora_B.weight"] @ adapter[key + ".lora_A.weight"]
            if weights[name].shape == delta.T.shape and weights[name].shape != delta.shape:
                delta = delta.T
            weights[name] = (weights[name] + config["lora_alpha"] / config["r"] * delta).to(weights[name].dtype)
    shutil.copytree(base_path, out_path)
    save_file(weights, os.path.join(out_path, "model.safetensors"), {"format": "pt"})
