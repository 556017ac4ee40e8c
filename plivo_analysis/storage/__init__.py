"""What was read, kept: pages as received, records, completed ranges, and Parquet beside them.

SQLite is the truth: a page, its records and the checkpoint are written in one transaction,
because either without the other loses or doubles rows when a process dies between them.
``folder`` guards who may read, ``opening`` opens the file and ``migrations`` holds its tables;
``completed_ranges`` knows what was read whole, ``leases`` who is reading what, ``merging``
merges two readings of a record; ``removal`` and ``forgotten`` delete, and keep deleted.
``parquet`` and ``parquet_cache`` derive one file a day and table, which can always be remade.
"""
