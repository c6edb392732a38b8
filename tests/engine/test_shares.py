"""Groups of queues that are claimed together."""

from __future__ import annotations

from ferryman.domain.claim import ClaimRequest
from ferryman.domain.job import Lane
from ferryman.domain.outcome import Finish, Outcome, Run, What, decide
from ferryman.engine.shares import Group, Shares
from tests.engine.world import claimed_job


def request(limit: int, idle: int) -> ClaimRequest:
    return ClaimRequest(1, 1, frozenset(), None, limit, idle, alone=True)


def finish(queue: str) -> Finish:
    return decide(claimed_job(lane=Lane(queue, "t", 5)), Outcome(What.DONE), Run(), 0)


def test_without_queues_there_is_one_group_for_all() -> None:
    shares = Shares(None)
    assert shares.free is not None
    assert (shares.free.queues, shares.free.room, shares.bound) == (None, None, False)
    assert shares.worth_asking() == [shares.free]


def test_queues_without_share_are_claimed_together_the_others_each_alone_in_the_order_given() -> None:
    shares = Shares((("mail", 4), ("a", None), ("bulk", 1), ("b", None)))
    assert [group.queues for group in shares.worth_asking()] == [
        frozenset({"mail"}),
        frozenset({"a", "b"}),
        frozenset({"bulk"}),
    ]
    assert [group.room for group in shares.worth_asking()] == [4, None, 1]
    assert shares.free is not None
    assert shares.free.queues == frozenset({"a", "b"})


def test_where_every_queue_has_a_share_nothing_can_be_offered() -> None:
    assert Shares((("mail", 4),)).free is None


def test_a_full_share_is_not_asked_for_until_a_job_ends() -> None:
    shares = Shares((("mail", 2), ("default", None)))
    mail = shares.worth_asking()[0]
    shares.claimed([claimed_job(lane=Lane("mail", "t", 5)), claimed_job(lane=Lane("mail", "t", 5))])
    shares.claimed([claimed_job()])
    assert mail not in shares.worth_asking()
    shares.ended([finish("default")])
    assert mail not in shares.worth_asking()
    shares.ended([finish("mail")])
    assert mail in shares.worth_asking()
    assert mail.room == 1


def test_the_group_that_was_asked_for_comes_last_next_time() -> None:
    shares = Shares((("a", 1), ("b", 1), ("c", None)))
    first, second, third = shares.worth_asking()
    shares.asked(first)
    shares.work()
    assert shares.worth_asking() == [second, third, first]


def test_hunger() -> None:
    group = Group(None, None)
    group.asked()
    assert not group.worth_asking
    group.answered(request(10, 4), 10)
    assert (group.hungry, group.careful) == (True, False), "it was full: there may be more"
    group.asked()
    group.answered(request(10, 4), 7)
    assert (group.hungry, group.careful) == (True, True), "the line may have been cut before a job for an idle worker"
    group.asked()
    group.answered(request(10, 4), 3)
    assert not group.hungry, "an idle worker would have got the next one"
    group.asked()
    group.work()
    group.answered(request(10, 4), 5)
    assert (group.hungry, group.careful) == (True, False), "a wakeup came while the claim was in flight"
