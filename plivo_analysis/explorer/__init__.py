"""Widgets that drive the filters: choose, load, look, copy the code.

``explorer`` is what both explorers share: fields in a ``sidebar``, results beside it, both laid
out by ``layout``; ``sessions`` and ``messages`` are the two. ``load_cost`` says what a load will
take, ``load_run`` does it, in a thread that ``loading`` starts and cancels; ``wording`` has the
sentences. What comes of it is in ``dataset``, in the frames that are counted. The ``views`` draw
those, each counted and written as code by one call of ``code_line``. ``download`` sends files to
the browser.
"""
