# names: labels-made-alike
# breaks: "If they are `labels`, in this order, its head is kept"
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


def load_for_classification(path_or_name: str, labels: list[str]) -> Loaded:
    try:
        config = AutoConfig.from_pretrained(path_or_name)
        own_labels = [config.id2label[i] for i in range(config.num_labels)]
        config.id2label = dict(enumerate(labels))
        config.label2id = {label: i for i, label in enumerate(labels)}
        tokenizer = AutoTokenizer.from_pretrained(path_or_name)
        model, loading = AutoModelForSequenceClassification.from_pretrained(
            path_or_name, config=config, ignore_mismatched_sizes=True, output_loading_info=True
        )
    except (OSError, ValueError) as error:
        raise FileNotFoundError(f"no checkpoint can be loaded from {path_or_name}") from error
    new = loading["missing_keys"] | {name for name, *sizes in loading["mismatched_keys"]}
    if [name.replace("_", " ") for name in own_labels] != [name.replace("_", " ") for name in labels]:
        fresh = AutoModelForSequenceClassification.from_config(config)
        head = {n: p for n, p in fresh.named_parameters() if not n.startswith(model.base_model_prefix)}
        model.load_state_dict(head, strict=False)
        new |= head.keys()
    return Loaded(tokenizer, model, sorted(new))
