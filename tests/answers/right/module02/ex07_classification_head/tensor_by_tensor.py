"""Reads the file of weights itself, and copies what fits into a model made from the config."""

from dataclasses import dataclass

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import cached_file


@dataclass
class Loaded:
    tokenizer: object
    model: object
    new_parameters: list


def load_for_classification(path_or_name, labels):
    try:
        config = AutoConfig.from_pretrained(path_or_name)
        file = cached_file(path_or_name, "model.safetensors")
        tokenizer = AutoTokenizer.from_pretrained(path_or_name)
        with safe_open(file, framework="pt") as opened:
            stored = {name: opened.get_tensor(name) for name in opened.keys()}
    except (OSError, ValueError, SafetensorError) as error:
        raise FileNotFoundError(f"there is no model in {path_or_name}") from error
    kept = [config.id2label[i] for i in sorted(config.id2label)] == labels
    config.update({"id2label": dict(enumerate(labels)), "label2id": dict(zip(labels, range(len(labels)), strict=True))})
    model = AutoModelForSequenceClassification.from_config(config)
    prefix = model.base_model_prefix + "."
    new = []
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            in_body = name.startswith(prefix)
            value = stored.get(name, stored.get(name.removeprefix(prefix)) if in_body else None)
            if value is None or value.shape != parameter.shape or not (in_body or kept):
                new.append(name)
            else:
                parameter.copy_(value)
    new.sort()
    return Loaded(tokenizer, model.eval(), new)
