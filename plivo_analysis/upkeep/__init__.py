"""Upkeep: what the store holds, handed out, thrown away, and the account looked at closely.

``status`` says what is kept and how fresh it is, ``exporting`` hands it to other programs,
``removal`` makes it go for good, ``doctor`` asks a live account what only it can tell, and
``limits`` what only a refusal can. It stands beside the loaders: it asks the same client and
store, for other ends.
"""

from plivo_analysis.upkeep.doctor import examine
from plivo_analysis.upkeep.exporting import Export, export
from plivo_analysis.upkeep.finding import Finding
from plivo_analysis.upkeep.removal import forget, purge
from plivo_analysis.upkeep.status import Holding, Status, status

__all__ = [
    "Export",
    "Finding",
    "Holding",
    "Status",
    "examine",
    "export",
    "forget",
    "purge",
    "status",
]
