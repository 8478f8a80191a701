"""Words for people, always in both languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence or name in Chinese and in English."""

    zh: str
    en: str

    def format(self, **params: object) -> Text:
        """Both languages with the same parameters filled in."""
        return Text(self.zh.format(**params), self.en.format(**params))
