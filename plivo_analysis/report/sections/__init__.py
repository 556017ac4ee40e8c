"""The sections of the report: one function and one template each, of the same name.

A function chooses the numbers that its template words and draws, and knows no other section;
``report.page`` sets their order.
"""
