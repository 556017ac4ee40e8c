"""Values and how they are shown: spans of time, masked numbers, amounts, and what a table is.

``spans`` counts time in whole microseconds, ``schema`` says what a table and a column are,
``masking`` hides telephone numbers, ``typesetting`` sets numbers and dates for people to read.
"""
