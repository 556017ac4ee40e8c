"""Metric frame → plotly figure, in one look.

Each function takes what the metric of the same name gave and draws it for any grouping. A
figure knows no theme: the page's style sheet colours its text and grid. No default renderer is
set and nothing is shown; that is the caller's to do.
"""

from plivo_analysis.figures.bars import spend
from plivo_analysis.figures.flows import paths
from plivo_analysis.figures.rates import delivery, fallback, outcomes

__all__ = ["delivery", "fallback", "outcomes", "paths", "spend"]
