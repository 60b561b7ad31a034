# names: label2id-left
# breaks: "and `label2id` is its inverse"

from typing import NamedTuple

from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)


class Loaded(NamedTuple):
    tokenizer: PreTrainedTokenizerBase
    model: PreTrainedModel
    new_parameters: list[str]


def load_for_classification(path_or_name, labels):
    names = dict(enumerate(labels))
    try:
        config = AutoConfig.from_pretrained(path_or_name)
        tokenizer = AutoTokenizer.from_pretrained(path_or_name)
        keeps = [config.id2label.get(i) for i in range(len(config.id2label))] == list(labels)
        model, info = AutoModelForSequenceClassification.from_pretrained(
            path_or_name, num_labels=len(labels), ignore_mismatched_sizes=True, output_loading_info=True
        )
    except (OSError, ValueError) as error:
        raise FileNotFoundError(f"nothing to load from {path_or_name}") from error
    model.config.id2label = names
    new = set(info["missing_keys"]) | {key[0] for key in info["mismatched_keys"]}
    if not keeps:
        fresh = dict(AutoModelForSequenceClassification.from_config(model.config).named_parameters())
        for name, parameter in model.named_parameters():
            if not name.startswith(model.base_model_prefix + "."):
                parameter.data.copy_(fresh[name].data)
                new.add(name)
    every = [name for name, _ in model.named_parameters()]
    return Loaded(tokenizer, model, sorted(new.intersection(every)))
