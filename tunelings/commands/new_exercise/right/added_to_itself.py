# TODO(new): a right answer, written in another way.
def SCAFFOLD_NAME(x):
    return x + x
