# names: unlisted
# breaks: "Twice each number of x"
# TODO(new): a wrong answer, written from nothing.
def SCAFFOLD_NAME(x):
    return 2 * x.abs()
