"""What was read, kept: pages as received, records, completed ranges, and Parquet beside them.

SQLite is the truth: a page, its records, its completed ranges and its checkpoint are written in
one transaction. Written apart, a process that dies between them loses rows (checkpoint first)
or reads them twice (rows first).

- ``store``: one account's store, the face that the rest of the package uses
- ``folder``, ``database``, ``migrations``, ``account_key``: the file, its rights, its transactions,
  its tables, and whose it is
- ``merging``, ``records``: two readings of one record become one; records read back
- ``completed_ranges``, ``leases``: what was read whole, and who is reading what
- ``day_files``, ``parquet_cache``: a day's Parquet files; which of them fit, and ranges of rows
- ``filtering``: filters on columns
- ``recent_rows``: rows as they were parsed with their page, until their day has its file
- ``deletion``, ``tombstones``: removal for good, and what keeps it removed
"""
