"""Widgets that drive the filters: choose, load, look, copy the code.

``explorer`` is what both explorers share: fields in a ``sidebar``, results beside it, both laid
out by ``layout``. ``load`` says what a load will cost and does it, ``worker`` gives it a thread.
What was loaded is a ``dataset``; the ``views`` draw it, each counted and written as code by one
call of ``code_line``. ``browser`` sends files and keeps settings in a page's address.
"""
