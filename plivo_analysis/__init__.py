"""Analysis of one-time-password traffic on Plivo: load, count, draw.

Every name is loaded on first use, so that ``import plivo_analysis`` costs next to nothing and
a notebook that only counts never imports what draws.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from plivo_analysis.versions import __version__

if TYPE_CHECKING:
    from plivo_analysis import figures
    from plivo_analysis.client import Client
    from plivo_analysis.embedded import demo
    from plivo_analysis.errors import (
        APIError,
        AuthenticationError,
        BadResponseError,
        CredentialsError,
        FilterError,
        IncompletePullError,
        PermissionDeniedError,
        PlivoAnalysisError,
        PlivoServerError,
        RateLimitError,
        ResourceNotFoundError,
        SchemaError,
        StoreError,
        TransportError,
    )
    from plivo_analysis.explode import explode_attempts, explode_charges
    from plivo_analysis.explorer import MessageExplorer, SessionExplorer
    from plivo_analysis.loaders import (
        coverage,
        issues,
        load_messages,
        load_session,
        load_sessions,
    )
    from plivo_analysis.metrics.cost import cost_per_verified
    from plivo_analysis.metrics.fallback import fallback_rates
    from plivo_analysis.metrics.messages import (
        MessageJoin,
        delivery_rates,
        join_messages,
        message_spend,
    )
    from plivo_analysis.metrics.outcomes import attempt_outcomes
    from plivo_analysis.metrics.paths import channel_paths
    from plivo_analysis.metrics.reconcile import reconcile
    from plivo_analysis.metrics.spend import spend
    from plivo_analysis.metrics.success import success_rates
    from plivo_analysis.report import CostReport, cost_report
    from plivo_analysis.versions import show_versions

_HOMES = {
    "APIError": "errors",
    "AuthenticationError": "errors",
    "BadResponseError": "errors",
    "Client": "client",
    "CostReport": "report",
    "CredentialsError": "errors",
    "FilterError": "errors",
    "IncompletePullError": "errors",
    "MessageExplorer": "explorer",
    "MessageJoin": "metrics.messages",
    "PermissionDeniedError": "errors",
    "PlivoAnalysisError": "errors",
    "PlivoServerError": "errors",
    "RateLimitError": "errors",
    "ResourceNotFoundError": "errors",
    "SchemaError": "errors",
    "SessionExplorer": "explorer",
    "StoreError": "errors",
    "TransportError": "errors",
    "attempt_outcomes": "metrics.outcomes",
    "channel_paths": "metrics.paths",
    "cost_per_verified": "metrics.cost",
    "cost_report": "report",
    "coverage": "loaders",
    "delivery_rates": "metrics.messages",
    "demo": "embedded",
    "explode_attempts": "explode",
    "explode_charges": "explode",
    "fallback_rates": "metrics.fallback",
    "issues": "loaders",
    "join_messages": "metrics.messages",
    "load_messages": "loaders",
    "load_session": "loaders",
    "load_sessions": "loaders",
    "message_spend": "metrics.messages",
    "reconcile": "metrics.reconcile",
    "show_versions": "versions",
    "spend": "metrics.spend",
    "success_rates": "metrics.success",
}

_MODULES = ("figures",)

__all__ = [
    "APIError",
    "AuthenticationError",
    "BadResponseError",
    "Client",
    "CostReport",
    "CredentialsError",
    "FilterError",
    "IncompletePullError",
    "MessageExplorer",
    "MessageJoin",
    "PermissionDeniedError",
    "PlivoAnalysisError",
    "PlivoServerError",
    "RateLimitError",
    "ResourceNotFoundError",
    "SchemaError",
    "SessionExplorer",
    "StoreError",
    "TransportError",
    "__version__",
    "attempt_outcomes",
    "channel_paths",
    "cost_per_verified",
    "cost_report",
    "coverage",
    "delivery_rates",
    "demo",
    "explode_attempts",
    "explode_charges",
    "fallback_rates",
    "figures",
    "issues",
    "join_messages",
    "load_messages",
    "load_session",
    "load_sessions",
    "message_spend",
    "reconcile",
    "show_versions",
    "spend",
    "success_rates",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"plivo_analysis.{name}")
    if name in _HOMES:
        return getattr(import_module(f"plivo_analysis.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
