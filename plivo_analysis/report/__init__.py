"""The page for finance: metrics → one static HTML file, a workbook, CSV files.

``cost`` is the report's front door, ``measures`` counts every number once, ``period`` knows its
time and ``comparison`` what moved; ``page`` puts the ``sections`` in order, each of which is a
function and a template. ``files`` writes the same tables as files.
"""
