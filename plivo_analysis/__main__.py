"""``python -m plivo_analysis`` is ``plivo-analysis``."""

import sys

from plivo_analysis.cli import main

sys.exit(main())
