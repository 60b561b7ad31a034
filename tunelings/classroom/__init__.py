"""Grade a class: submissions in, results and a report on the class out."""
