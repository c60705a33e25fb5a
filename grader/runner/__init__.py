"""The only place where a learner's code runs: host/ asks, warm/ forks and confines, untrusted/ runs.

wire.py is the border. Doors: host.client, host.job, wire.
"""
