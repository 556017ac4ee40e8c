"""Pagination over time, pulls, refresh, completeness: what to ask next, and what is complete.

``paginator`` says which request comes next and when a range is complete; it sends nothing, so
that it can be tried against thousands of imagined servers. ``reader`` drives it over the wire
and keeps each page; ``pull`` decides what has to be read for one question, ``refresh`` reads
again what may have changed, ``completeness`` says what is known of a range.
"""
