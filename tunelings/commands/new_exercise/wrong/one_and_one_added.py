# names: two-added
# TODO(new): a wrong answer, written from nothing.
def SCAFFOLD_NAME(x):
    return x + 1 + 1
