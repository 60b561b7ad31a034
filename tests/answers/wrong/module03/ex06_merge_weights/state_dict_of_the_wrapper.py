# names: names-of-the-wrapper
# breaks: "under the names and in the dtype of the base's file"
# The names of the peft model are written, with base_model.model. in front.
import copy
import os

import torch
from peft import PeftModel
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM


def merge(layer):
    new = copy.deepcopy(layer.base)
    with torch.no_grad():
        new.weight.copy_(new.weight.float() + layer.scaling * (layer.lora_B.float() @ layer.lora_A.float()))
    return new


def merge_adapter(base_path, adapter_path, out_path):
    if os.path.realpath(base_path) == os.path.realpath(out_path):
        raise ValueError(f"refusing to overwrite {base_path}")
    base = AutoModelForCausalLM.from_pretrained(base_path)
    model = PeftModel.from_pretrained(base, adapter_path)
    model.merge_adapter()
    os.makedirs(out_path, exist_ok=True)
    weights = {n: p.detach().clone() for n, p in model.named_parameters() if "lora_" not in n}
    save_file(weights, os.path.join(out_path, "model.safetensors"), {"format": "pt"})
    base.config.save_pretrained(out_path)
