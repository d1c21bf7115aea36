from __future__ import annotations

from itertools import combinations

from harness.trial.errors import Exit, worst


def test_several_outcomes_at_once_follow_the_contract() -> None:
    rank = [130, 2, 1, 3, 4, 0]
    for a, b in combinations(range(len(rank)), 2):
        assert worst([Exit(rank[b]), Exit(rank[a])]) == rank[a]
    assert worst([]) == 0
