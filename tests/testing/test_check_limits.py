"""P11: pauses, and limits of concurrency and rate, over all claims."""

from __future__ import annotations

import pytest

from ferryman.domain.limits import Limit, Scope
from ferryman.testing.history import Terms, story
from ferryman.testing.history import entries as e
from tests.testing.histories import Writer

TYPE = Scope.TYPE


@pytest.fixture(params=[True, False], ids=["exact", "not exact"])
def writer(request: pytest.FixtureRequest) -> Writer:
    return begin(exact=request.param)


@pytest.fixture
def exact() -> Writer:
    return begin(exact=True)


@pytest.fixture
def loose() -> Writer:
    return begin(exact=False)


def begin(*, exact: bool) -> Writer:
    writer = Writer(exact=exact, terms=Terms(types=frozenset({"mail", "post"})))
    writer.spawn("p1")
    writer.spawn("p2")
    for job in "abcdef":
        writer.enqueue(job)
    return writer


def end(writer: Writer, *jobs: str, process: str = "p1") -> None:
    for job in jobs:
        writer.start(job, process=process)
        writer.end(job, process=process)
        writer.write(job, process=process)


def finish(writer: Writer) -> list[str]:
    """Everything comes to its end; the promises that are broken."""
    for job in "abcdef":
        if not writer.rows[job]:
            if (job, 1) not in writer.open:
                writer.rule(False)
                writer.rule(Limit())
                writer.claim(job)
            end(writer, job)
    return writer.broken()


# -- pauses ------------------------------------------------------------------------------------------


def test_who_claims_of_a_paused_queue(writer: Writer) -> None:
    writer.rule(True)
    writer.claim("a")
    assert finish(writer) == ["P11"]
    assert "queue default was paused" in str(writer.violations()[0])


def test_who_claims_of_a_paused_type(writer: Writer) -> None:
    writer.rule(True, "mail", scope=TYPE)
    writer.claim("a")
    assert "P11" in finish(writer)


def test_who_claims_before_it_and_after_it_of_others_and_what_only_overlaps(writer: Writer) -> None:
    writer.claim("a")
    writer.note(e.Claiming, "p1", call=90, node=1, batch=90, idle=1)
    writer.rule(True)
    writer.claimed(90, "b")
    writer.enqueue("z", queue="another")
    writer.claim("z")
    end(writer, "z")
    writer.rule(False)
    writer.claim("c")
    assert finish(writer) == []


def test_a_pause_that_nobody_was_sure_of_is_none(writer: Writer) -> None:
    writer.rule(True, done=False)
    writer.claim("a")
    assert finish(writer) == []


def test_a_claim_that_is_said_again_counts_where_it_was_said_first(writer: Writer) -> None:
    batch = writer.claim("a", reply=False)
    writer.rule(True)
    writer.note(e.Claiming, "p1", call=91, node=1, batch=batch, idle=1)
    writer.note(e.Claimed, "p1", call=91, node=1, batch=batch, runs=[e.ClaimedRun("a", 1, 1, 3, 0)])
    assert finish(writer) == []


def test_of_changes_that_overlap_nobody_knows_which_came_last(loose: Writer) -> None:
    loose.ask_rule(80, False)
    loose.rule(True)
    loose.claim("a")
    loose.note(e.RuleAnswered, "client", call=80, scope=Scope.QUEUE, name="default", done=True)
    assert finish(loose) == []


def test_a_change_without_an_answer_may_come_at_any_time(loose: Writer) -> None:
    loose.ask_rule(80, False)
    loose.rule(True)
    loose.claim("a")
    assert finish(loose) == []


def test_a_change_that_failed_may_come_at_any_time(loose: Writer) -> None:
    loose.rule(False, done=False)
    loose.rule(True)
    loose.claim("a")
    assert finish(loose) == []


def test_in_an_exact_history_a_pause_holds_from_where_it_took_effect(exact: Writer) -> None:
    exact.note(e.RuleTook, "p1", scope=Scope.QUEUE, name="default", paused=True, limit=Limit())
    exact.claim("a")
    assert finish(exact) == ["P11"]


