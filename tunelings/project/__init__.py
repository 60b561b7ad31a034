"""Your own model: the answers of the exercises prepare data, train, measure and judge a model on your examples."""
