# names: in-place
# breaks: "x itself stays as it is"
# TODO(new): a wrong answer, written from nothing.
def SCAFFOLD_NAME(x):
    x += x
    return x