# -- so many at once ---------------------------------------------------------------------------------


def test_more_in_one_claim_than_the_limit(writer: Writer) -> None:
    writer.rule(Limit(2))
    writer.claim("a", "b", "c")
    assert finish(writer) == ["P11"]
    assert "3 jobs of queue default were claimed with 0 processing, and a limit of 2." in str(writer.violations()[0])


def test_more_while_others_are_processing(writer: Writer) -> None:
    writer.rule(Limit(2))
    writer.claim("a", "b")
    writer.claim("c", process="p2")
    end(writer, "c", process="p2")
    assert finish(writer) == ["P11"]
    assert writer.violations()[0].jobs == ("c", "a", "b")


def test_as_many_as_the_limit_one_after_the_other(writer: Writer) -> None:
    writer.rule(Limit(2), "mail", scope=TYPE)
    writer.claim("a", "b")
    end(writer, "b")
    writer.claim("c", process="p2")
    end(writer, "a")
    end(writer, "c", process="p2")
    writer.claim("d", "e")
    assert finish(writer) == []


def test_what_was_claimed_before_the_limit_counts(writer: Writer) -> None:
    writer.claim("a", "b")
    writer.rule(Limit(2))
    writer.claim("c")
    assert finish(writer) == ["P11"]


def test_other_queues_and_types_do_not_count(writer: Writer) -> None:
    writer.enqueue("z", queue="another", type="post")
    writer.rule(Limit(1))
    writer.rule(Limit(1), "mail", scope=TYPE)
    writer.claim("a")
    writer.claim("z")
    end(writer, "z")
    assert finish(writer) == []


def test_the_limit_that_held_all_the_time_counts(writer: Writer) -> None:
    writer.rule(Limit(1))
    writer.rule(Limit(3))
    writer.claim("a", "b")
    writer.note(e.Claiming, "p1", call=90, node=1, batch=90, idle=1)
    writer.rule(Limit(1))
    writer.claimed(90, "c")
    assert finish(writer) == []


def test_what_was_lost_with_its_node_does_not_count(writer: Writer) -> None:
    writer.rule(Limit(1))
    writer.claim("a")
    writer.note(e.Killed, process="p1")
    writer.rescue("a")
    writer.claim("a", process="p2")
    end(writer, "a", process="p2")
    for job in "bcdef":
        writer.run(job, process="p2")
    assert writer.broken() == []


def test_a_late_write_says_nothing_of_when_a_run_ended(writer: Writer) -> None:
    writer.rule(Limit(1))
    writer.claim("a")
    writer.note(e.Paused, process="p1")
    writer.rescue("a")
    for job in "bcdef":
        writer.run(job, process="p2")
    writer.note(e.Resumed, process="p1")
    writer.write("a", fenced=True, number=1)
    writer.run("a", process="p2")
    assert "P11" not in writer.broken()


def test_a_run_that_is_open_in_the_end_counts(writer: Writer) -> None:
    writer.rule(Limit(1))
    writer.claim("a")
    writer.claim("b")
    assert "P11" in writer.broken()


def test_who_claims_at_the_same_time_has_no_order_where_nobody_saw_it(loose: Writer) -> None:
    loose.rule(Limit(1))
    loose.note(e.Claiming, "p1", call=90, node=1, batch=90, idle=1)
    loose.claim("b", process="p2")
    end(loose, "b", process="p2")
    loose.claimed(90, "a")
    assert finish(loose) == []


def test_who_claims_at_the_same_time_has_an_order_in_an_exact_history(exact: Writer) -> None:
    exact.rule(Limit(1))
    exact.note(e.Claiming, "p1", call=90, node=1, batch=90, idle=1)
    exact.claim("a", process="p2")
    exact.claimed(90, "b")
    end(exact, "a", process="p2")
    assert finish(exact) == ["P11"]


