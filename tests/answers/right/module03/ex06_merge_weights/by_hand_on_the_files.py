"""No model is built: the tensors are read, summed and written. The layer is merged in float64."""

import json
import os
import shutil

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

PREFIX = "base_model.model."


def merge(layer):
    old = layer.base
    new = nn.Linear(old.in_features, old.out_features, old.bias is not None, old.weight.device, old.weight.dtype)
    delta = torch.zeros_like(old.weight, dtype=torch.float64)
    for k in range(layer.lora_A.shape[0]):
        delta = delta + torch.outer(layer.lora_B[:, k].double(), layer.lora_A[k].double())
    new.weight.data = (old.weight.double() + layer.scaling * delta).to(old.weight.dtype).detach()
    if old.bias is not None:
        new.bias.data = old.bias.detach().clone()
    return new


def scale(config, name, r):
    """What peft multiplies B A by in this layer."""
    own = [alpha for end, alpha in config["alpha_pattern"].items() if f".{name}".endswith(f".{end}")]
    alpha = own[0] if own else config["lora_alpha"]
    return alpha / (r**0.5 if config["use_rslora"] else r)


def merge_adapter(base_path, adapter_path, out_path):
    if os.path.realpath(base_path) == os.path.realpath(out_path):
        raise ValueError(f"will not overwrite {base_path}")
    with open(os.path.join(adapter_path, "adapter_config.json"), encoding="utf-8") as file:
        config = json.load(file)
    with safe_open(os.path.join(base_path, "model.safetensors"), "pt") as file:
        weights, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()
    adapter = load_file(os.path.join(adapter_path, "adapter_model.safetensors"))
    for name, tensor in adapter.items():
        target = name.removeprefix(PREFIX)
        if target.endswith(".lora_A.weight"):
            target = target.replace(".lora_A", "")
            update = adapter[name.replace("lora_A", "lora_B")].float() @ tensor.float()
            update = scale(config, target.removesuffix(".weight"), len(tensor)) * update
            update = update.T if config["fan_in_fan_out"] else update
            weights[target] = (weights[target].float() + update).to(weights[target].dtype)
        elif ".lora_" not in target:
            weights[target] = tensor.to(weights[target].dtype)
    os.makedirs(out_path, exist_ok=True)
    for name in os.listdir(base_path):
        if not name.endswith(".safetensors"):
            shutil.copy(os.path.join(base_path, name), out_path)
    save_file(weights, os.path.join(out_path, "model.safetensors"), metadata)
