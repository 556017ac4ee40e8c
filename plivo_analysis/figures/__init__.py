"""Metric frame → plotly figure, in one look.

Each function takes what the metric of the same name gave and draws it for any grouping. A
figure knows no theme: the page's style sheet colours its text and grid. Drawing sets no default
renderer and shows nothing; the caller does.
"""

from plivo_analysis.figures.bars import spend
from plivo_analysis.figures.changes import compare, cost_bridge
from plivo_analysis.figures.flows import paths
from plivo_analysis.figures.insights import delivery_times, journey_rates, journeys, receipts, waits
from plivo_analysis.figures.rates import delivery, fallback, outcomes

__all__ = [
    "compare",
    "cost_bridge",
    "delivery",
    "delivery_times",
    "fallback",
    "journey_rates",
    "journeys",
    "outcomes",
    "paths",
    "receipts",
    "spend",
    "waits",
]
