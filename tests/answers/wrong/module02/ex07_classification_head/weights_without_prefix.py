# names: random-body
# breaks: "All parameters of the body that the checkpoint contains have the values stored there"
from types import SimpleNamespace

from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import cached_file


def load_for_classification(path_or_name, labels):
    try:
        config = AutoConfig.from_pretrained(path_or_name, num_labels=len(labels))
        state = load_file(cached_file(path_or_name, "model.safetensors"))
        tokenizer = AutoTokenizer.from_pretrained(path_or_name)
    except Exception as error:
        raise FileNotFoundError(f"nothing at {path_or_name}") from error
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: i for i, label in enumerate(labels)}
    model = AutoModelForSequenceClassification.from_config(config)
    report = model.load_state_dict(state, strict=False)
    return SimpleNamespace(tokenizer=tokenizer, model=model, new_parameters=sorted(report.missing_keys))
