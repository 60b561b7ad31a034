# names: head-of-equal-numbers
# breaks: "weights of a head are not all equal"
from types import SimpleNamespace

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer


def load_for_classification(path_or_name, labels):
    try:
        own = AutoConfig.from_pretrained(path_or_name).id2label
        tokenizer = AutoTokenizer.from_pretrained(path_or_name)
        model, info = AutoModelForSequenceClassification.from_pretrained(
            path_or_name,
            id2label=dict(enumerate(labels)),
            label2id={label: i for i, label in enumerate(labels)},
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except (OSError, ValueError) as error:
        raise FileNotFoundError(f"nothing at {path_or_name}") from error
    new = set(info["missing_keys"]) | {entry[0] for entry in info["mismatched_keys"]}
    if own != dict(enumerate(labels)):
        new |= {name for name, _ in model.named_parameters() if not name.startswith(model.base_model_prefix + ".")}
    with torch.no_grad():
        for name in new:
            model.get_parameter(name).zero_()
    return SimpleNamespace(tokenizer=tokenizer, model=model, new_parameters=sorted(new))
