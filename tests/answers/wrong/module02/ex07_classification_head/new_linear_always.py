# names: head-always-new
# breaks: "If they are `labels`, in this order, its head is kept"
from types import SimpleNamespace

from torch import nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer


def load_for_classification(path_or_name, labels):
    try:
        tokenizer = AutoTokenizer.from_pretrained(path_or_name)
        model, info = AutoModelForSequenceClassification.from_pretrained(path_or_name, output_loading_info=True)
    except Exception as error:
        raise FileNotFoundError(f"nothing at {path_or_name}") from error
    model.classifier = nn.Linear(model.config.hidden_size, len(labels))
    model.num_labels = len(labels)
    model.config.id2label = dict(enumerate(labels))
    model.config.label2id = {label: i for i, label in enumerate(labels)}
    new = {"classifier.weight", "classifier.bias"} | info["missing_keys"]
    return SimpleNamespace(tokenizer=tokenizer, model=model, new_parameters=sorted(new))
