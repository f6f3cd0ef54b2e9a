"""When opportunities first came so far, beside the sentences that say so."""

from __future__ import annotations

from hypothesis import given
from metrics.logs import log_of, oracles
from oracle import History, Oracle

from salesfunnel.kernel.reach import reach_times
from salesfunnel.kernel.standing import NEVER


def came(oracle: Oracle, history: History, state: int) -> int:
    """Return when an opportunity came to a state or beyond it, where it did."""
    if state == 0:
        return history[0].time
    times = [row.time for row in history if oracle.is_presale(row.state) and row.state >= state]
    if oracle.status(history) in ("won", "churned"):
        since = [row for row in oracle.since_the_sale(history) if row.state != oracle.lost]
        served = False
        for row in since:
            # A win starts the service, and completes it if it comes after some of it.
            far = oracle.n_presale if row.state == oracle.won and not served else row.state
            served |= oracle.is_postsale(row.state)
            times += [row.time] if far >= state else []
    return min(times)


@given(oracles())
def test_whoever_counts_for_a_state_came_to_it_at_some_time(oracle: Oracle) -> None:
    view = log_of(oracle).view(oracle.as_of)
    found = reach_times(view.runs, view.standing, oracle.n_stages, oracle.n_presale)

    histories = oracle.histories()
    expected = {
        opportunity: [
            came(oracle, history, state) if state <= oracle.furthest(history) else NEVER
            for state in range(oracle.n_stages + 1)
        ]
        for opportunity, history in histories.items()
    }
    names = view.log.identify(view.opportunity).tolist()
    assert dict(zip(names, found.tolist(), strict=True)) == expected
    assert found.shape == (len(histories), oracle.n_stages + 1)
