"""The page for finance: metrics → one HTML file, a workbook, CSV files.

``cost`` is the report's front door, ``measures`` counts every number once, ``period`` knows
its time, ``change`` and ``burst`` what stands out; ``page`` puts the ``sections`` in order.
``sheets`` writes the same tables as files.
"""
