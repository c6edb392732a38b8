"""The story of a violation."""

from __future__ import annotations

from ferryman.testing.history import entries as e
from ferryman.testing.history import story
from ferryman.testing.history.history import Violation
from tests.testing.histories import Writer


def begin() -> Writer:
    writer = Writer()
    writer.spawn("p1")
    writer.spawn("p2")
    writer.enqueue()
    return writer


def late_finish_that_was_taken() -> Writer:
    writer = Writer()
    writer.spawn("p1")
    writer.spawn("p2")
    writer.spawn("p3")
    writer.enqueue("job-000001")
    writer.enqueue("job-000002")
    writer.run("job-000002", process="p3")
    writer.claim("job-000001")
    writer.start("job-000001")
    writer.note(e.Paused, process="p1")
    writer.rescue("job-000001")
    writer.run("job-000001", process="p2")
    writer.note(e.Resumed, process="p1")
    writer.note(e.Ended, "p1", job="job-000001", number=1, how="returned", result="7")
    writer.write("job-000001", number=1)
    writer.rows["job-000001"].pop()
    return writer


def test_a_story_says_who_did_what_when() -> None:
    writer = late_finish_that_was_taken()
    violation = next(each for each in writer.violations() if each.promise == "P7")
    assert story(writer.history, violation) == STORY


STORY = """\
P7: Node p1/1 was told that run 1 of job 000001 is written as done, but it is lost.
      0.000 s  nemesis: p1 begins
      1.000 s  p1: registers as node p1/1
      2.000 s  nemesis: p2 begins
      3.000 s  p2: registers as node p2/1
      6.000 s  client: asks for job 000001: mail in default, max_attempts 3
      7.000 s  p1: job 000001 is stored
      8.000 s  client: is told accepted for job 000001
     20.000 s  p1: p1/1 asks for jobs
     21.000 s  p1: p1/1 has claimed run 1 of job 000001
     23.000 s  p1: starts run 1 of job 000001, attempt 1, on p1/1
     24.000 s  nemesis: freezes p1
     25.000 s  p2: finds p1/1 dead, and gives 1 run back
     26.000 s  p2: p2/1 asks for jobs
     27.000 s  p2: p2/1 has claimed run 2 of job 000001
     29.000 s  p2: starts run 2 of job 000001, attempt 2, on p2/1
     30.000 s  p2: the handler of run 2 of job 000001 returned
     31.000 s  p2: p2/1 wants to write run 2 of job 000001 as done, then completed
     32.000 s  p2: that write of p2/1 is done
     34.000 s  nemesis: lets p1 go on
     35.000 s  p1: the handler of run 1 of job 000001 returned 7
     36.000 s  p1: p1/1 wants to write run 1 of job 000001 as done, then completed
     37.000 s  p1: that write of p1/1 is done
In the end the store says:
  job 000001 is completed, after 1 lost on p1/1, 2 done on p2/1"""


def test_a_long_story_leaves_its_middle_out() -> None:
    writer = begin()
    for _ in range(30):
        writer.run("a", "snoozed", "scheduled")
    lines = story(writer.history, Violation("P2", "Job a never ended.", ("a",)), limit=12).splitlines()
    assert len(lines) == 1 + 12 + 1 + 2
    assert sum("lines are left out" in line for line in lines) == 1
    assert lines[1].endswith("p1 begins")


def test_what_is_said_several_times_in_a_row_is_said_once() -> None:
    writer = begin()
    for _ in range(3):
        writer.look("a", "pending", 0, 0)
    told = story(writer.history, Violation("P2", "Job a never ended.", ("a",)))
    assert told.count("reads job a: pending") == 1
    assert "(3 times)" in told


def test_a_story_about_a_node_is_told_without_jobs() -> None:
    writer = begin()
    writer.claim("a")
    writer.rescue("a")
    violation = next(each for each in writer.violations() if each.promise == "P14")
    told = story(writer.history, violation)
    assert "p1: p1/1 has claimed run 1 of job a" in told
    assert "p2: finds p1/1 dead, and gives 1 run back" in told


def test_there_is_a_sentence_for_every_kind_of_entry() -> None:
    writer = begin()
    writer.claim("a", reply=False)
    writer.note(e.Released, "p1", node=1, batch=1, count=1)
    writer.row("a", "released", "pending")
    writer.cancel()
    writer.retry()
    writer.follow("b", scheduled=True)
    writer.note(e.Committing, "p1", job="a", number=4, result="7")
    writer.note(e.Committed, "p1", node=1, job="a", number=4)
    writer.note(e.PromoteTook, "p1", asked=0, count=2)
    writer.note(e.Faulted, process="p1", verb="claim", kind="after")
    writer.note(e.Stepped, seconds=-5.0)
    writer.note(e.Calm)
    writer.note(e.Killed, process="p1", during="running")
    writer.note(e.Stopping, process="p2")
    writer.note(e.Stopped, "p2", process="p2", code=1, unwritten=2)
    told = story(writer.history, Violation("P2", "Job a never ended.", ("a", "b"), ("n2",)))
    for sentence in (
        "p1/1 has claimed run 1 of job a; the answer never arrives",
        "p1/1 gives back a claim that it never heard of",
        "asks to cancel job a",
        "the cancel meets job a, which is pending",
        "reads after the cancel that job a is cancelled",
        "asks to retry job a",
        "job a is retried",
        "asks for job b to follow run 4 of job a: mail in default, max_attempts 3, for later",
        "the handler of run 4 of job a wants to commit, with its completion and the result 7",
        "what run 4 of job a wrote is committed",
        "makes a call of p1 fail once it is done: claim",
        "sets the wall clock by -5 s",
        "faults end here",
        "kills p1 (running)",
        "p2 is asked to stop",
        "p2 has stopped with code 1, with 2 outcomes unwritten",
        "job a is pending, after 1 released on p1/1, 2 cancelled, 3 retried",
    ):
        assert sentence in told
