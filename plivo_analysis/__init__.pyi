"""The public names, grouped as in the documentation; the only list of them."""

# Accounts
# Figures, widgets, report
from . import figures as figures
from .client import Client as Client
from .demo_account import demo as demo
from .errors import APIError as APIError
from .errors import AuthenticationError as AuthenticationError
from .errors import BadResponseError as BadResponseError
from .errors import CredentialsError as CredentialsError
from .errors import FilterError as FilterError
from .errors import IncompletePullError as IncompletePullError
from .errors import PermissionDeniedError as PermissionDeniedError

# Errors, and the class of every warning
from .errors import PlivoAnalysisError as PlivoAnalysisError
from .errors import PlivoServerError as PlivoServerError
from .errors import RateLimitError as RateLimitError
from .errors import ResourceNotFoundError as ResourceNotFoundError
from .errors import SchemaError as SchemaError
from .errors import StoreError as StoreError
from .errors import PlivoAnalysisWarning as PlivoAnalysisWarning
from .errors import TransportError as TransportError
from .explorer.messages import MessageExplorer as MessageExplorer
from .explorer.sessions import SessionExplorer as SessionExplorer
from .loaders.coverage import coverage as coverage
from .loaders.coverage import issues as issues

# Loaders: pages of the API → one dataframe
from .loaders.load import load_messages as load_messages
from .loaders.load import load_session as load_session
from .loaders.load import load_sessions as load_sessions
from .loaders.scan import connect as connect
from .loaders.scan import scan as scan
from .metrics.cost import cost_per_verified as cost_per_verified

# Metrics: frame → small frame
from .metrics.fallback import fallback_rates as fallback_rates
from .metrics.joins import MessageJoin as MessageJoin
from .metrics.joins import join_messages as join_messages
from .metrics.messages import delivery_rates as delivery_rates
from .metrics.messages import message_spend as message_spend
from .metrics.outcomes import attempt_outcomes as attempt_outcomes
from .metrics.paths import channel_paths as channel_paths
from .metrics.reconcile import reconcile as reconcile
from .metrics.spend import spend as spend
from .metrics.success import success_rates as success_rates
from .report.cost import CostReport as CostReport
from .report.cost import cost_report as cost_report

# About this package
from .system.versions import __version__ as __version__
from .system.versions import show_versions as show_versions

# Tables: one row a session → one row an attempt, or a line of the bill
from .tables.explode import explode_attempts as explode_attempts
from .tables.explode import explode_charges as explode_charges
