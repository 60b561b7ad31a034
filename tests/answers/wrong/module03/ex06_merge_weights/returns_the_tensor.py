# names: weight-returned
# breaks: "Return a plain linear layer"
from peft import PeftModel
from transformers import AutoModelForCausalLM


def merge(layer):
    return layer.base.weight + layer.scaling * layer.lora_B @ layer.lora_A


def merge_adapter(base_path, adapter_path, out_path):
    assert base_path != out_path
    model = AutoModelForCausalLM.from_pretrained(base_path)
    return PeftModel.from_pretrained(model, adapter_path).merge_and_unload()
