# names: every-pair-compared
# breaks: "no loop of yours compares a test text with every training text."
# What one writes first: for each question, is there a training text that shares a run with it?
import re


def grams(text, n):
    tokens = re.findall(r"\w+", text.lower())
    n = min(n, len(tokens))
    return {" ".join(tokens[i : i + n]) for i in range(len(tokens) - n + 1)} if tokens else set()


def contaminated(train, test, n=13):
    result = []
    for index, question in enumerate(test):
        length = min(n, len(re.findall(r"\w+", question.lower())))
        wanted = grams(question, n)
        for text in train:
            tokens = re.findall(r"\w+", text.lower())
            if any(" ".join(tokens[i : i + length]) in wanted for i in range(len(tokens) - length + 1)):
                result.append(index)
                break
    return result
