"""HTML of the report and the explorer: Jinja2 templates that escape what they are given.

``rendering`` fills them in. A template words, rounds and draws the numbers that it is given; it
counts nothing.
"""
