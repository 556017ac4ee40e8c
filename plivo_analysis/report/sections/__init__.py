"""The sections of the report: one function and one template each, of the same name.

A function chooses and words what its template shows, and knows no other section; ``report.page``
sets their order.
"""
