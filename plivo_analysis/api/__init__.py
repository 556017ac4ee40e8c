"""What Plivo is, as data: what can be listed, by which parameters, in which columns and words.

``vocabulary`` folds channels and statuses, ``columns`` are the tables that the API gives,
``filters`` what a caller may ask for, ``checks`` what one parameter's value may be, and
``times`` reads every form of a range's bounds. Nothing here sends a request.
"""
