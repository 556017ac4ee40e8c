"""What was read, kept: pages as received, records, the ledger of complete ranges.

``folder`` guards who may read, ``forms`` are the tables, ``opening`` opens the file and
``database`` runs its transactions. ``ledger`` knows which ranges are complete and where
unfinished walks stand, ``claims`` who is reading which; ``merging`` keeps records, or merges
two readings of one, and ``archive`` gives them back; ``days`` counts what changed, for what is
derived; ``removal`` takes records out of all of them, out of raw pages by ``cutting``, and
``forgotten`` keeps them out.
``Store`` is all of them over one connection: a page, its records and the place reached are
written in one transaction, because either without the other loses or doubles rows when a
process dies between them.
"""

from plivo_analysis.store.claims import LEASE, Claim
from plivo_analysis.store.days import Day, Stamp
from plivo_analysis.store.ledger import Bookmark, Entry
from plivo_analysis.store.merging import Tally
from plivo_analysis.store.removal import Removed
from plivo_analysis.store.store import Reading, Store, account_folder

__all__ = [
    "LEASE",
    "Bookmark",
    "Claim",
    "Day",
    "Entry",
    "Reading",
    "Removed",
    "Stamp",
    "Store",
    "Tally",
    "account_folder",
]
