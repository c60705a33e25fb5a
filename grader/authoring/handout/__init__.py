"""What students get: releases without solutions, assignments for nbgrader and otter."""
