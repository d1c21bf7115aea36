from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from harness.trial.order import derive, orders

ARMS = st.lists(st.sampled_from([f"arm-{i}" for i in range(6)]), min_size=2, max_size=6, unique=True)


@given(ARMS, st.integers(1, 40), st.integers(0, 2**63 - 1))
def test_every_arm_once_a_round_and_every_place_balanced(arms: list[str], rounds: int, seed: int) -> None:
    made = orders(arms, rounds, seed)
    assert len(made) == rounds
    assert all(sorted(order) == sorted(arms) for order in made)
    for place in range(len(arms)):
        taken = Counter(order[place] for order in made)
        times = [taken[arm] for arm in arms]
        assert max(times) - min(times) <= 1


@given(ARMS, st.integers(1, 40), st.integers(0, 2**63 - 1))
def test_the_seed_fixes_the_order(arms: list[str], rounds: int, seed: int) -> None:
    assert orders(arms, rounds, seed) == orders(arms, rounds, seed)


def test_more_rounds_begin_with_the_same_orders() -> None:
    assert orders(["before", "after"], 12, 7)[:6] == orders(["before", "after"], 6, 7)


def test_both_orders_come_first_over_seeds() -> None:
    first = Counter(orders(["before", "after"], 1, seed)[0][0] for seed in range(400))
    assert 150 < first["before"] < 250


def test_derived_seeds_differ_by_purpose() -> None:
    seeds = {derive(1, "round", n, a) for n in range(50) for a in range(3)} | {
        derive(1, "cost"),
        derive(2, "cost"),
    }
    assert len(seeds) == 152
    assert all(0 <= seed < 2**63 for seed in seeds)
