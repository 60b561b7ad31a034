# names: base-from-adapter-config
# breaks: "The base that its config names is ignored"
import copy
import os

import torch
from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer


def merge(layer):
    new = copy.deepcopy(layer.base)
    delta = torch.matmul(layer.lora_B.detach().float(), layer.lora_A.detach().float())
    new.weight = torch.nn.Parameter((layer.base.weight.float() + delta * layer.scaling).to(layer.base.weight.dtype))
    return new


def merge_adapter(base_path, adapter_path, out_path):
    if os.path.realpath(base_path) == os.path.realpath(out_path):
        raise ValueError(f"refusing to overwrite {base_path}")
    model = AutoPeftModelForCausalLM.from_pretrained(adapter_path)
    model = model.merge_and_unload()
    model.save_pretrained(out_path)
    if os.path.exists(os.path.join(base_path, "tokenizer_config.json")):
        AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
