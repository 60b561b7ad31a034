import bitsandbytes
import torch
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, BitsAndBytesConfig


def qlora_config():
    config = BitsAndBytesConfig(load_in_4bit=True)
    config.bnb_4bit_quant_type = "nf4"
    config.bnb_4bit_use_double_quant = True
    config.bnb_4bit_compute_dtype = torch.bfloat16
    return config


def load_for_qlora(path, r, lora_alpha):
    model = AutoModelForCausalLM.from_pretrained(
        path, quantization_config=qlora_config(), device_map="auto", attn_implementation="eager"
    )
    names = [name for name, module in model.named_modules() if isinstance(module, bitsandbytes.nn.Linear4bit)]
    model.config.use_cache = False
    prepare_model_for_kbit_training(model, gradient_checkpointing_kwargs={"use_reentrant": True})
    config = LoraConfig(
        r=r, lora_alpha=lora_alpha, lora_dropout=0.05, bias="none", target_modules=names, task_type="CAUSAL_LM"
    )
    peft_model = get_peft_model(model, config)
    peft_model.eval()
    return peft_model
