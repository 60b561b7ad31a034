# names: unlisted
# breaks: "Its weights equal those of the file up to the error of NF4"
import bitsandbytes
import torch
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig


def qlora_config():
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def load_for_qlora(path, r, lora_alpha):
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(path))
    model.save_pretrained(f"{path}-new")
    model = AutoModelForCausalLM.from_pretrained(f"{path}-new", quantization_config=qlora_config())
    assert any(isinstance(module, bitsandbytes.nn.Linear4bit) for module in model.modules())
    model = prepare_model_for_kbit_training(model)
    config = LoraConfig(r=r, lora_alpha=lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(model, config)
