"""A course folder of one's own: what is laid out in it, the environment beside it, and the libraries in that."""
