# names: label-names-left
# breaks: "`id2label` maps the int i to `labels[i]`"
from types import SimpleNamespace

from transformers import AutoModelForSequenceClassification, AutoTokenizer


def load_for_classification(path_or_name, labels):
    tokenizer = AutoTokenizer.from_pretrained(path_or_name)
    model = AutoModelForSequenceClassification.from_pretrained(path_or_name, num_labels=len(labels))
    return SimpleNamespace(tokenizer=tokenizer, model=model, new_parameters=[])
