"""Values and how they are shown: spans of time, masked numbers, amounts, and what a table is.

``spans`` counts time in whole microseconds, ``table_types`` says what a table and a column are,
``masking`` hides telephone numbers, ``typesetting`` formats numbers and dates for people.
"""
