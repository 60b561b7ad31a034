# names: no-scale
# breaks: "weight = base.weight + scaling * B A"
import os

from peft import PeftModel
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer


def merge(layer):
    old = layer.base
    new = nn.Linear(old.in_features, old.out_features, bias=old.bias is not None)
    new = new.to(device=old.weight.device, dtype=old.weight.dtype)
    new.weight.data.copy_(old.weight.data.float() + layer.lora_B.data.float().matmul(layer.lora_A.data.float()))
    if old.bias is not None:
        new.bias.data.copy_(old.bias.data)
    return new


def merge_adapter(base_path, adapter_path, out_path):
    if os.path.realpath(base_path) == os.path.realpath(out_path):
        raise ValueError(str(base_path))
    model = AutoModelForCausalLM.from_pretrained(base_path)
    PeftModel.from_pretrained(model, adapter_path).merge_and_unload().save_pretrained(out_path)
    if os.path.exists(os.path.join(base_path, "tokenizer.json")):
        AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
