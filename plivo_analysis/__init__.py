"""Analysis of one-time-password traffic on Plivo: load, count, draw.

Every name is loaded on first use, so that ``import plivo_analysis`` costs next to nothing and
a notebook that only counts never imports what draws. The list of public names is
``__init__.pyi``, which type checkers and editors read too.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
