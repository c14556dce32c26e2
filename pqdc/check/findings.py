"""Findings: a question, the verdict, what was seen in a sentence, and the figures behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

__all__ = ["Finding", "Report", "Verdict"]

Verdict = Literal["passed", "noted", "failed", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One question.

    Attributes:
        question: what was asked, in two or three words.
        verdict: "noted" is what is allowed and yet worth knowing; "skipped" says that there was nothing to ask.
        seen: in a sentence.
        figures: for JSON.
    """

    question: str
    verdict: Verdict
    seen: str
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All findings about one scheme in one backend."""

    scheme: str
    backend: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """Of the whole: "failed" if one failed, "noted" if one is worth knowing."""
        verdicts = {finding.verdict for finding in self.findings}
        return "failed" if "failed" in verdicts else "noted" if "noted" in verdicts else "passed"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        findings = [asdict(finding) for finding in self.findings]
        return {"scheme": self.scheme, "backend": self.backend, "verdict": self.verdict, "findings": findings}
