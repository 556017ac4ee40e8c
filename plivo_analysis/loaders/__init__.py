"""Load sessions and messages: filtered pages of the API as one dataframe.

A loader checks its arguments, has the missing pages pulled into the store, and answers from
the store. An empty table therefore means that the account has no such records; whatever else
could have emptied it is an error.

``load`` holds the loaders, ``coverage`` what the store says of itself, ``answer`` the way from
a question to a table, ``recipients`` masks telephone numbers in tables. ``scan``
reads what is stored without asking, ``estimate`` says what a sample of pages tells, and
``console_export`` reads a file of the console's in place of the API.
"""
