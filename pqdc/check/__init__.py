"""What the author of a scheme wants to know of it: each property a question, with a verdict and what was seen.

`evidence` makes keys and signatures; `sizes`, `behaviour`, `room`, `memory` and `known_answers` look at them;
`examination` asks in order. It tries a scheme from outside: no verdict here says that it is secure.
"""

from __future__ import annotations

from pqdc.check.evidence import Extent
from pqdc.check.examination import examine
from pqdc.check.findings import Finding, Report

__all__ = ["Extent", "Finding", "Report", "examine"]
