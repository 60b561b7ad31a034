# names: defaults-left
# breaks: "Return the options for loading a model as in the QLoRA paper."
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, BitsAndBytesConfig


def qlora_config():
    return BitsAndBytesConfig(load_in_4bit=True)


def load_for_qlora(path, r, lora_alpha):
    model = prepare_model_for_kbit_training(
        AutoModelForCausalLM.from_pretrained(path, quantization_config=qlora_config())
    )
    return get_peft_model(model, LoraConfig("CAUSAL_LM", r=r, lora_alpha=lora_alpha, target_modules="all-linear"))
