"""Frames: converted without losing a digit, and sessions exploded.

``convert`` turns frames of one library into another's, ``casting`` puts values into columns of
exactly their types. ``explode`` gives one row an attempt and one row a line of the bill:
``matching`` pairs attempts with charge rows, ``bill`` says what each session's money was for,
``exploded`` puts the two tables together.
"""
