"""What Plivo is, as data: what can be listed, by which parameters, in which columns and words.

``words`` folds channels and statuses, ``columns`` are the tables that the API gives,
``filters`` what a caller may ask for, ``checks`` what one parameter's value may be, and
``times`` reads every form of ``since`` and ``until``. Nothing here sends a request.
"""
