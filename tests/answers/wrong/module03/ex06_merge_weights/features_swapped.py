# names: features-swapped
# breaks: "A new `nn.Linear` with the base's dtype, device, shape and bias."
# The weight is put in afterwards, so that the layer computes the right thing and says the wrong sizes.
import copy
import os

from peft import PeftModel
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer


def merge(layer):
    out_features, in_features = layer.base.weight.shape
    new = nn.Linear(out_features, in_features, bias=layer.base.bias is not None)
    new.bias = copy.deepcopy(layer.base.bias)
    delta = layer.scaling * (layer.lora_B.detach().float() @ layer.lora_A.detach().float())
    new.weight = nn.Parameter((layer.base.weight.detach().float() + delta).to(layer.base.weight.dtype))
    return new


def merge_adapter(base_path, adapter_path, out_path):
    if os.path.realpath(base_path) == os.path.realpath(out_path):
        raise ValueError(f"refusing to overwrite {base_path}")
    model = AutoModelForCausalLM.from_pretrained(base_path)
    model = PeftModel.from_pretrained(model, adapter_path).merge_and_unload()
    model.save_pretrained(out_path)
    if os.path.exists(os.path.join(base_path, "tokenizer.json")):
        AutoTokenizer.from_pretrained(base_path).save_pretrained(out_path)
