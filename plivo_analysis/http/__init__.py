"""One request to the API: connection, retries, credentials, rate limit.

The only room that knows an HTTP library. ``transport`` is the loop that sends a request until it
is answered; ``retries`` is the table of what is tried again, how often and after what wait;
``rate_limit/`` is where every request waits for its turn (20 lists a minute); ``failures`` names
what went wrong in the errors of this package; ``connection`` makes one exchange within a deadline
and a size; ``credentials`` are checked before anything is sent.
"""
