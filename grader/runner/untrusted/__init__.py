"""The child: it loads a submission, calls its functions and writes what they gave. Believed in
nothing but numbers.
"""
