"""HTML of the report and the explorer: Jinja2 templates that escape what they are given.

``rendering`` fills them in. A template holds markup and nothing else: what it shows was
counted, rounded and worded before.
"""
