# names: in-place
# TODO(new): a wrong answer, written from nothing.
def SCAFFOLD_NAME(x):
    x += x
    return x
