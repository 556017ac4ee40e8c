"""The public names, grouped as in the documentation; the only list of them.

It is ASCII: lazy_loader reads it in the encoding of the locale, which may know nothing else.
"""

# Accounts
from .client import Client as Client
from .demo_account import demo as demo

# Loaders: pages of the API, or a file of the console to one dataframe
from .loaders.load import load_messages as load_messages
from .loaders.load import load_session as load_session
from .loaders.load import load_sessions as load_sessions
from .loaders.coverage import coverage as coverage
from .loaders.coverage import issues as issues
from .loaders.console_export import read_messages_csv as read_messages_csv

# Estimates from some pages of a range
from .loaders.estimate import estimate as estimate
from .metrics.estimates import Estimate as Estimate

# What is stored, lazily and in SQL
from .loaders.scan import scan as scan
from .loaders.scan import connect as connect

# Tables: one row a session to one row an attempt, or a line of the bill
from .tables.explode import explode_attempts as explode_attempts
from .tables.explode import explode_charges as explode_charges

# Metrics: frame to small frame
from .metrics.fallback import fallback_rates as fallback_rates
from .metrics.outcomes import attempt_outcomes as attempt_outcomes
from .metrics.spend import spend as spend
from .metrics.sessions import channel_paths as channel_paths
from .metrics.sessions import success_rates as success_rates
from .metrics.sessions import cost_per_verified as cost_per_verified
from .metrics.reconcile import reconcile as reconcile
from .metrics.messages import message_spend as message_spend
from .metrics.messages import delivery_rates as delivery_rates
from .metrics.messages import join_messages as join_messages
from .metrics.messages import MessageJoin as MessageJoin

# Insights: what changed, who came back, when to switch
from .insights.changes import compare as compare
from .insights.bridge import cost_bridge as cost_bridge
from .insights.journeys import journeys as journeys
from .insights.journeys import journey_rates as journey_rates
from .insights.delivery import waits as waits
from .insights.delivery import receipts as receipts
from .insights.delivery import delivery_times as delivery_times

# Figures, widgets, report
from . import figures as figures
from .explorer.sessions import SessionExplorer as SessionExplorer
from .explorer.messages import MessageExplorer as MessageExplorer
from .report.cost import cost_report as cost_report
from .report.cost import CostReport as CostReport

# Errors, and the class of every warning
from .errors import PlivoAnalysisError as PlivoAnalysisError
from .errors import FilterError as FilterError
from .errors import CredentialsError as CredentialsError
from .errors import TransportError as TransportError
from .errors import APIError as APIError
from .errors import AuthenticationError as AuthenticationError
from .errors import PermissionDeniedError as PermissionDeniedError
from .errors import ResourceNotFoundError as ResourceNotFoundError
from .errors import RateLimitError as RateLimitError
from .errors import PlivoServerError as PlivoServerError
from .errors import BadResponseError as BadResponseError
from .errors import IncompletePullError as IncompletePullError
from .errors import SchemaError as SchemaError
from .errors import StoreError as StoreError
from .errors import PlivoAnalysisWarning as PlivoAnalysisWarning

# About this package
from .system.versions import __version__ as __version__
from .system.versions import show_versions as show_versions
