"""Metrics and figures → one HTML file, a workbook, CSV files."""

from plivo_analysis.report.cost import CostReport, cost_report

__all__ = ["CostReport", "cost_report"]
