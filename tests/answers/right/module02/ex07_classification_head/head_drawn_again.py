"""Lets the library do it all, and then draws the layers of a head that was not meant to be kept again."""

from collections import namedtuple

from torch import nn
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

Loaded = namedtuple("Loaded", "model tokenizer new_parameters")


def load_for_classification(path_or_name, labels):
    numbered = {i: label for i, label in enumerate(labels)}
    try:
        old = AutoConfig.from_pretrained(path_or_name)
        model, info = AutoModelForSequenceClassification.from_pretrained(
            path_or_name,
            num_labels=len(labels),
            id2label=numbered,
            label2id={label: i for i, label in numbered.items()},
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
        tokenizer = AutoTokenizer.from_pretrained(path_or_name)
    except Exception as e:
        raise FileNotFoundError("could not load " + str(path_or_name)) from e

    new = set(info["missing_keys"])
    new.update(key for key, _, _ in info["mismatched_keys"])
    if old.id2label != numbered:
        body = set(model.base_model.modules())
        for name, module in model.named_modules():
            if isinstance(module, nn.Linear) and module not in body:
                module.reset_parameters()
                new |= {f"{name}.weight", f"{name}.bias"}
    return Loaded(model=model, tokenizer=tokenizer, new_parameters=sorted(new))
