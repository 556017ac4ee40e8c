"""The page for finance: metrics → one static HTML file, a workbook, CSV files.

``cost`` is the report's front door. ``measures`` counts every number once, ``period`` knows the
time that they are of, ``subject`` sets them beside those of the period before and ``comparison``
says what changed. ``page`` puts the ``sections`` in order, each of which is a function and a
template. ``finance`` is the workbook, ``estimated`` the report of an estimate, and ``files``
writes tables as files.
"""
