# names: two-added
# breaks: "Twice each number of x"
# TODO(new): a wrong answer, written from nothing.
def SCAFFOLD_NAME(x):
    return x + 1 + 1
