"""Widgets that drive the filters: choose, load, look, copy the code.

``explorer`` is what both explorers share: fields in a ``sidebar``, results beside it, both laid
out by ``layout``. ``load_cost`` says what a load will take, ``load_run`` does it in the thread of a
``worker``, ``load_controls`` are its buttons and what they say. What it gives is ``loaded``; in the
form that is counted, it is a ``dataset``. The ``views`` draw that, each counted and written as code
by one call of ``code_line``. ``download`` sends files to the browser, ``address`` keeps the
settings in the page's address.
"""
