# names: loaded-in-16-bits
# breaks: "norms and biases have the values from the file, in float32"
import torch
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, BitsAndBytesConfig


def qlora_config():
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )


def load_for_qlora(path, r, lora_alpha):
    model = AutoModelForCausalLM.from_pretrained(path, quantization_config=qlora_config(), dtype=torch.bfloat16)
    model = prepare_model_for_kbit_training(model)
    config = LoraConfig(r=r, lora_alpha=lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(model, config)
