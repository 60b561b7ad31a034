# names: no-kbit-prepare
# breaks: "prepare it for training"
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, BitsAndBytesConfig


def qlora_config():
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def load_for_qlora(path, r, lora_alpha):
    model = AutoModelForCausalLM.from_pretrained(path, quantization_config=qlora_config(), device_map="auto")
    for p in model.parameters():
        p.requires_grad = False
    config = LoraConfig(
        r=r, lora_alpha=lora_alpha, lora_dropout=0.1, bias="none", target_modules="all-linear", task_type="CAUSAL_LM"
    )
    return get_peft_model(model, config)
