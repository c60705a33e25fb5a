"""What each set trains once it is built: its run, of the learner's own functions, and the pictures of it."""