def test_a_claim_under_way_when_the_limit_came_may_be_uncounted(exact: Writer) -> None:
    exact.note(e.Claiming, "p1", call=90, node=1, batch=90, idle=1)
    exact.rule(Limit(1))
    exact.note(e.Claiming, "p2", call=91, node=2, batch=91, idle=1)
    exact.claimed(90, "a")
    exact.claimed(91, "b", process="p2", node=2)
    end(exact, "b", process="p2")
    assert finish(exact) == []


# -- so many in a time -------------------------------------------------------------------------------


def test_as_many_as_the_rate_and_the_burst(writer: Writer) -> None:
    writer.rule(Limit(None, 2.0, 3))
    for job, time in zip("abcdef", (10.0, 10.0, 10.0, 10.5, 11.0, 13.0), strict=True):
        writer.claim(job, time=time)
        end(writer, job)
    assert writer.broken() == []


def test_more_than_the_rate_and_the_burst_in_some_window(writer: Writer) -> None:
    writer.rule(Limit(None, 2.0, 3))
    for job, time in zip("abcdef", (10.0, 13.0, 13.0, 13.0, 13.4, 14.0), strict=True):
        writer.claim(job, time=time)
        end(writer, job)
    assert writer.broken() == ["P11"]
    assert "3.200 claims of queue default beyond its rate of 2 in a second, and a burst of 3" in str(
        writer.violations()[0]
    )


@pytest.mark.parametrize(("last", "broken"), [(10.4, ["P11"]), (10.5, [])])
def test_times_are_those_in_the_claim_rows_whatever_their_order(writer: Writer, last: float, broken: list[str]) -> None:
    writer.rule(Limit(None, 2.0, 1))
    for job, time in zip("abc", (11.0, 10.0, last), strict=True):
        writer.claim(job, time=time)
        end(writer, job)
    assert finish(writer) == broken


def test_a_claim_without_a_time_does_not_count(writer: Writer) -> None:
    writer.rule(Limit(None, 2.0, 1))
    for job, time in zip("abcd", (10.0, 0.0, 0.0, 10.5), strict=True):
        writer.claim(job, time=time)
        end(writer, job)
    assert finish(writer) == []


def test_another_rate_begins_anew(writer: Writer) -> None:
    for job, rate in zip("abc", (2.0, 3.0, 2.0), strict=True):
        writer.rule(Limit(None, rate, 1))
        writer.claim(job, time=10.0)
        end(writer, job)
    assert finish(writer) == []


def test_a_pause_is_no_other_rate(exact: Writer) -> None:
    for job in "ab":
        exact.rule(Limit(None, 2.0, 1))
        exact.rule(True)
        exact.rule(False)
        exact.claim(job, time=10.0)
        end(exact, job)
    assert finish(exact) == ["P11"]


@pytest.mark.parametrize(("seconds", "broken"), [(3.0, ["P11"]), (3.1, [])])
def test_clocks_that_were_set_far_apart_excuse_what_comes_after(
    writer: Writer, seconds: float, broken: list[str]
) -> None:
    writer.rule(Limit(None, 2.0, 1))
    writer.note(e.Stepped, seconds=-seconds, process="p2")
    for job in "ab":
        writer.claim(job, time=10.0)
        end(writer, job)
    assert finish(writer) == broken


# -- the story ---------------------------------------------------------------------------------------


def test_the_story_tells_of_rules(exact: Writer) -> None:
    exact.rule(Limit(1, 0.5, 2))
    exact.rule(True, name="another")
    exact.claim("a", "b")
    exact.note(e.HeldBack, "p1", node=1, batch=exact.claim("c"), rate=True)
    exact.rule(True, done=False)
    exact.rule(Limit())
    finish(exact)
    told = story(exact.history, exact.violations()[0])
    assert "client: asks to limit queue default, 1 at once, 0.5 in a second and 2 more" in told
    assert "p1: from here on queue default is not paused, 1 at once, 0.5 in a second and 2 more" in told
    assert "client: is told change of queue default" in told
    assert "client: asks to pause queue default" in told
    assert "client: is told no change of queue default" in told
    assert "client: asks to end the limit of queue default" in told
    assert "another" not in told
    told = story(exact.history, exact.violations()[1])
    assert "p1: that claim of p1/1 has taken all that a limit allows" in told
