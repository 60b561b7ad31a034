# TODO(new): a right answer, written in another way.
def SCAFFOLD_NAME(x):
    doubled = x.clone()
    doubled += x
    return doubled
