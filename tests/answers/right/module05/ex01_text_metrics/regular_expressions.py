"""As the evaluation script of SQuAD is laid out: four small steps, articles by a pattern, F1 from its two parts."""

import collections
import re
import string


def normalize_answer(s):
    def remove_articles(text):
        return re.sub(r"\b(a|an|the)\b", " ", text)

    def white_space_fix(text):
        return " ".join(text.split())

    def remove_punc(text):
        exclude = set(string.punctuation)
        return "".join(ch for ch in text if ch not in exclude)

    return white_space_fix(remove_articles(remove_punc(s.lower())))


def exact_match(prediction, answers):
    if len(answers) == 0:
        raise ValueError("no gold answers")
    return 1.0 if normalize_answer(prediction) in {normalize_answer(a) for a in answers} else 0.0


def one_f1(prediction, answer):
    pred_toks, gold_toks = normalize_answer(prediction).split(), normalize_answer(answer).split()
    num_same = sum((collections.Counter(gold_toks) & collections.Counter(pred_toks)).values())
    if len(gold_toks) == 0 or len(pred_toks) == 0:
        return int(gold_toks == pred_toks)
    if num_same == 0:
        return 0
    precision = 1.0 * num_same / len(pred_toks)
    recall = 1.0 * num_same / len(gold_toks)
    return (2 * precision * recall) / (precision + recall)


def token_f1(prediction, answers):
    if len(answers) == 0:
        raise ValueError("no gold answers")
    return float(max(one_f1(prediction, a) for a in answers))


def macro_f1(predictions, labels):
    if len(predictions) != len(labels):
        raise ValueError("lists of different lengths")
    classes = set(predictions) | set(labels)
    if not classes:
        raise ValueError("empty")
    f1s = []
    for c in classes:
        tp = sum(1 for p, t in zip(predictions, labels, strict=False) if p == c and t == c)
        fp = sum(1 for p, t in zip(predictions, labels, strict=False) if p == c and t != c)
        fn = sum(1 for p, t in zip(predictions, labels, strict=False) if p != c and t == c)
        precision = tp / (tp + fp) if tp + fp else 0.0
        recall = tp / (tp + fn) if tp + fn else 0.0
        f1s.append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
    return sum(f1s) / len(f1s)
