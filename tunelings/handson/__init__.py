"""What the hands-on exercises are made of: data, models, baselines; it knows nothing of the grader."""
