from bitsandbytes.nn import Params4bit
from peft import LoraConfig, TaskType, get_peft_model
from transformers import AutoModelForCausalLM, BitsAndBytesConfig


def qlora_config():
    options = {"quant_type": "nf4", "use_double_quant": True, "compute_dtype": "bfloat16"}
    return BitsAndBytesConfig(load_in_4bit=True, **{f"bnb_4bit_{name}": value for name, value in options.items()})


def load_for_qlora(path, r, lora_alpha):
    model = AutoModelForCausalLM.from_pretrained(str(path), quantization_config=qlora_config(), dtype="auto")
    for parameter in model.parameters():
        parameter.requires_grad_(False)
        if not isinstance(parameter, Params4bit):
            parameter.data = parameter.data.float()
    model.gradient_checkpointing_enable({"use_reentrant": False})
    config = LoraConfig(task_type=TaskType.CAUSAL_LM, r=r, lora_alpha=lora_alpha, target_modules="all-linear")
    return get_peft_model(model, config).train()
