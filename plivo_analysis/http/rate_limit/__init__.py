"""The rate limit: 20 list requests a minute, shared by every process of the account.

``window`` is the arithmetic: who may send when, given what was sent before. ``limiter`` waits by
a clock and hands out permits; it also gives each account its one limiter. ``state`` keeps the
window for all threads and, through ``state_file``, for all processes of the user.
"""
