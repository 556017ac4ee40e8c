"""Keeping the store: its status, export, removal, and a close look at the account.

``status`` says what is kept and how fresh it is, ``export`` hands it to other programs,
``deletion`` purges and forgets for good, ``doctor`` asks a live account what only it can tell.
"""
