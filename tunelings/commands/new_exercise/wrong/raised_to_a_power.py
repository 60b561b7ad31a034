# names: squared
# breaks: "what it is for"
# TODO(new): a wrong answer, written from nothing.
def SCAFFOLD_NAME(x):
    return x**2
