"""What a learner has at hand: their files, and the screen."""
