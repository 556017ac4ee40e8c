"""A page of JSON → records. Strict: every oddity of the API has its case here.

A field that is not what it should be is null and noted; a record of which no row can be
trusted is set aside, whole, with the reason. Nothing is guessed and nothing is dropped: rows
in are rows used plus rows set aside, and the record's text keeps all of it.

``pages`` reads one answer, ``strict_json`` its bytes, ``sessions`` and ``messages`` one record
each, ``records`` what all records share, ``fields`` one field each; ``oddities`` is the table of
everything odd.
"""
