"""Patterns of payments that repeat: an income, a rent, a subscription."""

import re
from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import Dict, Iterable, List, Optional

from copy_of_feed import Payment

DAY_S = 86_400
# The days between two payments, with the tolerance of weekends and holidays, and payments a month.
RHYTHMS = {"weekly": (7, 2, 52 / 12), "every two weeks": (14, 3, 26 / 12), "monthly": (30.4, 4, 1.0)}
OCCURRENCES_MIN = 3


@dataclass(frozen=True)
class Repeated:
    """A payment that repeats. `amount` is the median, in minor units."""

    name: str
    rhythm: str
    amount: int
    last_at: int

    @property
    def monthly(self) -> int:
        """The amount of a month, in minor units."""
        return round(self.amount * RHYTHMS[self.rhythm][2])


def name_of(description: str) -> str:
    """The part of a description that stays equal from one payment to the next: its first words without
    numbers, which are dates, references and cards."""
    words = [word for word in re.split(r"[^A-Za-z*&'.]+", description.upper()) if len(word) > 1]
    return " ".join(words[:3])


def rhythm_of(days: List[float]) -> Optional[str]:
    """The rhythm of payments with these days between them, if at least three quarters of them fit."""
    for rhythm, (length, tolerance, _) in RHYTHMS.items():
        fitting = sum(abs(gap - length) <= tolerance for gap in days)
        if days and fitting * 4 >= len(days) * 3:
            return rhythm
    return None


def repeated(payments: Iterable[Payment]) -> List[Repeated]:
    """The payments that repeat, the largest of a month first. Money in and money out are separate."""
    groups: Dict[object, List[Payment]] = defaultdict(list)
    for one in payments:
        groups[name_of(one.description), one.amount > 0].append(one)
    found = []
    for (name, _), group in groups.items():
        if len(group) < OCCURRENCES_MIN:
            continue
        gaps = [(b.transacted_at - a.transacted_at) / DAY_S for a, b in zip(group, group[1:])]
        rhythm = rhythm_of(gaps)
        if rhythm:
            amount = round(median(one.amount for one in group))
            found.append(Repeated(name, rhythm, amount, group[-1].transacted_at))
    return sorted(found, key=lambda one: -abs(one.monthly))
