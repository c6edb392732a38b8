"""A plain script: hand work in, wait for the results.

ferryman work plain_script.py    # in one terminal
python plain_script.py           # in another one, in the same folder
"""

from __future__ import annotations

from ferryman import Ferryman, errors

app = Ferryman()


@app.job(max_attempts=3)
def count_words(text: str) -> int:
    return len(text.split())


def main() -> None:
    lines = ["To be, or not to be", "that is the question", ""]
    handles = [count_words.enqueue(line) for line in lines]
    for line, handle in zip(lines, handles, strict=True):
        try:
            print(f"{handle.result(timeout=30)} words: {line!r}")
        except errors.JobFailed as error:
            print(f"{line!r} could not be counted: {error.error_message}")


if __name__ == "__main__":
    with app:
        main()
