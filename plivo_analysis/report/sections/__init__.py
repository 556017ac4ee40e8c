"""The sections of the report, a room each: subject in, HTML out.

A section draws what it is about and knows no other section; ``report.page`` sets their order.
"""
