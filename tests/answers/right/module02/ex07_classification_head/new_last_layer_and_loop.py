"""Takes the difference of two models: the one that the library loads, and one that was never trained."""

import copy

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer


class Loaded:
    def __init__(self, **fields):
        self.__dict__.update(fields)


def load_for_classification(path_or_name, labels):
    config, tokenizer, model, info = read(path_or_name, labels)
    untrained = AutoModelForSequenceClassification.from_config(copy.deepcopy(model.config))
    reported = list(info["missing_keys"]) + [entry[0] for entry in info["mismatched_keys"]]
    if config.num_labels != len(labels) or any(config.id2label[i] != label for i, label in enumerate(labels)):
        outside = dict(model.named_parameters())
        for name, _ in model.base_model.named_parameters():
            del outside[f"{model.base_model_prefix}.{name}"]
        for name in outside:
            layer, _, attribute = name.rpartition(".")
            fresh = untrained.get_parameter(name).detach().clone()
            setattr(model.get_submodule(layer), attribute, torch.nn.Parameter(fresh))
            reported.append(name)
    return Loaded(tokenizer=tokenizer, model=model, new_parameters=sorted(set(reported)))


def read(path_or_name, labels):
    names = dict(enumerate(labels))
    try:
        return (
            AutoConfig.from_pretrained(path_or_name),
            AutoTokenizer.from_pretrained(path_or_name),
            *AutoModelForSequenceClassification.from_pretrained(
                path_or_name,
                id2label=names,
                label2id=dict(zip(names.values(), names.keys(), strict=True)),
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            ),
        )
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise FileNotFoundError(f"{path_or_name}: {reason}") from None
