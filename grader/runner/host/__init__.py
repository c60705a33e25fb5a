"""The grader's own process: it asks for runs, and waits. Trusted; never imports torch."""
