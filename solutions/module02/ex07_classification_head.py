"""2.07 · Classification head: load a pretrained body, add a head for your labels, and list the new parameters.

The library loads what fits and only logs the rest; before you fine-tune, you have to know which weights are random.
"""

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
    """Load a checkpoint as a classifier that sorts texts into `labels`; you may use any call of the library.

    A transformers model has a body, `model.base_model`, and a head: all parameters that are not in the body. In the
    names of parameters, the body is `model.base_model_prefix`, such as "bert" in "bert.pooler.dense.weight", while
    "classifier.weight" belongs to the head.

    The checkpoint may hold a body alone, a body with the head of another task (the config then has other label
    names), or a classifier. A classifier's own label names are in its config: `id2label` maps 0, 1, 2 … to them. If
    they are `labels`, in this order, its head is kept. Otherwise it is a head for something else, and the model
    gets a new one: all of it, even if the number of labels is the same.

    Args:
        path_or_name: a folder, or a name on the Hugging Face Hub.
        labels: the names of the classes, all different; logit i stands for `labels[i]`. Not changed.

    Returns a Loaded, or anything with its fields.

    Fields:
        tokenizer: the tokenizer that is stored with the checkpoint.
        model: the model class for sequence classification that belongs to the checkpoint, with one logit for each
            label. All parameters of the body that the checkpoint contains have the values stored there. What is new
            is drawn at random, and the weights of a head are not all equal. Every parameter can be trained. The
            model's config has the labels: `id2label` maps the int i to `labels[i]`, and `label2id` is its inverse.
        new_parameters: the sorted names, as in `model.named_parameters()`, of the parameters whose values do not
            come from the checkpoint: they are missing there, have another size, or are in a head that was not kept.

    If there is nothing to load (no such folder or name, or no config or no weights in it): FileNotFoundError, with
    a one-line message that contains `path_or_name`.

    Method: https://huggingface.co/docs/transformers/main_classes/model, `from_pretrained`
    """
    # BEGIN SOLUTION: put the labels into the config, load with it, replace the head if it is for other labels.
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
    if own_labels != labels:
        fresh = AutoModelForSequenceClassification.from_config(config)
        head = {n: p for n, p in fresh.named_parameters() if not n.startswith(model.base_model_prefix)}
        model.load_state_dict(head, strict=False)
        new |= head.keys()
    return Loaded(tokenizer, model, sorted(new))
    # END SOLUTION
