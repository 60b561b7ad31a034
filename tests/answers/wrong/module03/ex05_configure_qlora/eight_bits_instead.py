# names: eight-bits
# breaks: "`load_in_4bit` on and `load_in_8bit` off"
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, BitsAndBytesConfig


def qlora_config():
    return BitsAndBytesConfig(
        load_in_8bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype="bfloat16"
    )


def load_for_qlora(path, r, lora_alpha):
    base = AutoModelForCausalLM.from_pretrained(path, quantization_config=qlora_config(), device_map="auto")
    base = prepare_model_for_kbit_training(base)
    config = LoraConfig(task_type="CAUSAL_LM", r=r, lora_alpha=lora_alpha, target_modules="all-linear")
    return get_peft_model(base, config)
