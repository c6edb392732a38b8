# mypy: disable-error-code="import-untyped"
# pyright: reportAttributeAccessIssue=false
"""The site's jobs: `ferryman work mysite.jobs`."""

from __future__ import annotations

import os

import django
from django.apps import apps
from django.conf import settings

from ferryman import Ferryman

if not apps.ready:  # in `ferryman work` nobody else has set Django up
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
    django.setup()

from .models import Order  # models can be imported once Django is set up

app = Ferryman(**settings.FERRYMAN)


@app.job(queue="mail", max_attempts=10)
def send_receipt(order: int) -> str:
    bought = Order.objects.get(pk=order)
    bought.receipt = f"Thank you for buying {bought.product}."
    bought.save()
    return str(bought.receipt)
