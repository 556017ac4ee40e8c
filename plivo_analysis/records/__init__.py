"""One JSON record → one clean row; every oddity of the API lives here.

A field that is not what it should be is null and noted; a record of which no row can be
trusted is set aside, whole, with the reason. Nothing is guessed and nothing is dropped: rows
in are rows used plus rows set aside, and the record's text keeps all of it.

``fields`` parses one field each, ``envelope`` is what all records share, ``sessions`` and
``messages`` know one kind each, ``codes`` is the table of everything odd.
"""

from plivo_analysis.records.canonical import canonical
from plivo_analysis.records.codes import Code, Effect
from plivo_analysis.records.messages import read_message
from plivo_analysis.records.notes import Note, Record, note
from plivo_analysis.records.sessions import read_session

__all__ = [
    "Code",
    "Effect",
    "Note",
    "Record",
    "canonical",
    "note",
    "read_message",
    "read_session",
]
