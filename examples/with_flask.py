"""Flask: requests enqueue, and the jobs run elsewhere.

gunicorn --workers 4 --preload with_flask:site
ferryman work with_flask.py
"""

from __future__ import annotations

from flask import Flask, request

from ferryman import Ferryman, errors

app = Ferryman()
site = Flask(__name__)


@app.job(queue="mail", max_attempts=10)
def send_invoice(order: int, to: str) -> str:
    return f"The invoice for order {order} went to {to}."


@site.post("/orders/<int:order>/invoice")
def ask_for_invoice(order: int) -> tuple[dict[str, str], int]:
    call = send_invoice.call(order, request.form["to"])
    # a second click within a day gives the job of the first one
    handle = call.options(idempotency_key=f"invoice-{order}").enqueue()
    return {"job": handle.id}, 202


@site.get("/invoices/<job>")
def status(job: str) -> dict[str, str]:
    return {"status": send_invoice.handle(job).status()}


@site.errorhandler(errors.JobNotFound)
def not_found(error: errors.JobNotFound) -> tuple[dict[str, str], int]:
    return {"error": error.what}, 404
