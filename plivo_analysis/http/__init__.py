"""One request to the API: transport, retries, credentials, rate limit.

The only room that knows an HTTP library. From the wire upwards: ``reading`` reads a response
within a deadline and a size; ``session`` makes one exchange with the server, with nobody
else's settings; ``failures`` names what went wrong in the errors of this package; ``retries``
says what to do about it; ``transport`` is the loop that joins them. ``rate_limit/`` is where
every request waits for its turn.
"""
