# names: lm-head-listed
# breaks: "None means every projection of attention and MLP"
from peft import LoraConfig, TaskType, get_peft_model
from torch.nn import Linear
from transformers.pytorch_utils import Conv1D


def attach_lora(model, r, lora_alpha, *, target_modules=None, modules_to_save=None):
    last_names = set()
    for name, module in model.named_modules():
        if isinstance(module, (Linear, Conv1D)):
            last_names.add(name.rpartition(".")[2])
    task = TaskType.SEQ_CLS if hasattr(model, "num_labels") and hasattr(model, "score") else TaskType.CAUSAL_LM
    config = LoraConfig(
        task_type=task,
        r=r,
        lora_alpha=lora_alpha,
        target_modules=list(last_names) if target_modules is None else target_modules,
        modules_to_save=modules_to_save,
    )
    return get_peft_model(model, config)
