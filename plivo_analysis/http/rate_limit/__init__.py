"""The rate limit: every request waits here for its turn, so that the limit is never met.

``window`` is the arithmetic: who may send when, given what was sent before. ``limiter`` waits,
by a clock. ``state`` keeps the window in memory, ``shared_state`` in a file for every process
of the account, ``state_file`` is that file's form; ``accounts`` gives each account its limiter.
"""
