"""Frames: converted without losing a digit, and sessions exploded.

``checks`` refuses a frame that is another table, ``convert`` turns frames of one library into
another's and casts values exactly. ``explode`` gives one row an attempt and one row a line of the
bill, of which ``bill`` says what each session's money was for; ``exploded_columns`` declares the
two tables.
"""
